#include <string>

#include <catch2/catch.hpp>

#include "s3_error.h"
#include "s3_world.h"
#include "sim/sim_s3_answers.h"

namespace streamrun {
namespace {

Error error_of(const HttpResponse& response, const std::string& method = "GET") {
  return s3_error(response, {.what = "read the object",
                             .where = "s3://b/f",
                             .method = method,
                             .bucket = "b",
                             .host = "s3.test",
                             .region = "us-east-1"});
}

ErrorCode code_of(int status, const std::string& code) {
  return error_of(sim::s3_complaint(status, code)).code;
}

TEST_CASE("s3 errors: each answer has its code", "[s3]") {
  CHECK(code_of(403, "AccessDenied") == ErrorCode::permission);
  CHECK(code_of(403, "SignatureDoesNotMatch") == ErrorCode::permission);
  CHECK(code_of(403, "InvalidAccessKeyId") == ErrorCode::permission);
  CHECK(code_of(404, "NoSuchKey") == ErrorCode::path);
  CHECK(code_of(404, "NoSuchBucket") == ErrorCode::path);
  CHECK(code_of(503, "SlowDown") == ErrorCode::unavailable);
  CHECK(code_of(500, "InternalError") == ErrorCode::unavailable);
  CHECK(code_of(400, "RequestTimeout") == ErrorCode::unavailable);
  CHECK(code_of(200, "InternalError") == ErrorCode::unavailable);
  CHECK(code_of(409, "OperationAborted") == ErrorCode::unavailable);
  CHECK(code_of(403, "QuotaExceeded") == ErrorCode::store_full);
  CHECK(code_of(400, "EntityTooLarge") == ErrorCode::store_full);
  CHECK(code_of(507, "XMinioStorageFull") == ErrorCode::store_full);
  CHECK(code_of(501, "NotImplemented") == ErrorCode::store_io);
  CHECK(code_of(400, "InvalidArgument") == ErrorCode::store_io);
}

TEST_CASE("s3 errors: credentials that have expired are to be renewed", "[s3]") {
  for (const char* said : {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}) {
    const Error error = error_of(sim::s3_complaint(400, said));
    CHECK(error.code == ErrorCode::permission);
    CHECK(error.retry == Retry::no);
    CHECK_THAT(error.message, Catch::Contains("renew them and restart the run"));
    CHECK_THAT(error.why, Catch::Contains(said));
  }
}

TEST_CASE("s3 errors: a bucket in another region is told with its region", "[s3]") {
  HttpResponse moved = sim::s3_complaint(301, "PermanentRedirect");
  moved.headers.emplace_back("x-amz-bucket-region", "eu-west-1");
  for (const Error& error :
       {error_of(moved), error_of({.status = 301, .headers = moved.headers}, "HEAD"),
        error_of({.status = 400,
        .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1"
                "</Region></Error>"})}) {
    CHECK(error.code == ErrorCode::config);
    CHECK_THAT(error.message, Catch::Contains("eu-west-1") && Catch::Contains("us-east-1"));
    CHECK(error.tries.at(0) == "s3.region: eu-west-1");
  }
}

TEST_CASE("s3 errors: an answer that is not S3's says nothing of the object", "[s3]") {
  for (const int status : {200, 302, 403, 404}) {
    const Error error =
        error_of({.status = status, .body = "<html>\x02" + std::string(1000, 'x') + "</html>"});
    CHECK(error.code == ErrorCode::unavailable);
    CHECK_THAT(error.message, Catch::Contains("s3.test"));
    CHECK_THAT(error.why, Catch::StartsWith("<html>?xxx"));
    CHECK(error.why.size() == 200);
  }
}

TEST_CASE("s3 errors: a wrong key is E-PERM, and no secret is told", "[s3]") {
  S3World world;
  S3Settings settings = world.settings();
  settings.credentials.secret_key = "another-planted-secret";
  const auto files = world.make(settings);
  for (const Error& error :
       {files->status("s3://b/f").error(), write_s3(*files, "s3://b/f", "x").error(),
        files->open("s3://b/f").error(), files->list("s3://b/d").error()}) {
    CHECK(error.code == ErrorCode::permission);
    CHECK(error.retry == Retry::no);
    CHECK_THAT(error.headline() + error.why, !Catch::Contains("secret"));
  }
  CHECK(world.server.requests == 4);
}

TEST_CASE("s3 errors: a server that is away is E-UNAVAILABLE with its name, after the pauses",
          "[s3]") {
  S3World world;
  world.server.fault = [](const sim::S3Seen&) { return sim::S3Fault::lost_request; };
  const auto files = world.make();
  const Error error = files->status("s3://b/f").error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK_THAT(error.message, Catch::Contains(S3World::kHost));
  CHECK(error.where == "s3://b/f");
  CHECK(world.server.requests == 5);
  // 100, 200, 400 and 800 ms, of which a half is chance.
  CHECK(world.server.paused > std::chrono::milliseconds(700));
  CHECK(world.server.paused <= std::chrono::milliseconds(1500));
}

TEST_CASE("s3 errors: a clock that is wrong is corrected by the server's", "[s3]") {
  S3World world;
  world.server.clock_ahead_milliseconds = GENERATE(-3'600'000, 86'400'000);
  const auto files = world.make();
  CHECK_FALSE(files->exists("s3://b/f").value());  // by HEAD, whose answer has no text
  REQUIRE(write_s3(*files, "s3://b/f", "x"));
  CHECK(files->read_all("s3://b/f", kNoLimit).value() == "x");
  CHECK(world.server.requests == 4 + 4 + 1);
  const auto others = world.make();
  REQUIRE(write_s3(*others, "s3://b/g", std::string(std::size_t{20} << 20U, 'g')));
}

}  // namespace
}  // namespace streamrun
