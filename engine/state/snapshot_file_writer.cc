#include <streamrun/base/checksum.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/state/shared_file.h>
#include <streamrun/state/snapshot_file_writer.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamrun {
namespace {

constexpr std::size_t kChecksumBlock = std::size_t{1} << 20U;
/// What a job has to write at least, unless it is the last: waking an I/O thread costs more than a
/// small write.
constexpr std::uint64_t kJobBytes = std::uint64_t{1} << 20U;
/// What a job goes on with when it is done, rather than to end and be started anew.
constexpr std::uint64_t kMoreBytes = std::uint64_t{256} << 10U;
/// A job's worth beside the one that is written.
constexpr std::uint64_t kBacklogLimit = 2 * kJobBytes;
/// Enough for all memory in flight, so that none is returned and asked for again.
constexpr std::size_t kMostSpares = 64;

std::string_view view(const StateBytes& bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

/// What is known of the file so far. Belongs to the job that is in flight, else to the writer.
struct SnapshotFileWriter::File {
  std::unique_ptr<WritableFile> handle;
  StateFile description;
  Xxh3Stream hash;
  std::uint32_t block_crc = 0;
  std::uint64_t block_fill = 0;
  std::optional<Error> error;
  std::string small;   ///< all there is, while it may stay inline
  StateBytes scratch;  ///< for `Encode`

  void add_checksums(std::string_view bytes) {
    hash.update(bytes);
    description.length += bytes.size();
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kChecksumBlock - block_fill);
      block_crc = crc32c(part, block_crc);
      block_fill += part.size();
      bytes.remove_prefix(part.size());
      if (block_fill == kChecksumBlock) end_block();
    }
  }
  void end_block() {
    description.crc32c.push_back(block_crc);
    block_crc = 0;
    block_fill = 0;
  }
  /// What was appended may become less than the threshold where it is encoded, so there is no file
  /// until it is passed.
  Result<void> write(FileSystem& file_system, const std::string& path, std::vector<Part>& parts,
                     bool last, std::uint64_t inline_threshold) {
    // All first: until then others wait with what they lend.
    for (Part& part : parts) part.make_final(scratch);
    for (const Part& part : parts) {
      if (handle == nullptr) {
        if (small.size() + part.bytes.size() <= inline_threshold) {
          small += view(part.bytes);
          continue;
        }
        handle = SR_TRY(file_system.create(path));
        SR_CRASH("cp.file.created");
        if (!small.empty()) SR_TRY(write(std::exchange(small, {})));
      }
      SR_TRY(write(view(part.bytes)));
      SR_CRASH("cp.file.half");
    }
    if (!last || handle == nullptr) return {};
    SR_CRASH("cp.file.before-fsync");
    SR_TRY(handle->sync());
    SR_TRY(handle->close());
    SR_CRASH("cp.file.after-fsync");
    if (block_fill > 0) end_block();
    description.xxh3 = hash.hex();
    return {};
  }

 private:
  Result<void> write(std::string_view bytes) {
    add_checksums(bytes);
    return handle->append(bytes);
  }
};

void SnapshotFileWriter::Queue::add(Part part, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  parts_.push_back(std::move(part));
  bytes_ += bytes;
}

void SnapshotFileWriter::Queue::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

void SnapshotFileWriter::Queue::drop() {
  std::vector<Part> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(parts_);
  bytes_ = 0;
  is_closed_ = false;
}

SnapshotFileWriter::Batch SnapshotFileWriter::Queue::take() {
  const std::lock_guard lock(mutex_);
  return take_all();
}

std::optional<SnapshotFileWriter::Batch> SnapshotFileWriter::Queue::take_if(std::uint64_t least) {
  const std::lock_guard lock(mutex_);
  if (!is_closed_ && bytes_ <= least) return std::nullopt;
  return take_all();
}

SnapshotFileWriter::Batch SnapshotFileWriter::Queue::take_all() {
  return {
      .parts = std::exchange(parts_, {}), .bytes = std::exchange(bytes_, 0), .is_last = is_closed_};
}

SnapshotFileWriter::SnapshotFileWriter(IoExecutor& io, Post post, FileSystem* file_system,
                                       std::string directory, std::string name,
                                       std::uint64_t inline_threshold)
    : io_(io),
      post_(std::move(post)),
      file_system_(file_system),
      directory_(std::move(directory)),
      name_(std::move(name)),
      inline_threshold_(inline_threshold) {}

SnapshotFileWriter::SnapshotFileWriter(IoExecutor& io, Post post, FileSystem* file_system,
                                       SharedFolder shared, std::string_view uuid,
                                       std::uint64_t inline_threshold)
    : SnapshotFileWriter(io, std::move(post), file_system, shared.directory,
                         shared_temporary_name(uuid), inline_threshold) {
  shared_ = std::move(shared);
}

