#include "part_stream.h"

#include <streamrun/base/crash_point.h>

#include <utility>

namespace streamrun {

PartStream::PartStream(FileSystem& store, std::string folder, PartName next)
    : store_(store), folder_(std::move(folder)), next_(std::move(next)) {}

Result<void> PartStream::append(std::string_view text) {
  if (file_ == nullptr) {
    finished_name_ = finished_name_of(next_);
    file_ = SR_TRY(store_.create(join_path(folder_, hidden_name_of(finished_name_))));
    ++next_.number;
    length_ = 0;
    xxh3_ = Xxh3Stream();
  }
  SR_TRY(file_->append(text));
  length_ += text.size();
  xxh3_.update(text);
  return {};
}

Result<std::vector<std::string>> PartStream::finish() {
  if (file_ == nullptr) return std::vector<std::string>();
  SR_CRASH("sink.precommit.before");
  SR_TRY(file_->sync());
  SR_TRY(file_->close());
  // A file whose name is lost is lost, however durable its bytes are.
  SR_TRY(store_.sync_directory(folder_));
  file_.reset();
  SR_CRASH("sink.precommit.after");
  return std::vector<std::string>{encode_committable({.folder = folder_,
                                                      .finished_name = finished_name_,
                                                      .length = length_,
                                                      .xxh3 = xxh3_.hex()})};
}

}  // namespace streamrun
