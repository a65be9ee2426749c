#include "s3_writer.h"

#include <algorithm>
#include <utility>

#include "multipart_upload.h"

namespace streamrun {
namespace {

Error name_is_taken(const S3Place& place) {
  return {.code = ErrorCode::store_io,
          .message = "cannot create the file: it exists",
          .where = place.path,
          .why = "File exists",
          .retry = Retry::no};
}

class S3Writer final : public WritableFile {
 public:
  S3Writer(S3Objects& objects, TransferBudget& budget, S3Place place)
      : objects_(objects), budget_(budget), place_(std::move(place)) {}

  Result<void> append(std::string_view bytes) override {
    if (outcome_) return *outcome_;
    Result<void> taken = take(bytes);
    if (taken) return taken;
    outcome_ = taken;  // a part is missing: no later call may make a file of the others
    upload_.reset();
    return taken;
  }

  Result<void> sync() override {
    if (outcome_) return *outcome_;
    outcome_ = finish();
    upload_.reset();
    return *outcome_;
  }

  Result<void> close() override { return sync(); }

 private:
  Result<void> take(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part_bytes = part_bytes_of(objects_.client().settings(), parts_sent_);
      // A part goes only when more follows it, so that a file of just one needs no upload.
      if (buffer_.size() >= part_bytes) SR_TRY(send_part());
      // Doubled on and on, it would take up to twice what it holds.
      if (buffer_.size() > part_bytes / 4) buffer_.reserve(part_bytes);
      const std::size_t count = std::min(bytes.size(), part_bytes - buffer_.size());
      buffer_ += bytes.substr(0, count);
      bytes.remove_prefix(count);
    }
    return {};
  }

  Result<void> send_part() {
    if (upload_ == nullptr) upload_ = SR_TRY(MultipartUpload::begin(objects_, budget_, place_));
    SR_TRY(upload_->send(std::exchange(buffer_, {})));
    ++parts_sent_;
    buffer_ = upload_->take_spare();
    return {};
  }

  Result<void> finish() {
    if (upload_ == nullptr) {
      if (SR_TRY(objects_.put_new(place_, std::exchange(buffer_, {})))) return {};
      return name_is_taken(place_);
    }
    if (!buffer_.empty()) SR_TRY(send_part());
    if (SR_TRY(upload_->complete())) return {};
    return name_is_taken(place_);
  }

  S3Objects& objects_;
  TransferBudget& budget_;
  const S3Place place_;
  std::string buffer_;
  std::size_t parts_sent_ = 0;
  std::unique_ptr<MultipartUpload> upload_;  ///< of a file longer than one part
  std::optional<Result<void>> outcome_;      ///< of `sync`
};

}  // namespace

std::unique_ptr<WritableFile> create_s3_object(S3Objects& objects, TransferBudget& budget,
                                               S3Place place) {
  return std::make_unique<S3Writer>(objects, budget, std::move(place));
}

}  // namespace streamrun
