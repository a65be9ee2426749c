#include <streamrun/base/bytes.h>
#include <streamrun/state/rocksdb/described_sst_rows.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "database.h"
#include "local_folders.h"
#include "row_iterator.h"
#include "sst_import.h"

namespace streamrun {
namespace {

Result<std::shared_ptr<Database>> open_for(const KeyedStateHandle& handle,
                                           const std::string& path) {
  rocksdb::ColumnFamilyOptions as_it_is;
  as_it_is.disable_auto_compactions = true;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const StateDescription& state : handle.states)
    families.emplace_back("state-" + state.name, as_it_is);
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return Database::open(path, options, std::move(families));
}

Result<void> read_rows(Database& database, const RowDescriber& describer,
                       const std::function<bool(DescribedRow)>& use) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  RowIterator rows(database, options);
  std::vector<std::string_view> values(database.families().size());
  for (rows.seek_to_first(); rows.valid(); rows.next()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if ((rows.present() >> i & 1U) != 0) values[i] = rows.value(static_cast<int>(i));
    }
    ByteReader in(rows.key());
    const int key_group = in.u16();
    auto row = describer.describe(key_group, rows.key().substr(in.offset()), rows.present(),
                                  values.data());
    if (!row) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "a state file holds rows that can't be read",
                   .where = "key group " + std::to_string(key_group),
                   .retry = Retry::no};
    }
    if (!use(*std::move(row))) return {};
  }
  if (!rows.status().ok()) return database.error_of(rows.status());
  return {};
}

}  // namespace

Result<void> read_described_sst_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                     FileSystem& local, Random& random,
                                     const std::string& directory,
                                     const std::function<bool(DescribedRow)>& use) {
  const RowDescriber describer = SR_TRY(RowDescriber::of(handle));
  const auto folders = SR_TRY(LocalFolders::open(local, {directory}, random, "a look at state"));
  const std::string path = folders->place_for("database");
  const std::shared_ptr<Database> database = SR_TRY(open_for(handle, path));
  {
    SstImport import(*database, local, file_system, path + "-import");
    for (std::size_t i = 0; i < handle.states.size(); ++i)
      SR_TRY(import.take_whole(handle, static_cast<int>(i), static_cast<int>(i)));
  }
  return read_rows(*database, describer, use);
}

}  // namespace streamrun