SnapshotFileWriter::~SnapshotFileWriter() = default;

void SnapshotFileWriter::append(std::string_view bytes) {
  Part part;
  if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), part.bytes.extend(bytes.size()));
  append(std::move(part));
}

void SnapshotFileWriter::append(StateBytes bytes, Encode encode, std::uint64_t lent) {
  append({.bytes = std::move(bytes), .encode = std::move(encode), .lent = lent});
}

bool SnapshotFileWriter::is_behind() const {
  return file_system_ != nullptr && backlog_ > std::max(kBacklogLimit, 2 * inline_threshold_);
}

StateBytes SnapshotFileWriter::take_spare() {
  if (spares_.empty()) return {};
  StateBytes spare = std::move(spares_.back());
  spares_.pop_back();
  spare.clear();
  return spare;
}

void SnapshotFileWriter::append(Part part) {
  SR_ASSERT(!closed_, "nothing is appended after finish");
  if (part.bytes.empty() && !part.encode) return;
  if (file_system_ == nullptr) {
    // Nobody else will: what it lends would be lent until the end.
    StateBytes scratch;
    part.make_final(scratch);
  }
  const std::uint64_t bytes = part.bytes.size() + part.lent;
  backlog_ += bytes;
  queue_.add(std::move(part), bytes);
  if (!in_flight_) start_job_if_due();
}

void SnapshotFileWriter::finish(Done done) {
  closed_ = true;
  done_ = std::move(done);
  if (in_flight_) return queue_.close();
  complete();
}

void SnapshotFileWriter::abandon(Done done) {
  closed_ = true;
  abandoned_ = true;
  done_ = std::move(done);
  queue_.drop();
  spares_.clear();
  if (!in_flight_) discard(std::move(file_));
}

void SnapshotFileWriter::discard(std::unique_ptr<File> file) {
  const auto cancelled = [] {
    return Error{.code = ErrorCode::cancelled, .message = "the snapshot was aborted"};
  };
  // Whether a shared file goes is for those to say who know of all that refer to it.
  if (is_written_ && shared_) shared_->let_go(claimed_);
  const bool is_own = is_written_ && !shared_;
  const bool has_file = is_own || (file != nullptr && file->handle != nullptr);
  if (!has_file) return call_done(cancelled());
  io_.submit([self = shared_from_this(), file = std::move(file), cancelled]() mutable {
    file.reset();
    // If this fails, it goes when the attempt ends.
    static_cast<void>(self->file_system_->remove_file(join_path(self->directory_, self->name_)));
    SnapshotFileWriter& writer = *self;
    writer.post_([self = std::move(self), cancelled] { self->call_done(cancelled()); });
  });
}

void SnapshotFileWriter::complete() {
  queue_.close();
  const bool may_be_inline =
      file_system_ == nullptr || (file_ == nullptr && backlog_ <= inline_threshold_);
  if (!may_be_inline) return start_job();
  Batch all = queue_.take();
  std::uint64_t size = 0;
  StateBytes scratch;
  for (Part& part : all.parts) {
    part.make_final(scratch);
    size += part.bytes.size();
  }
  backlog_ = 0;
  if (file_system_ != nullptr && size > inline_threshold_) {
    for (Part& part : all.parts) queue_.add(std::move(part), 0);
    return start_job();
  }
  StateHandle handle;
  for (const Part& part : all.parts) handle.inline_bytes += view(part.bytes);
  call_done(std::move(handle));
}

void SnapshotFileWriter::call_done(Result<StateHandle> result) {
  // It may abandon this writer because another one failed.
  std::exchange(done_, {})(std::move(result));
}

void SnapshotFileWriter::start_job_if_due() {
  if (file_system_ == nullptr) return;
  if (closed_ || backlog_ > std::max(kJobBytes, inline_threshold_)) start_job();
}

void SnapshotFileWriter::start_job() {
  in_flight_ = true;
  auto file = file_ != nullptr ? std::move(file_) : std::make_unique<File>();
  file->description.path = name_;
  io_.submit([self = shared_from_this(), file = std::move(file)]() mutable {
    SnapshotFileWriter& writer = *self;
    writer.write_batches(std::move(file));
  });
}

void SnapshotFileWriter::write_batches(std::unique_ptr<File> file) {
  Batch batch = queue_.take();
  write(*file, batch);
  while (!batch.is_last && !file->error) {
    std::optional<Batch> next = queue_.take_if(std::max(kMoreBytes, inline_threshold_));
    if (!next) break;
    // Its memory, and what it has lent, are wanted before the job ends.
    post_([self = shared_from_this(), batch = std::move(batch)]() mutable {
      self->written(std::move(batch));
    });
    batch = *std::move(next);
    write(*file, batch);
  }
  post_([self = shared_from_this(), file = std::move(file), batch = std::move(batch)]() mutable {
    self->job_ended(std::move(file), std::move(batch));
  });
}

