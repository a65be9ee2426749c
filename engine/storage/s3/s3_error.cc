#include "s3_error.h"

#include <streamrun/base/strings.h>
#include <streamrun/platform/first_bytes.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "s3_client.h"
#include "s3_xml.h"

namespace streamrun {
namespace {

/// S3's codes that say more than the status does ("Error responses" in its API reference, and those
/// of other stores).
struct KnownCode {
  std::string_view text;
  ErrorCode code;
};
constexpr std::array kKnownCodes = {
    KnownCode{"QuotaExceeded", ErrorCode::store_full},
    KnownCode{"EntityTooLarge", ErrorCode::store_full},
    KnownCode{"ServiceQuotaExceeded", ErrorCode::store_full},
    KnownCode{"XMinioStorageFull", ErrorCode::store_full},
    KnownCode{"XMinioAdminBucketQuotaExceeded", ErrorCode::store_full},
    KnownCode{"InternalError", ErrorCode::unavailable},
    KnownCode{"SlowDown", ErrorCode::unavailable},
    KnownCode{"ServiceUnavailable", ErrorCode::unavailable},
    KnownCode{"RequestTimeout", ErrorCode::unavailable},
    KnownCode{"OperationAborted", ErrorCode::unavailable},
    KnownCode{"ConditionalRequestConflict", ErrorCode::unavailable},
    KnownCode{"BadDigest", ErrorCode::unavailable},  // damaged on its way: sent again
    KnownCode{"XAmzContentSHA256Mismatch", ErrorCode::unavailable},
    KnownCode{"NotImplemented", ErrorCode::store_io},
};

ErrorCode code_of_status(int status) {
  if (status == 401 || status == 403) return ErrorCode::permission;
  if (status == 404) return ErrorCode::path;
  if (status == 507) return ErrorCode::store_full;
  if (status == 408 || status == 409 || status == 429 || status / 100 == 5)
    return ErrorCode::unavailable;
  return ErrorCode::store_io;
}

ErrorCode code_of(int status, const std::string& text) {
  const auto* const known =
      std::find_if(kKnownCodes.begin(), kKnownCodes.end(),
                   [&text](const KnownCode& candidate) { return candidate.text == text; });
  if (known != kKnownCodes.end()) return known->code;
  // An error inside of a success is one of the server's.
  return status / 100 == 2 ? ErrorCode::unavailable : code_of_status(status);
}

Error not_from_s3(const HttpResponse& response, const S3Asked& asked) {
  return {.code = ErrorCode::unavailable,
          .message = fmt::format("cannot {}: {} answered {} and no text of S3", asked.what,
                                 asked.host, response.status),
          .where = asked.where,
          .why = first_bytes(response.body)};
}

Error elsewhere(const std::string& region, const S3Asked& asked) {
  Error error{
      .code = ErrorCode::config,
      .message = fmt::format("the bucket {} is not in region {}", asked.bucket, asked.region),
      .where = asked.where,
      .retry = Retry::no};
  if (region.empty()) return error;
  error.message += ", but in " + region;
  error.tries = {"s3.region: " + region};
  return error;
}

Error no_bucket(const S3Asked& asked) {
  return {.code = ErrorCode::path,
          .message = fmt::format("there is no bucket {} at {}", asked.bucket, asked.host),
          .where = asked.where,
          .retry = Retry::no};
}

bool means_expired(const S3Complaint& complaint) {
  return complaint.code == "ExpiredToken" || complaint.code == "InvalidToken" ||
         complaint.code == "TokenRefreshRequired";
}

Error expired(const S3Complaint& complaint, const S3Asked& asked) {
  return {.code = ErrorCode::permission,
          .message = fmt::format("cannot {}: the temporary credentials have expired or are no "
                                 "longer valid; renew them and restart the run with the new ones",
                                 asked.what),
          .where = asked.where,
          .why = complaint.code,
          .retry = Retry::no};
}

}  // namespace

Error s3_error(const HttpResponse& response, const S3Asked& asked) {
  const std::string header_region = header_of(response, "x-amz-bucket-region");
  const bool is_redirect = response.status / 100 == 3;
  const auto complaint = parse_complaint(response.body);
  if (is_redirect && (complaint || !header_region.empty())) {
    return elsewhere(header_region.empty() && complaint ? complaint->region : header_region, asked);
  }
  if (!complaint && (asked.method != "HEAD" || is_redirect)) return not_from_s3(response, asked);
  const S3Complaint said = complaint.value_or(S3Complaint{});
  if (said.code == "AuthorizationHeaderMalformed" && !said.region.empty())
    return elsewhere(said.region, asked);
  if (said.code == "NoSuchBucket") return no_bucket(asked);

  if (means_expired(said)) return expired(said, asked);

  const ErrorCode code = code_of(response.status, said.code);
  std::string message = fmt::format("cannot {}", asked.what);
  if (code == ErrorCode::unavailable) message += fmt::format(": {} is in trouble", asked.host);
  std::string why = fmt::format("{} {}", response.status, said.code);
  if (!said.message.empty()) why += ": " + first_bytes(said.message);
  return {.code = code,
          .message = std::move(message),
          .where = asked.where,
          .why = std::string(trim(why)),
          .retry = code == ErrorCode::permission ? Retry::no : Retry::yes};
}

}  // namespace streamrun
