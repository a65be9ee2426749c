// What an object store answers, as the client of S3 takes it apart.
#include "storage/s3/s3_xml.h"

#include <string>

#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace streamrun;
  const std::string body(fuzz::text_of(data, size));
  const auto listing = parse_listing(body);
  const auto upload = parse_upload_id(body);
  const auto etag = parse_etag(body);
  const auto complaint = parse_complaint(body);
  fuzz::require(static_cast<int>(listing.has_value()) + static_cast<int>(upload.has_value()) +
                        static_cast<int>(etag.has_value()) <=
                    1,
                "a body is one answer");
  fuzz::require(!complaint || (!listing && !upload && !etag), "a complaint is no answer");
  if (upload) fuzz::require(!upload->empty(), "an upload has an id");
  if (etag) fuzz::require(!etag->empty(), "an object has an ETag");
  for (const auto* const refused :
       {listing ? nullptr : &listing.error(), etag ? nullptr : &etag.error()}) {
    if (refused == nullptr) continue;
    fuzz::require(refused->code == ErrorCode::unavailable, "nonsense is E-UNAVAILABLE");
    fuzz::require(refused->why.size() <= 1000, "with its first bytes only");
  }
  return 0;
}
