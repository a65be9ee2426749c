#pragma once

#include <streamrun/platform/executor.h>
#include <streamrun/platform/random.h>
#include <streamrun/state/shared_folder.h>
#include <streamrun/state/state_file.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// Takes the bytes of one piece of state from the thread that owns it and writes them to a file on
/// I/O threads, in order; small ones stay inline and no file is made. Owned by one thread; a job
/// goes on for as long as enough is queued, and what it works on belongs to it until its mail is
/// back: only the queue is shared. Crash points: `cp.file.*`, `cp.shared.before-rename`.
class SnapshotFileWriter : public std::enable_shared_from_this<SnapshotFileWriter> {
 public:
  using Post = std::function<void(UniqueFunction<void()>)>;
  using Done = std::function<void(Result<StateHandle>)>;
  /// Turns what was appended into what the file gets; `scratch` lends memory and may be swapped in.
  /// Called once, by one thread at a time, in the order of the appends.
  using Encode = UniqueFunction<void(StateBytes& bytes, StateBytes& scratch)>;

  /// `file_system` null: everything stays inline. `directory` exists; the file's name is `name`.
  SnapshotFileWriter(IoExecutor& io, Post post, FileSystem* file_system, std::string directory,
                     std::string name, std::uint64_t inline_threshold);
  /// The file goes to a folder that several checkpoints share, under the name of its content; it is
  /// written under a temporary name first, of which `uuid` (32 hex digits) is a part. Where a file
  /// of that name is, it is read, and is the file if its bytes are these; E-STATE-CORRUPT if not.
  SnapshotFileWriter(IoExecutor& io, Post post, FileSystem* file_system, SharedFolder shared,
                     std::string_view uuid, std::uint64_t inline_threshold);
  ~SnapshotFileWriter();

  void append(std::string_view bytes);
  /// `encode` runs where the bytes are written, before anything of the same job is; `lent` is about
  /// what it takes from elsewhere.
  void append(StateBytes bytes, Encode encode, std::uint64_t lent = 0);
  /// Empty memory for more bytes: of such as are written, if there are any.
  StateBytes take_spare();
  /// Nothing follows: makes it durable and calls `done` on the owner's thread, perhaps at once.
  void finish(Done done);
  /// Nobody wants it any more: drops what is not written, removes the file, even if it is finished,
  /// and calls `done`, instead of what `finish` was given, with E-CANCELLED. Nothing follows.
  void abandon(Done done);
  /// Whether what is appended is encoded at once, by the owner.
  bool is_in_memory() const { return file_system_ == nullptr; }
  /// Enough waits to be written that more would only take memory. The mail that ends it also wakes
  /// the owner.
  bool is_behind() const;

 private:
  struct File;
  struct Part {
    StateBytes bytes = {};
    Encode encode = {};
    std::uint64_t lent = 0;

    void make_final(StateBytes& scratch) {
      if (encode) std::exchange(encode, {})(bytes, scratch);
    }
  };
  /// What a job writes in one go.
  struct Batch {
    std::vector<Part> parts;
    std::uint64_t bytes = 0;
    bool is_last = false;
  };
  /// What was appended and no job has taken yet.
  class Queue {
   public:
    void add(Part part, std::uint64_t bytes);
    /// Nothing follows; what is queued is the last batch.
    void close();
    /// Forgets what was added, and that it was closed: a job that comes for more ends.
    void drop();
    Batch take();
    /// Nothing if no more than `least` bytes would come, unless they are the last.
    std::optional<Batch> take_if(std::uint64_t least);

   private:
    Batch take_all();  ///< with the mutex held

    std::mutex mutex_;
    std::vector<Part> parts_;
    std::uint64_t bytes_ = 0;
    bool is_closed_ = false;
  };
  void append(Part part);
  void start_job_if_due();
  void start_job();
  /// On an I/O thread.
  void write_batches(std::unique_ptr<File> file);
  void write(File& file, Batch& batch);
  void written(Batch batch);
  void job_ended(std::unique_ptr<File> file, Batch batch);
  void complete();
  void call_done(Result<StateHandle> result);
  void discard(std::unique_ptr<File> file);
  void ended(std::unique_ptr<File> file);
  void claim_name(std::unique_ptr<File> file);
  void claim_granted();
  Result<void> move_to_name(const StateFile& file);
  Result<void> check_same_bytes(const std::string& path, const StateFile& file);

  // Constant after construction.
  IoExecutor& io_;
  Post post_;
  FileSystem* file_system_;
  std::string directory_;
  std::string name_;
  std::uint64_t inline_threshold_;
  std::optional<SharedFolder> shared_;
  Queue queue_;  ///< any thread
  // Owned by the owner's thread.
  std::vector<StateBytes> spares_;
  std::uint64_t backlog_ = 0;   ///< bytes taken or lent, as they were, and not yet written
  std::unique_ptr<File> file_;  ///< null while a job has it, or before there is one
  bool in_flight_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
  std::string claimed_;      ///< the name in the shared folder
  bool is_written_ = false;  ///< to a file, whole
  Done done_;
};

}  // namespace streamrun
