#include <streamrun/connectors/file/part_writer.h>

#include <utility>

#include "part_commit.h"
#include "part_name.h"
#include "part_stream.h"

namespace streamrun {
namespace {

/// Creates the folder and those above it, durably.
Result<void> create_folder(FileSystem& store, const std::string& folder) {
  if (!SR_TRY(store.exists(folder))) SR_TRY(store.create_directories(folder));
  const FileStatus status = SR_TRY(store.status(folder));
  if (status.kind != FileKind::directory) {
    return Error{.code = ErrorCode::path,
                 .message = "the output is not a folder",
                 .where = folder,
                 .retry = Retry::no};
  }
  // Also if it was there: another subtask may have created it just now.
  return store.sync_directory(parent_path(folder));
}

Result<void> try_to_write(FileSystem& store, const std::string& hidden_path) {
  const std::unique_ptr<WritableFile> file = SR_TRY(store.create(hidden_path));
  SR_TRY(file->close());
  SR_TRY(store.remove_file(hidden_path));
  return {};
}

}  // namespace

PartWriter::PartWriter(std::string folder) : folder_text_(std::move(folder)) {}
PartWriter::~PartWriter() = default;

void PartWriter::set_restored_committables(std::vector<std::string> committables) {
  restored_ = std::move(committables);
}

void PartWriter::open(const OperatorContext& context) {
  context_ = &context;
  const Location location = value_or_throw(parse_location(folder_text_, context.working_directory));
  FileSystem* const store = value_or_throw(context.file_systems.of_scheme(location.scheme));
  folder_ = location.path;
  value_or_throw(create_folder(*store, folder_));
  const PartName first = {.job_id = to_string(context.job_id),
                          .operator_prefix = operator_prefix_of(context.operator_id),
                          .subtask = static_cast<std::uint64_t>(context.subtask),
                          .attempt = context.attempt,
                          .number = 0};
  value_or_throw(try_to_write(*store, join_path(folder_, hidden_name_of(finished_name_of(first)))));
  stream_ = std::make_unique<PartStream>(*store, folder_, first);
}

void PartWriter::throw_if_failed() const {
  if (failure_) throw_error(*failure_);
}

void PartWriter::hand_over() {
  part_has_text_ = true;
  ++buffers_in_flight_;
  queue_.push_back({.text = std::exchange(buffer_, std::string()), .end_of_part = {}});
  if (!free_buffers_.empty()) {
    buffer_ = std::move(free_buffers_.back());
    free_buffers_.pop_back();
  }
  submit_if_idle();
}

void PartWriter::prepare(Prepared prepared) {
  if (failure_) return prepared(*failure_);
  if (!buffer_.empty()) hand_over();
  const bool is_idle = stream_ != nullptr && queue_.empty();
  if (is_idle && !part_has_text_) return prepared(std::vector<std::string>());
  // An empty part too waits for its turn: whoever hears of it takes all earlier ones for prepared.
  part_has_text_ = false;
  queue_.push_back({.text = {}, .end_of_part = std::move(prepared)});
  submit_if_idle();
}

void PartWriter::submit_if_idle() {
  if (stream_ == nullptr || queue_.empty()) return;
  Work work;
  work.stream = std::move(stream_);
  work.steps = std::exchange(queue_, {});
  context_->environment.io.submit([this, work = std::move(work), post = context_->post]() mutable {
    perform(work);
    // The writer may be gone by now; then the mail does nothing, so only the mail uses `this`.
    post([this, done = std::move(work)]() mutable { take_back(std::move(done)); });
  });
}

void PartWriter::perform(Work& work) {
  for (Step& step : work.steps) {
    if (step.end_of_part) {
      work.ends.push_back(work.failure ? *work.failure : work.stream->finish());
      if (!work.failure && !work.ends.back()) work.failure = work.ends.back().error();
    } else if (!work.failure) {
      const Result<void> written = work.stream->append(step.text);
      if (!written) work.failure = written.error();
    }
  }
}

void PartWriter::take_back(Work work) {
  stream_ = std::move(work.stream);
  if (work.failure && !failure_) failure_ = std::move(work.failure);
  auto end = work.ends.begin();
  for (Step& step : work.steps) {
    if (step.end_of_part) {
      step.end_of_part(std::move(*end++));
    } else {
      --buffers_in_flight_;
      step.text.clear();
      if (free_buffers_.size() < kBuffersInFlight) free_buffers_.push_back(std::move(step.text));
    }
  }
  if (!failure_) return submit_if_idle();
  for (Step& step : std::exchange(queue_, {})) {
    if (step.end_of_part) step.end_of_part(*failure_);
  }
  // Now, though the next record may be long in coming: no snapshot can be taken any more.
  throw_if_failed();
}

Result<void> PartWriter::commit(const std::vector<std::string>& committables) const {
  return commit_parts(context_->file_systems, committables);
}

Result<void> PartWriter::remove_leftovers() const {
  return remove_part_leftovers(*context_, folder_text_, restored_);
}

}  // namespace streamrun
