#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/state/state_handle.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "live_files.h"

namespace streamrun {

/// By the file's number in its database where its bytes are in the checkpoints' store.
using UploadedFiles = std::map<std::uint64_t, StateHandle>;

/// Copies those SST files of a database to a checkpoint that are not there yet, a few at a time.
/// Owned by the table's thread; a writer's job reads what it writes.
class SstUpload : public std::enable_shared_from_this<SstUpload> {
 public:
  /// Called once, with all files, those that were there before too.
  using Done = std::function<void(Result<UploadedFiles>)>;

  /// `local`, where the files are, outlives it. `known` may have files that are no more.
  SstUpload(std::shared_ptr<const LiveFiles> live, FileSystem& local, const UploadedFiles& known,
            KeyedStateBackend::MakeWriter make_writer, Done done);

  /// Goes on as far as writers keep up; to be called until it is done.
  void advance();
  /// Removes what it has written; `done` gets the error.
  void give_up(const Error& error);
  /// Nobody is told of anything any more; files that it has written stay.
  void forget();

  const LiveFiles& live() const { return *live_; }
  /// It is done, and looks at files no more.
  std::shared_ptr<const LiveFiles> take_live() { return std::move(live_); }

 private:
  struct Source;
  struct Upload {
    const LiveFiles::File* file = nullptr;
    std::shared_ptr<Source> source;
    std::shared_ptr<SnapshotFileWriter> writer;
    std::uint64_t appended = 0;
    bool is_closed = false;  ///< nothing is to be appended
  };
  void begin(Upload& upload);
  void append(std::size_t index);
  void written(std::size_t index, Result<StateHandle> data);
  void end();

  std::shared_ptr<const LiveFiles> live_;
  FileSystem& local_;
  const KeyedStateBackend::MakeWriter make_writer_;
  Done done_;
  UploadedFiles uploaded_;
  std::vector<Upload> uploads_;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  bool is_advancing_ = false;
  bool is_over_ = false;
};

}  // namespace streamrun