void SnapshotFileWriter::write(File& file, Batch& batch) {
  if (file.error) return;
  const std::string path = join_path(directory_, name_);
  Result<void> written =
      file.write(*file_system_, path, batch.parts, batch.is_last, inline_threshold_);
  if (written) return;
  file.error = std::move(written).error();
  // Nobody will ever refer to it, and on a full disk its space is wanted. If this fails too, it
  // goes when the attempt ends.
  file.handle.reset();
  static_cast<void>(file_system_->remove_file(path));
}

void SnapshotFileWriter::written(Batch batch) {
  backlog_ -= batch.bytes;
  if (abandoned_) return;
  for (Part& part : batch.parts) {
    if (spares_.size() < kMostSpares) spares_.push_back(std::move(part.bytes));
  }
}

void SnapshotFileWriter::job_ended(std::unique_ptr<File> file, Batch batch) {
  in_flight_ = false;
  const bool is_last = batch.is_last;
  written(std::move(batch));
  if (abandoned_) return discard(std::move(file));
  if (is_last || (closed_ && file->error)) {
    const bool is_to_move = shared_ && !file->error && file->handle != nullptr;
    return is_to_move ? claim_name(std::move(file)) : ended(std::move(file));
  }
  file_ = std::move(file);
  start_job_if_due();
}

/// The outcome for whoever called `finish`.
void SnapshotFileWriter::ended(std::unique_ptr<File> file) {
  spares_ = {};
  if (file->error) return call_done(*file->error);
  StateHandle handle;
  if (file->handle == nullptr) {
    handle.inline_bytes = std::move(file->small);
  } else {
    handle.file = std::move(file->description);
    is_written_ = true;
  }
  call_done(std::move(handle));
}

void SnapshotFileWriter::claim_name(std::unique_ptr<File> file) {
  file->description.path = std::string(kSharedPrefix) + shared_file_name(file->description);
  claimed_ = shared_file_name(file->description);
  file_ = std::move(file);
  shared_->claim(claimed_, [self = shared_from_this()]() mutable {
    SnapshotFileWriter& writer = *self;
    writer.post_([self = std::move(self)] { self->claim_granted(); });
  });
}

void SnapshotFileWriter::claim_granted() {
  if (abandoned_) return shared_->let_go(claimed_);
  in_flight_ = true;
  io_.submit([self = shared_from_this(), file = std::move(file_)]() mutable {
    if (Result<void> moved = self->move_to_name(file->description); !moved)
      file->error = std::move(moved).error();
    SnapshotFileWriter& writer = *self;
    writer.post_([self = std::move(self), file = std::move(file)]() mutable {
      self->in_flight_ = false;
      if (!self->abandoned_) return self->ended(std::move(file));
      self->shared_->let_go(self->claimed_);
      self->discard(nullptr);
    });
  });
}

/// The bytes are durable under the temporary name, which is free again afterwards.
Result<void> SnapshotFileWriter::move_to_name(const StateFile& file) {
  const std::string temporary = join_path(directory_, name_);
  const std::string path = join_path(directory_, claimed_);
  SR_CRASH("cp.shared.before-rename");
  const Result<bool> moved = file_system_->rename_no_replace(temporary, path);
  if (moved && *moved) return {};
  // If this fails, the file goes when the next run starts, or this one ends.
  static_cast<void>(file_system_->remove_file(temporary));
  if (!moved) return moved.error();
  return check_same_bytes(path, file);
}

/// What has the name was made durable before it got it, as here.
Result<void> SnapshotFileWriter::check_same_bytes(const std::string& path, const StateFile& file) {
  const std::unique_ptr<ReadableFile> found = SR_TRY(file_system_->open_no_follow(path));
  Xxh3Stream hash;
  StateBytes block;
  std::uint64_t offset = 0;
  while (offset < found->size()) {
    block.clear();
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(kChecksumBlock, found->size() - offset));
    char* const into = block.extend(length);
    const std::size_t count = SR_TRY(found->read_at(offset, into, length));
    if (count == 0) break;
    hash.update({into, count});
    offset += count;
  }
  if (offset == file.length && hash.hex() == file.xxh3) return {};
  return Error{.code = ErrorCode::state_corrupt,
               .message = "a file that checkpoints share does not have the bytes of its name",
               .where = path,
               .why = std::to_string(offset) + " bytes with xxh3 " + hash.hex()};
}

}  // namespace streamrun
