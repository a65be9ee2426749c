#include "s3_uri.h"

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("s3 path: bucket and key, under each scheme", "[s3]") {
  for (const char* scheme : {"s3", "s3a", "s3p", "S3"}) {
    const S3Uri uri = parse_s3_uri(std::string(scheme) + "://some.bucket-1/a//b c/%41/").value();
    CHECK(uri.bucket == "some.bucket-1");
    CHECK(uri.key == "a/b c/%41");
  }
  CHECK(parse_s3_uri("s3://b").value().key.empty());
  CHECK(parse_s3_uri("s3://b/").value().key.empty());
  CHECK(parse_s3_uri("s3:").value().bucket.empty());
}

TEST_CASE("s3 path: what names nothing is refused", "[s3]") {
  CHECK(parse_s3_uri("/a").error().code == ErrorCode::usage);
  CHECK(parse_s3_uri("hdfs://a/b").error().code == ErrorCode::usage);
  CHECK(parse_s3_uri("s3://us er@host/b").error().code == ErrorCode::usage);
  CHECK(parse_s3_uri("s3://b/a/../c").error().code == ErrorCode::path);
  CHECK(parse_s3_uri("s3://b/./c").error().code == ErrorCode::path);
  CHECK(parse_s3_uri(std::string("s3://b/a\0b", 10)).error().code == ErrorCode::path);
  CHECK(parse_s3_uri("s3://b/" + std::string(1025, 'k')).error().code == ErrorCode::path);
}

}  // namespace
}  // namespace streamrun
