#include "s3_xml.h"

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("s3 xml: a listing, with keys in either encoding", "[s3]") {
  const std::string plain =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true"
      "</IsTruncated><Contents><Key>a/b+%41 &amp; c</Key><LastModified>2015-08-30T12:36:00.000Z"
      "</LastModified><ETag>&quot;x&quot;</ETag><Size>5</Size></Contents><CommonPrefixes><Prefix>"
      "a/d/</Prefix></CommonPrefixes><NextContinuationToken>t=1</NextContinuationToken>";
  const S3Listing listing = parse_listing(plain + "</ListBucketResult>").value();
  REQUIRE(listing.objects.size() == 1);
  CHECK(listing.objects[0].key == "a/b+%41 & c");
  CHECK(listing.objects[0].size == 5);
  CHECK(listing.objects[0].modified_unix_milliseconds == 1'440'938'160'000);
  CHECK(listing.common_prefixes == std::vector<std::string>{"a/d/"});
  CHECK(listing.next_token == "t=1");
  const S3Listing encoded =
      parse_listing(plain + "<EncodingType>url</EncodingType></ListBucketResult>").value();
  CHECK(encoded.objects[0].key == "a/b A & c");
}

TEST_CASE("s3 xml: what is no listing is an answer that makes no sense", "[s3]") {
  const std::string begin = "<ListBucketResult>";
  for (const std::string& bad :
       {std::string(), std::string("<html><body>\x01Login</body></html>"), begin,
        begin + "<Contents><Key>a</Key></Contents></ListBucketResult>",
        begin + "<Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        begin + "<Contents><Key>a</Key><Size>99999999999999999999</Size></Contents>"
                "</ListBucketResult>",
        begin + "<Contents><Key></Key><Size>1</Size></Contents></ListBucketResult>",
        begin + "<IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    const Result<S3Listing> parsed = parse_listing(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::unavailable);
    CHECK(parsed.error().why.size() <= 200);
  }
  CHECK(parse_listing("<html>\x01</html>").error().why == "<html>?</html>");
  CHECK(parse_listing(std::string(100'000, '<')).error().why.size() == 200);
}

TEST_CASE("s3 xml: cut or changed anywhere, an answer is harmless", "[s3]") {
  const std::string whole =
      "<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK_FALSE(parse_listing(whole.substr(0, i)));
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x41);
    static_cast<void>(parse_listing(flipped).has_value());
    static_cast<void>(parse_complaint(flipped).has_value());
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK_FALSE(parse_listing(deep));
}

TEST_CASE("s3 xml: uploads, copies and complaints", "[s3]") {
  CHECK(parse_upload_id("<InitiateMultipartUploadResult><UploadId>a/b=</UploadId>"
                        "</InitiateMultipartUploadResult>")
            .value() == "a/b=");
  CHECK_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  CHECK(parse_etag("<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>").value() ==
        "\"e\"");
  CHECK_FALSE(parse_etag("<Error><Code>InternalError</Code></Error>"));
  CHECK_FALSE(parse_complaint("<html><Error><Code>SlowDown</Code></Error></html>"));
  CHECK(parse_complaint("<Error><Code>SlowDown</Code><Message>less</Message></Error>")->message ==
        "less");
  CHECK(complete_upload_body({"\"a\"", "b"}) ==
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part><Part>"
        "<PartNumber>2</PartNumber><ETag>b</ETag></Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace streamrun
