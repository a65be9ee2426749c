#include "sigv4.h"

#include <string>

#include <catch2/catch.hpp>

#include "s3_date.h"

// The vectors "get-vanilla" and so on are those of Amazon's published test suite of Signature
// Version 4; those with a bucket stand in "Signature Calculations for the Authorization Header" of
// S3's API reference. The last one was worked out by botocore.

namespace streamrun {
namespace {

constexpr std::int64_t kSuiteTime = 1'440'938'160'000;    // 20150830T123600Z
constexpr std::int64_t kExampleTime = 1'369'353'600'000;  // 20130524T000000Z
const std::string kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

S3Credentials suite_credentials() {
  return {.access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
}

std::string signature_in(const std::string& authorization) {
  return authorization.substr(authorization.find("Signature=") + 10);
}

std::string suite_signature(std::string_view method, std::string_view path,
                            const QueryParameters& query, HttpHeaders more = {}) {
  HttpHeaders headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  headers.insert(headers.begin() + 1, more.begin(), more.end());
  return signature_in(authorization_of({.method = method,
                                        .path = path,
                                        .query = query,
                                        .headers = headers,
                                        .payload_sha256 = kEmptyHash},
                                       suite_credentials(),
                                       {.region = "us-east-1", .service = "service"}, kSuiteTime));
}

TEST_CASE("sigv4: the vectors of the published suite", "[s3]") {
  CHECK(suite_signature("GET", "/", {}) ==
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  CHECK(suite_signature("POST", "/", {}) ==
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  CHECK(suite_signature("GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}}) ==
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  CHECK(suite_signature("GET", percent_encoded("/\u1234", true), {}) ==
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  const std::string unreserved =
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  CHECK(suite_signature("GET", "/", {{unreserved, unreserved}}) ==
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197");
  CHECK(percent_encoded(unreserved, false) == unreserved);
}

TEST_CASE("sigv4: headers are squeezed, and values of one name are joined", "[s3]") {
  CHECK(suite_signature(
            "GET", "/", {},
            {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}) ==
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
  CHECK(suite_signature("GET", "/", {},
                        {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}) ==
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

std::string example_signature(std::string_view method, std::string_view path,
                              const QueryParameters& query, HttpHeaders headers,
                              const std::string& hash) {
  headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  headers.emplace_back("x-amz-content-sha256", hash);
  headers.emplace_back("x-amz-date", "20130524T000000Z");
  return signature_in(authorization_of(
      {.method = method, .path = path, .query = query, .headers = headers, .payload_sha256 = hash},
      {.access_key = "AKIAIOSFODNN7EXAMPLE",
       .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
      {.region = "us-east-1"}, kExampleTime));
}

TEST_CASE("sigv4: the examples of S3's reference", "[s3]") {
  CHECK(example_signature("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, kEmptyHash) ==
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  CHECK(example_signature("PUT", "/test%24file.text", {},
                          {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                           {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          sha256_hex("Welcome to Amazon S3.")) ==
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  CHECK(example_signature("GET", "/", {{"lifecycle", ""}}, {}, kEmptyHash) ==
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  CHECK(example_signature("GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {}, kEmptyHash) ==
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("sigv4: a part of an upload under a key that has to be encoded", "[s3]") {
  const std::string hash = sha256_hex("hello");
  const HttpHeaders headers = {{"x-amz-meta-streamrun-attempt", "a  b"},
                               {"if-none-match", "*"},
                               {"x-amz-date", "20150830T123600Z"},
                               {"x-amz-content-sha256", hash},
                               {"host", "s3.us-east-1.amazonaws.com"}};
  CHECK(authorization_of({.method = "PUT",
                          .path = percent_encoded("/b/a b/\u00fc+=&.txt", true),
                          .query = {{"uploadId", "a/b="}, {"partNumber", "1"}},
                          .headers = headers,
                          .payload_sha256 = hash},
                         suite_credentials(), {.region = "us-east-1"}, kSuiteTime) ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;"
        "x-amz-meta-streamrun-attempt, "
        "Signature=eaac34d2ab0979774e78ac7589a5fb3388e6750b896264567f5bfc2dc8efe881");
}

TEST_CASE("s3 dates: both forms, and nothing else", "[s3]") {
  CHECK(amz_date(kSuiteTime) == "20150830T123600Z");
  CHECK(amz_date(0) == "19700101T000000Z");
  CHECK(parse_s3_date("Sun, 30 Aug 2015 12:36:00 GMT") == kSuiteTime);
  CHECK(parse_s3_date("2015-08-30T12:36:00.250Z") == kSuiteTime + 250);
  CHECK(parse_s3_date("2015-08-30T12:36:00Z") == kSuiteTime);
  for (const char* bad :
       {"", "yesterday", "Sun, 31 Feb 2015 12:36:00 GMT", "Sun, 30 Aug 2015 25:36:00 GMT",
        "2015-13-30T12:36:00Z", "Sun, 30 Agu 2015 12:36:00 GMT", "2015-08-30 12:36:00 UTC"})
    CHECK_FALSE(parse_s3_date(bad));
}

}  // namespace
}  // namespace streamrun
