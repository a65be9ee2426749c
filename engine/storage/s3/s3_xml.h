#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The XML that S3 answers with ("Amazon S3 API Reference", 2006-03-01). Bytes from outside: none
// is trusted, and what can't be read is E-UNAVAILABLE with its first bytes, as for any server that
// talks nonsense.

namespace streamrun {

struct S3ListedObject {
  std::string key;
  std::uint64_t size = 0;
  std::int64_t modified_unix_milliseconds = 0;
};

/// One page of `ListBucketResult` (ListObjectsV2).
struct S3Listing {
  std::vector<S3ListedObject> objects;
  std::vector<std::string> common_prefixes;  ///< with the slash at their end
  std::string next_token;                    ///< empty: this is the last page
};

/// `Error`, also where a response with status 200 holds one.
struct S3Complaint {
  std::string code;
  std::string message;
  std::string region;  ///< of the bucket, where that is what is wrong
};

Result<S3Listing> parse_listing(const std::string& body);
/// The upload's id in `InitiateMultipartUploadResult`.
Result<std::string> parse_upload_id(const std::string& body);
/// The ETag in `CopyObjectResult`, `CopyPartResult` or `CompleteMultipartUploadResult`: not all
/// stores keep these names apart.
Result<std::string> parse_etag(const std::string& body);
/// Nothing if the body is none.
std::optional<S3Complaint> parse_complaint(const std::string& body);

/// The body of `CompleteMultipartUpload`, from the ETags of parts 1, 2, …
std::string complete_upload_body(const std::vector<std::string>& etags);

/// A number in decimal digits and nothing else.
std::optional<std::uint64_t> parse_s3_number(const std::string& text);

}  // namespace streamrun
