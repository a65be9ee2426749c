#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/s3/s3_settings.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace streamrun::sim {

struct S3Object {
  std::string bytes;
  std::string etag;
  std::map<std::string, std::string> metadata;  ///< `x-amz-meta-…`
  std::int64_t modified = 0;
};

/// A bucket: what it holds, and the uploads that are neither completed nor aborted.
struct S3Bucket {
  struct Upload {
    std::string key;
    std::map<std::string, std::string> metadata;
    std::map<int, S3Object> parts;
  };
  std::map<std::string, S3Object> objects;
  std::map<std::string, Upload> uploads;
};

/// What goes wrong with one request.
enum class S3Fault {
  none,
  slow_down,         ///< 503, and nothing is done
  lost_request,      ///< the connection breaks before anything is done
  lost_reply,        ///< all is done, and the connection breaks
  internal_error,    ///< all is done, and the answer is 500
  error_in_success,  ///< nothing is done, and the answer is 200 with an `Error`
  conflict,          ///< 409, and nothing is done
  half_body,         ///< half of the response's bytes come, as if they were all
  html,              ///< 404 with a page of some proxy
  skewed,            ///< 403, and the server's clock in the header
};

/// A request as a fault sees it.
struct S3Seen {
  std::size_t number = 0;  ///< from 1
  std::string method;
  std::string bucket;
  std::string key;
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// An object store in memory behind the seam of the network, as S3's API reference says and more
/// strict than what stands in for it elsewhere: it looks at every signature, at the hash of the
/// body, at conditions, at the order and size of parts. Bound to one key, one region and one host,
/// by either style of addressing. Thread-safe but for its members that a test sets.
class SimS3 final : public StoreTransport {
 public:
  SimS3(const Clock& clock, S3Credentials credentials, std::string region, std::string host);

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override;
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override;
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override;
  void pause(Duration duration) override { paused += duration; }

  /// What a test sets.
  std::map<std::string, S3Bucket> buckets;
  std::function<S3Fault(const S3Seen&)> fault;
  /// Looked at after a request was done, as another client that acts at the same time.
  std::function<void(const S3Seen&)> after;
  /// Told of each object that is written (also over another one) or, null, removed.
  std::function<void(const std::string& bucket, const std::string& key, const S3Object* object)>
      changed;
  bool enforces_conditions = true;
  bool knows_conditions = true;  ///< otherwise 501, as for any header it does not know
  std::size_t page_keys = 1000;
  std::size_t least_part_bytes = std::size_t{5} << 20U;
  std::int64_t clock_ahead_milliseconds = 0;
  /// LIST answers of so many objects ago: a store without S3's strong consistency.
  bool list_is_stale = false;

  /// What a test looks at.
  std::size_t requests = 0;
  std::vector<std::string> log;  ///< `PUT bucket/key?query`
  Duration paused{};
  std::size_t open_uploads() const;
  std::set<std::string> keys(const std::string& bucket) const;

 private:
  HttpResponse answer(const HttpRequest& request, S3Seen& seen);
  HttpResponse act(const S3Seen& seen);
  std::optional<HttpResponse> refuse(const HttpRequest& request, const S3Seen& seen);
  S3Seen seen_of(const HttpRequest& request);
  std::int64_t now() const { return clock_.unix_milliseconds() + clock_ahead_milliseconds; }

  HttpResponse get(const S3Bucket& bucket, const S3Seen& seen) const;
  HttpResponse put(S3Bucket& bucket, const S3Seen& seen);
  HttpResponse put_part(S3Bucket& bucket, const S3Seen& seen);
  HttpResponse copy(S3Bucket& bucket, const S3Seen& seen);
  HttpResponse begin_upload(S3Bucket& bucket, const S3Seen& seen);
  HttpResponse complete_upload(S3Bucket& bucket, const S3Seen& seen);
  HttpResponse list(const S3Bucket& bucket, const S3Seen& seen) const;
  std::optional<HttpResponse> check_condition(const S3Bucket& bucket, const S3Seen& seen) const;
  void keep(S3Bucket& bucket, const S3Seen& seen, S3Object object);
  S3Object object_of(std::string bytes, std::map<std::string, std::string> metadata);

  const Clock& clock_;
  const S3Credentials credentials_;
  const std::string region_;
  const std::string host_;
  std::mutex mutex_;
  std::map<std::string, S3Bucket> before_;  ///< before the last write, for a listing that is late
  std::size_t versions_ = 0;
  std::size_t upload_ids_ = 0;
};

}  // namespace streamrun::sim
