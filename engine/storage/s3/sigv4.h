#pragma once

#include <streamrun/platform/transport.h>
#include <streamrun/storage/s3/s3_settings.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// AWS Signature Version 4, as in Amazon's "Create a signed AWS API request": pure functions of
// request, credentials and time.

namespace streamrun {

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

/// What is signed of a request.
struct SignedRequest {
  std::string_view method;
  std::string_view path;         ///< as it is sent: percent-encoded, from its first slash
  const QueryParameters& query;  ///< not encoded, in any order
  const HttpHeaders& headers;    ///< all that are signed; `host` and `x-amz-date` among them
  std::string_view payload_sha256;
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
};

/// The value of the header `Authorization`. `unix_milliseconds` is the time in `x-amz-date`.
std::string authorization_of(const SignedRequest& request, const S3Credentials& credentials,
                             const SigningScope& scope, std::int64_t unix_milliseconds);

/// `20150830T123600Z`.
std::string amz_date(std::int64_t unix_milliseconds);
/// 64 hex digits.
std::string sha256_hex(std::string_view bytes);
/// Everything but letters, digits and `-._~` as `%XX`; slashes stay where `keep_slashes`.
std::string percent_encoded(std::string_view text, bool keep_slashes);
/// `a=1&b=`, encoded and sorted.
std::string query_text(const QueryParameters& query);

}  // namespace streamrun
