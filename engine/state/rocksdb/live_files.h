#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/state_handle.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "database.h"

namespace streamrun {

/// The SST files that hold all of a database at one moment. They stay where they are, whatever
/// becomes of the database, until this goes. Immutable; any thread.
class LiveFiles {
 public:
  struct File {
    std::uint64_t number = 0;  ///< another one for each file of the database, for ever
    std::string path;
    std::uint64_t bytes = 0;
    SstFile sst;  ///< with the state's number in the table
  };

  /// Writes what is in memory to files first. Nobody writes meanwhile. Blocking.
  static Result<std::shared_ptr<const LiveFiles>> take(const std::shared_ptr<Database>& database);
  /// Blocking: files go that were only kept for it.
  ~LiveFiles();
  LiveFiles(const LiveFiles&) = delete;
  LiveFiles& operator=(const LiveFiles&) = delete;

  const std::vector<File>& files() const { return files_; }
  /// Keys of the state with most of them, if no file says anything of a key that another one knows.
  std::uint64_t most_entries() const { return most_entries_; }

 private:
  explicit LiveFiles(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  const std::shared_ptr<Database> database_;
  std::vector<File> files_;
  std::uint64_t most_entries_ = 0;
};

}  // namespace streamrun
