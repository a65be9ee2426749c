#include "sst_upload.h"

#include <streamrun/base/checksum.h>
#include <streamrun/base/crash_point.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamrun {
namespace {

/// Read and written in one go.
constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 20U;
/// Several, as each waits for the disk at its end.
constexpr std::size_t kAtOnce = 4;

}  // namespace

/// Reads one file, in order. Belongs to the job of its writer that is under way.
struct SstUpload::Source {
  FileSystem& local;
  const std::string path;
  std::unique_ptr<ReadableFile> file = {};
  std::optional<Error> error = {};
  std::uint32_t crc = 0;  ///< of what was read

  Source(FileSystem& files, std::string of) : local(files), path(std::move(of)) {}

  void read(std::uint64_t offset, std::size_t length, StateBytes& into) {
    if (error) return;
    char* const bytes = into.extend(length);
    if (Result<void> done = read_whole(offset, bytes, length); !done) {
      error = std::move(done).error();
      return;
    }
    crc = crc32c({bytes, length}, crc);
    SR_CRASH("cp.sst.upload.mid");
  }
  Result<void> read_whole(std::uint64_t offset, char* into, std::size_t length) {
    if (file == nullptr) file = SR_TRY(local.open_no_follow(path));
    while (length > 0) {
      const std::size_t count = SR_TRY(file->read_at(offset, into, length));
      if (count == 0) {
        return Error{.code = ErrorCode::store_io,
                     .message = "a file of the local database is shorter than it was",
                     .where = path + ", offset " + std::to_string(offset)};
      }
      offset += count;
      into += count;
      length -= count;
    }
    return {};
  }
};

SstUpload::SstUpload(std::shared_ptr<const LiveFiles> live, FileSystem& local,
                     const UploadedFiles& known, KeyedStateBackend::MakeWriter make_writer,
                     Done done)
    : live_(std::move(live)),
      local_(local),
      make_writer_(std::move(make_writer)),
      done_(std::move(done)) {
  for (const LiveFiles::File& file : live_->files()) {
    if (const auto found = known.find(file.number); found != known.end()) {
      uploaded_.insert(*found);
    } else {
      uploads_.push_back({.file = &file, .source = {}, .writer = {}});
    }
  }
}

void SstUpload::advance() {
  // A writer may be done while it is told to finish.
  if (is_advancing_ || is_over_) return;
  is_advancing_ = true;
  for (std::size_t i = 0; i < begun_ && !is_over_; ++i) append(i);
  while (!is_over_ && begun_ < uploads_.size() && begun_ - ended_ < kAtOnce) {
    begin(uploads_[begun_]);
    append(begun_++);
  }
  is_advancing_ = false;
  if (!is_over_ && ended_ == uploads_.size()) end();
}

void SstUpload::begin(Upload& upload) {
  upload.source = std::make_shared<Source>(local_, upload.file->path);
  upload.writer = make_writer_();
}

void SstUpload::append(std::size_t index) {
  Upload& upload = uploads_[index];
  while (!upload.is_closed && !upload.writer->is_behind()) {
    const std::uint64_t offset = upload.appended;
    const std::uint64_t length = std::min(kChunkBytes, upload.file->bytes - offset);
    upload.appended += length;
    upload.writer->append(
        upload.writer->take_spare(),
        [source = upload.source, offset, length](StateBytes& bytes, StateBytes&) {
          source->read(offset, static_cast<std::size_t>(length), bytes);
        },
        length);
    if (upload.appended < upload.file->bytes) continue;
    upload.is_closed = true;
    upload.writer->finish([self = shared_from_this(), index](Result<StateHandle> data) {
      self->written(index, std::move(data));
    });
  }
}

void SstUpload::written(std::size_t index, Result<StateHandle> data) {
  ++ended_;
  Upload& upload = uploads_[index];
  // What it has open goes now, not with the last file.
  const std::shared_ptr<Source> source = std::exchange(upload.source, nullptr);
  if (source->error) return give_up(*source->error);
  if (!data) return give_up(data.error());
  if (upload.file->crc32c.value_or(source->crc) != source->crc)
    return give_up(live_->note_damaged(*upload.file));
  uploaded_.emplace(upload.file->number, *std::move(data));
  advance();
}

void SstUpload::end() {
  is_over_ = true;
  std::exchange(done_, {})(std::move(uploaded_));
}

void SstUpload::forget() {
  is_over_ = true;
  done_ = {};
  uploads_.clear();
}

void SstUpload::give_up(const Error& error) {
  if (is_over_) return;
  is_over_ = true;
  auto left = std::make_shared<std::size_t>(begun_ + 1);
  const auto abandoned = [self = shared_from_this(), left, error] {
    if (--*left == 0 && self->done_) std::exchange(self->done_, {})(error);
  };
  for (std::size_t i = 0; i < begun_; ++i) {
    uploads_[i].writer->abandon([abandoned](const Result<StateHandle>&) { abandoned(); });
  }
  abandoned();
}

}  // namespace streamrun
