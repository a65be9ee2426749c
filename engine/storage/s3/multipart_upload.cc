#include "multipart_upload.h"

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

constexpr std::size_t kMostParts = 10'000;
/// Parts double after so many: of 8 MiB at first, all of them are 496 GiB.
constexpr std::size_t kPartsOfOneSize = 2000;

}  // namespace

std::size_t part_bytes_of(const S3Settings& settings, std::size_t number) {
  return std::max(settings.part_bytes, settings.least_part_bytes) << number / kPartsOfOneSize;
}

Result<std::unique_ptr<MultipartUpload>> MultipartUpload::begin(S3Objects& objects,
                                                                TransferBudget& budget,
                                                                const S3Place& place) {
  std::string attempt = objects.client().random().uuid();
  S3Request request{.what = "begin an upload",
                    .where = place.path,
                    .method = "POST",
                    .bucket = place.bucket,
                    .key = place.key,
                    .query = {{"uploads", ""}},
                    .headers = {{std::string(kAttemptHeader), attempt}}};
  // Of an attempt whose reply is lost an upload without parts stays, which nobody sees.
  std::string id = SR_TRY(objects.client().repeat([&]() -> Result<std::string> {
    const HttpResponse response = SR_TRY(objects.client().attempt(request));
    Result<std::string> parsed = parse_upload_id(response.body);
    if (!parsed) return objects.client().error_of(response, request);
    return parsed;
  }));
  return std::unique_ptr<MultipartUpload>(
      new MultipartUpload(objects, budget, place, std::move(id), std::move(attempt)));
}

MultipartUpload::~MultipartUpload() {
  if (is_complete_) return;
  on_their_way_.clear();
  S3Request request = request_of("abort the upload", "DELETE");
  // What stays is invisible, and the bucket's to remove.
  static_cast<void>(objects_.client().once(request).has_value());
}

S3Request MultipartUpload::request_of(std::string what, std::string method) const {
  return {.what = std::move(what),
          .where = place_.path,
          .method = std::move(method),
          .bucket = place_.bucket,
          .key = place_.key,
          .query = {{"uploadId", id_}}};
}

Result<void> MultipartUpload::send(std::string bytes) {
  const std::size_t number = etags_.size();
  if (number == kMostParts) {
    return Error{.code = ErrorCode::store_full,
                 .message = "the file is larger than S3 takes in 10,000 parts",
                 .where = place_.path,
                 .retry = Retry::no};
  }
  etags_.emplace_back();
  length_ += bytes.size();
  S3Request request = request_of("write a part of the object", "PUT");
  request.query.emplace_back("partNumber", std::to_string(number + 1));
  const std::size_t most =
      std::max<std::size_t>(objects_.client().settings().most_parts_at_once, 1);
  while (on_their_way_.size() >= most) SR_TRY(finish_first());
  const std::size_t memory = bytes.size();
  request.body = std::move(bytes);
  TransferBudget::Lease lease = budget_.try_take(memory);
  while (!lease && !on_their_way_.empty()) {
    SR_TRY(finish_first());
    lease = budget_.try_take(memory);
  }
  if (!lease) return send_now(number, request);
  std::unique_ptr<HttpExchange> exchange = objects_.client().start(request);
  on_their_way_.push_back({.number = number,
                           .request = std::move(request),
                           .exchange = std::move(exchange),
                           .lease = std::move(lease)});
  return {};
}

std::string MultipartUpload::take_spare() {
  std::string spare = std::exchange(spare_, {});
  spare.clear();
  return spare;
}

Result<void> MultipartUpload::send_now(std::size_t number, S3Request& request) {
  // A part has one number and one content, so it can be sent as often as need be.
  S3Client& client = objects_.client();
  etags_[number] =
      SR_TRY(client.repeat_until(client.deadline_of(request), [&]() -> Result<std::string> {
        return etag_of(client.attempt(request), request);
      }));
  return {};
}

Result<void> MultipartUpload::finish_first() {
  Sent sent = std::move(on_their_way_.front());
  on_their_way_.pop_front();
  Result<std::string> etag =
      etag_of(objects_.client().finish(*sent.exchange, sent.request), sent.request);
  sent.exchange.reset();
  if (etag) {
    etags_[sent.number] = *std::move(etag);
    spare_ = std::move(sent.request.body);
    return {};
  }
  // It may have been refused for our clock, which only a single exchange corrects.
  const bool may_pass =
      etag.error().code == ErrorCode::unavailable || etag.error().code == ErrorCode::permission;
  if (!may_pass) return etag.error();
  return send_now(sent.number, sent.request);
}

Result<std::string> MultipartUpload::etag_of(const Result<HttpResponse>& answer,
                                             const S3Request& request) const {
  if (!answer) return answer.error();
  SR_TRY(check_has_etag(*answer, objects_.client(), request));
  return header_of(*answer, "etag");
}

Result<bool> MultipartUpload::complete() {
  while (!on_their_way_.empty()) SR_TRY(finish_first());
  const ConditionalPut::IsOurs is_ours = objects_.is_of_attempt(place_, attempt_, length_);
  // Some stores keep the condition for a PUT and not here. Between this look and the next step
  // another may take the name, which nobody gives to two files as large as this.
  if (SR_TRY(objects_.client().repeat(is_ours))) return false;
  S3Request request = request_of("complete the upload", "POST");
  request.headers = {{"content-type", "application/xml"}};
  request.body = complete_upload_body(etags_);
  request.copied_bytes = length_;
  // This answer may be an error with status 200: S3 begins it before it is done.
  const auto check = [this, &request](const HttpResponse& response) -> Result<void> {
    if (parse_etag(response.body)) return {};
    return objects_.client().error_of(response, request);
  };
  is_complete_ = SR_TRY(objects_.puts().send(request, check, is_ours));
  return is_complete_;
}

}  // namespace streamrun
