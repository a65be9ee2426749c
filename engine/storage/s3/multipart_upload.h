#pragma once

#include <streamrun/base/result.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "s3_objects.h"
#include "transfer_budget.h"

namespace streamrun {

/// One multipart upload, from its beginning to its completion or abort. Owned by one thread at a
/// time. Destroyed before `complete` has succeeded it is aborted, as far as that can be had.
class MultipartUpload {
 public:
  static Result<std::unique_ptr<MultipartUpload>> begin(S3Objects& objects, TransferBudget& budget,
                                                        const S3Place& place);
  ~MultipartUpload();
  MultipartUpload(const MultipartUpload&) = delete;
  MultipartUpload& operator=(const MultipartUpload&) = delete;

  /// Sends the next part: returns while it is on its way if there is memory for that.
  Result<void> send(std::string bytes);
  /// Empty memory for a part: of one that was sent, if there is any.
  std::string take_spare();
  /// Waits for all parts and makes the object of them; false if the name is taken.
  Result<bool> complete();

 private:
  struct Sent {
    std::size_t number = 0;  ///< from 0
    S3Request request;
    std::unique_ptr<HttpExchange> exchange;
    TransferBudget::Lease lease;
  };

  MultipartUpload(S3Objects& objects, TransferBudget& budget, S3Place place, std::string id,
                  std::string attempt)
      : objects_(objects),
        budget_(budget),
        place_(std::move(place)),
        id_(std::move(id)),
        attempt_(std::move(attempt)) {}

  S3Request request_of(std::string what, std::string method) const;
  /// Waits for the part that was sent first, and sends it again if it failed.
  Result<void> finish_first();
  Result<void> send_now(std::size_t number, S3Request& request);
  Result<std::string> etag_of(const Result<HttpResponse>& answer, const S3Request& request) const;

  S3Objects& objects_;
  TransferBudget& budget_;
  const S3Place place_;
  const std::string id_;
  const std::string attempt_;
  std::vector<std::string> etags_;
  std::uint64_t length_ = 0;
  std::deque<Sent> on_their_way_;
  std::string spare_;
  bool is_complete_ = false;
};

/// How large part `number` (from 0) is: 10,000 parts are the most that S3 takes.
std::size_t part_bytes_of(const S3Settings& settings, std::size_t number);

}  // namespace streamrun
