#include "file_enumerator.h"

#include <streamrun/base/bytes.h>

#include <utility>

#include "file_split.h"
#include "input_file.h"

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;

Error damaged() {
  return {.code = ErrorCode::state_corrupt,
          .message =
              "the list of input files that were not read yet is damaged, or of an unknown version",
          .retry = Retry::no};
}

Error did_not_watch() {
  return {.code = ErrorCode::job_mismatch,
          .message = "a file source that did not watch its folders can't begin to on a restore",
          .why = "which files it has read is not in the snapshot, so they would all be read again",
          .retry = Retry::no};
}

}  // namespace

FileEnumerator::FileEnumerator(Settings settings) : settings_(std::move(settings)) {}

void FileEnumerator::start(Context context, const std::string& restored,
                           std::vector<std::string> unread) {
  context_ = std::make_unique<Context>(std::move(context));
  splits_.assign(std::make_move_iterator(unread.begin()), std::make_move_iterator(unread.end()));
  const Result<void> done = restore(restored);
  if (!done) return context_->fail(done.error());
  if (!listed_ || settings_.watch) look_for_files();
}

Result<void> FileEnumerator::restore(const std::string& bytes) {
  if (bytes.empty()) return {};
  ByteReader in(bytes);
  if (in.u8() != kVersion) return damaged();
  listed_ = in.u8() != 0;
  const bool watched = in.u8() != 0;
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left)
    processed_.emplace(in.text());
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::string_view split = in.text();
    if (!in.failed()) splits_.emplace_back(split);
  }
  if (!in.done()) return damaged();
  if (settings_.watch && listed_ && !watched) return did_not_watch();
  // What came while nobody watched belongs to the input that now ends.
  last_look_ = watched && !settings_.watch;
  listed_ = listed_ && !last_look_;
  return {};
}

std::string FileEnumerator::snapshot() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.u8(listed_ ? 1 : 0);
  out.u8(remembers() ? 1 : 0);
  out.varint(processed_.size());
  for (const std::string& path : processed_) out.text(path);
  out.varint(splits_.size());
  for (const std::string& split : splits_) out.text(split);
  return bytes;
}

Result<std::vector<InputPath>> FileEnumerator::input_paths(
    const FileSystems& stores, const std::string& working_directory) const {
  std::vector<InputPath> paths;
  for (const std::string& text : settings_.paths) {
    Place place = SR_TRY(stores.place(text, working_directory));
    const bool was_read = processed_.count(place.path) > 0;
    paths.push_back({.place = std::move(place), .may_be_gone = was_read});
  }
  return paths;
}

void FileEnumerator::look_for_files() {
  next_listing_.reset();
  listing_ = true;
  Result<std::vector<InputPath>> paths =
      input_paths(context_->file_systems, context_->working_directory);
  if (!paths) return context_->fail(std::move(paths).error());
  context_->environment.io.submit([this, alive = std::weak_ptr<const bool>(alive_),
                                   post = context_->post, may_be_empty = remembers(),
                                   paths = *std::move(paths)] {
    // `this` is used on the JobMaster's thread only, where it can be told whether it still exists.
    post([this, alive, listing = list_input(paths, may_be_empty)]() mutable {
      if (!alive.expired()) add_files(std::move(listing));
    });
  });
}

Result<void> FileEnumerator::check_input(const FileSystems& stores,
                                         const std::string& working_directory,
                                         const std::string& restored,
                                         const std::vector<std::string>& unread) {
  SR_TRY(restore(restored));
  splits_.insert(splits_.end(), unread.begin(), unread.end());
  for (const std::string& split : splits_) {
    SR_TRY(open_input(stores, SR_TRY(decode_split(split))));
  }
  if (listed_ && !settings_.watch) return {};
  const InputListing listing = SR_TRY(
      list_input(SR_TRY(input_paths(stores, working_directory)), /*may_be_empty=*/remembers()));
  for (const FileStatus& file : listing.files) {
    for (const FileSplit& split : cut_into_splits(file, settings_.split_bytes)) {
      SR_TRY(open_input(stores, split));
      break;  // the others are of the same file
    }
  }
  return {};
}

void FileEnumerator::add_files(Result<InputListing> listing) {
  listing_ = false;
  if (!listing) return context_->fail(std::move(listing).error());
  for (const FileStatus& file : listing->files) add_file(file);
  if (settings_.watch) {
    for (std::string& path : listing->other_names) processed_.insert(std::move(path));
    next_listing_ = context_->environment.clock.now() + settings_.watch_interval;
  }
  listed_ = true;
  last_look_ = false;
  serve();
}

void FileEnumerator::add_file(const FileStatus& file) {
  if (remembers() && !processed_.insert(file.path).second) return;
  for (const FileSplit& split : cut_into_splits(file, settings_.split_bytes)) {
    splits_.push_back(encode_split(split));
  }
}

void FileEnumerator::handle_request(int subtask) {
  waiting_.push_back(subtask);
  serve();
}

void FileEnumerator::on_time() {
  const bool due = next_listing_ && *next_listing_ <= context_->environment.clock.now();
  if (due && !listing_) look_for_files();
}

void FileEnumerator::serve() {
  while (!waiting_.empty() && !splits_.empty()) {
    const int subtask = waiting_.front();
    waiting_.pop_front();
    std::string split = std::move(splits_.front());
    splits_.pop_front();
    context_->assign(subtask, std::move(split));
  }
  if (settings_.watch || !listed_) return;
  while (!waiting_.empty()) {
    const int subtask = waiting_.front();
    waiting_.pop_front();
    context_->no_more_splits(subtask);
  }
}

}  // namespace streamrun
