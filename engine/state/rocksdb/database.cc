#include "database.h"

#include <utility>

#include <rocksdb/convenience.h>

#include "ttl_values.h"

namespace streamrun {

Result<std::shared_ptr<Database>> Database::open(const std::string& path,
                                                 const KeyedTableBase& table,
                                                 const RocksDbSettings& settings,
                                                 const SharedMemory& shared, const Clock& clock) {
  std::shared_ptr<Database> database(new Database(path));
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()}};
  const auto states = static_cast<int>(table.descriptions().size());
  for (int state = 0; state < states; ++state) {
    rocksdb::ColumnFamilyOptions options = column_family_options(settings, shared);
    const ValueOperations& operations = table.operations_of_state(state);
    if (operations.ttl != 0) options.compaction_filter_factory = make_ttl_filter(operations, clock);
    families.emplace_back("state-" + table.descriptions()[static_cast<std::size_t>(state)].name,
                          options);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status = rocksdb::DB::Open(database_options(settings, shared), path,
                                                   families, &handles, &database->db_);
  if (!status.ok()) return database->error_of(status);
  database->unused_ = handles.front();
  database->families_.assign(handles.begin() + 1, handles.end());
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  rocksdb::CancelAllBackgroundWork(db_, true);
  for (rocksdb::ColumnFamilyHandle* const family : families_)
    static_cast<void>(db_->DestroyColumnFamilyHandle(family));
  static_cast<void>(db_->DestroyColumnFamilyHandle(unused_));
  delete db_;
}

Error Database::error_of(const rocksdb::Status& status) const {
  return {.code = status.IsNoSpace() ? ErrorCode::store_full : ErrorCode::store_io,
          .message = "the local database of keyed state failed",
          .where = path_,
          .why = status.ToString()};
}

}  // namespace streamrun
