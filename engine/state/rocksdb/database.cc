#include "database.h"

#include <utility>

#include <rocksdb/convenience.h>

#include "ttl_values.h"

namespace streamrun {

Result<std::shared_ptr<Database>> Database::open(const std::string& path,
                                                 const KeyedTableBase& table,
                                                 const RocksDbSettings& settings,
                                                 const SharedMemory& shared, const Clock& clock) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  const auto states = static_cast<int>(table.descriptions().size());
  for (int state = 0; state < states; ++state) {
    rocksdb::ColumnFamilyOptions options = column_family_options(settings, shared);
    const ValueOperations& operations = table.operations_of_state(state);
    if (operations.ttl != 0) options.compaction_filter_factory = make_ttl_filter(operations, clock);
    families.emplace_back("state-" + table.descriptions()[static_cast<std::size_t>(state)].name,
                          options);
  }
  return open(path, database_options(settings, shared), std::move(families));
}

Result<std::shared_ptr<Database>> Database::open(
    const std::string& path, const rocksdb::DBOptions& options,
    std::vector<rocksdb::ColumnFamilyDescriptor> families) {
  std::shared_ptr<Database> database(new Database(path));
  rocksdb::Status status = rocksdb::DB::Open(
      rocksdb::Options(options, rocksdb::ColumnFamilyOptions()), path, &database->db_);
  if (!status.ok()) return database->error_of(status);
  // Together: `Open` would write the file with all options once for each.
  status = database->db_->CreateColumnFamilies(families, &database->families_);
  if (!status.ok()) return database->error_of(status);
  database->described_ = std::move(families);
  return database;
}

namespace {

rocksdb::ImportColumnFamilyOptions moving() {
  rocksdb::ImportColumnFamilyOptions options;
  options.move_files = true;
  return options;
}

}  // namespace

Result<void> Database::take_in(int state, const rocksdb::ExportImportFilesMetaData& files) {
  const auto number = static_cast<std::size_t>(state);
  rocksdb::ColumnFamilyHandle*& family = families_[number];
  if (const rocksdb::Status status = db_->DropColumnFamily(family); !status.ok())
    return error_of(status);
  static_cast<void>(db_->DestroyColumnFamilyHandle(std::exchange(family, nullptr)));
  const rocksdb::Status status = db_->CreateColumnFamilyWithImport(
      described_[number].options, described_[number].name, moving(), files, &family);
  if (!status.ok()) return error_of(status);
  return {};
}

Result<std::unique_ptr<Database::Guest>> Database::open_beside(
    const rocksdb::ExportImportFilesMetaData& files) {
  rocksdb::ColumnFamilyOptions options;
  options.disable_auto_compactions = true;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  const rocksdb::Status status =
      db_->CreateColumnFamilyWithImport(options, "guest", moving(), files, &family);
  if (!status.ok()) return error_of(status);
  return std::make_unique<Guest>(*db_, family);
}

Database::Guest::~Guest() {
  static_cast<void>(db.DropColumnFamily(family));
  static_cast<void>(db.DestroyColumnFamilyHandle(family));
}

Database::~Database() {
  if (db_ == nullptr) return;
  rocksdb::CancelAllBackgroundWork(db_, true);
  for (rocksdb::ColumnFamilyHandle* const family : families_) {
    if (family != nullptr) static_cast<void>(db_->DestroyColumnFamilyHandle(family));
  }
  delete db_;
}

Error Database::error_of(const rocksdb::Status& status) const {
  return {.code = status.IsNoSpace() ? ErrorCode::store_full : ErrorCode::store_io,
          .message = "the local database of keyed state failed",
          .where = path_,
          .why = status.ToString()};
}

}  // namespace streamrun
