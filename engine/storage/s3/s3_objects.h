#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conditional_put.h"
#include "s3_client.h"
#include "s3_xml.h"

namespace streamrun {

/// One object's place, and the path that errors name.
struct S3Place {
  std::string bucket;
  std::string key;
  std::string path;
};

struct S3ObjectInfo {
  std::uint64_t size = 0;
  std::int64_t modified_unix_milliseconds = 0;
  std::string etag = {};     ///< as it came, in its quotes
  std::string attempt = {};  ///< what wrote it: `kAttemptHeader`, if it was one of ours
};

/// Which attempt wrote an object: after a lost reply it tells our own from another's.
inline constexpr std::string_view kAttemptHeader = "x-amz-meta-streamrun-attempt";

/// What S3 can do with objects, one method an operation, each repeated as the settings say.
/// Thread-safe.
class S3Objects {
 public:
  explicit S3Objects(S3Client& client) : client_(client), puts_(client) {}

  S3Client& client() { return client_; }
  ConditionalPut& puts() { return puts_; }

  /// Nothing if it is not there (or the bucket: only a listing tells these apart).
  Result<std::optional<S3ObjectInfo>> head(const S3Place& place);
  Result<std::optional<S3ObjectInfo>> head_once(const S3Place& place);
  /// E-PATH, naming it, if the bucket is not there.
  Result<void> head_bucket(const S3Place& place);
  /// All pages of what begins with `prefix`, or the first page with at most `most_keys`. What lies
  /// below a further slash is one prefix.
  Result<S3Listing> list(const S3Place& place, const std::string& prefix,
                         std::optional<int> most_keys);
  /// Whether or not it was there.
  Result<void> remove(const S3Place& place);
  /// Writes the object whole if nothing is there; false if something is.
  Result<bool> put_new(const S3Place& place, std::string bytes);
  /// As `put_new`; by its bytes, not its attempt, an object that lies there counts as ours.
  Result<bool> put_new_bytes(const S3Place& place, std::string_view bytes);

  /// By the attempt whether the object that lies there is ours.
  ConditionalPut::IsOurs is_of_attempt(const S3Place& place, std::string attempt,
                                       std::uint64_t size);

 private:
  Result<S3Listing> page(const S3Place& place, const std::string& prefix,
                         std::optional<int> most_keys, const std::string& token);
  Result<S3Listing> page_once(const S3Place& place, const std::string& prefix,
                              std::optional<int> most_keys, const std::string& token);
  /// The answer to a HEAD has no text that would tell S3's from a proxy's: E-UNAVAILABLE unless it
  /// is a 404 of S3's, or a listing says so too.
  Result<void> confirm_absent(const S3Place& place, const HttpResponse& response);
  Result<std::optional<bool>> has_bytes(const S3Place& place, std::string_view bytes);

  S3Client& client_;
  ConditionalPut puts_;
};

/// E-UNAVAILABLE unless the response has what every answer about an object has.
Result<void> check_has_etag(const HttpResponse& response, const S3Client& client,
                            const S3Request& request);

}  // namespace streamrun
