#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <functional>
#include <string>
#include <string_view>

#include "database.h"

namespace streamrun {

/// Takes the SST files of a checkpoint into a database. Each is checked, every byte, and linked or
/// copied. One thread; blocking. E-STATE-MISSING, E-STATE-CORRUPT with file and offset.
class SstImport {
 public:
  /// `folder`, on the database's disk, is not there; `local` is that disk, `store` has the
  /// checkpoint's files, whose paths are absolute.
  SstImport(Database& database, FileSystem& local, FileSystem* store, std::string folder);
  ~SstImport();
  SstImport(const SstImport&) = delete;
  SstImport& operator=(const SstImport&) = delete;

  /// A state of the database, which has nothing yet, becomes state `saved` of the handle, all of
  /// it.
  Result<void> take_whole(const KeyedStateHandle& handle, int saved, int state);
  /// Calls `use` with each key of some key groups that state `saved` of the handle has, in their
  /// order, and its value.
  using Use = std::function<Result<void>(std::string_view key, std::string_view value)>;
  Result<void> read(const KeyedStateHandle& handle, int saved, KeyGroupRange range, const Use& use);

 private:
  /// The files of a state with something of these groups, in the folder.
  Result<rocksdb::ExportImportFilesMetaData> bring(const KeyedStateHandle& handle, int saved,
                                                   KeyGroupRange range);
  Result<void> bring(const StateHandle& piece, const std::string& path);
  Result<void> bring_file(const StateFile& file, const std::string& path);
  Result<bool> link(const StateFile& file, const std::string& path);

  Database& database_;
  FileSystem& local_;
  FileSystem* const store_;
  const std::string folder_;
  int brought_ = 0;
};

}  // namespace streamrun
