#include <streamrun/storage/s3/credentials.h>

#include <string>

#include <catch2/catch.hpp>

#include "sim/memory_file_system.h"

namespace streamrun {
namespace {

using Environment = std::map<std::string, std::string>;

void write(FileSystem& files, const std::string& path, std::string_view text) {
  files.create_directories(parent_path(path)).value();
  const std::unique_ptr<WritableFile> file = files.create(path).value();
  file->append(text).value();
  file->close().value();
}

TEST_CASE("s3 credentials: the configuration, then the environment, then a profile", "[s3]") {
  sim::MemoryFileSystem files;
  write(files, "/home/me/.aws/credentials",
        "# mine\n[default]\naws_access_key_id = AKFILE\naws_secret_access_key=sfile=\n"
        "[other]\r\naws_access_key_id=AKOTHER\r\naws_secret_access_key=sother\r\n"
        "aws_session_token=token\r\n");
  Environment environment = {{"HOME", "/home/me"}};
  CHECK(find_s3_credentials({}, environment, files).value().secret_key == "sfile=");
  environment["AWS_PROFILE"] = "other";
  CHECK(find_s3_credentials({}, environment, files).value().access_key == "AKOTHER");
  CHECK(find_s3_credentials({}, environment, files).value().session_token == "token");
  environment["AWS_ACCESS_KEY_ID"] = "AKENV";
  environment["AWS_SECRET_ACCESS_KEY"] = "senv";
  CHECK(find_s3_credentials({}, environment, files).value().access_key == "AKENV");
  CHECK(find_s3_credentials({.access_key = "AKCONF", .secret_key = "sconf"}, environment, files)
            .value()
            .access_key == "AKCONF");
}

TEST_CASE("s3 credentials: none, or half of them, is an error that names the ways", "[s3]") {
  sim::MemoryFileSystem files;
  const Error none = find_s3_credentials({}, {{"HOME", "/home/me"}}, files).error();
  CHECK(none.code == ErrorCode::config);
  for (const char* way : {"s3.access-key", "AWS_ACCESS_KEY_ID", "~/.aws/credentials"})
    CHECK_THAT(none.why, Catch::Contains(way));
  CHECK_FALSE(find_s3_credentials({}, {}, files));
  const Error half =
      find_s3_credentials({}, {{"AWS_SECRET_ACCESS_KEY", "planted-secret"}}, files).error();
  CHECK(half.code == ErrorCode::config);
  CHECK_THAT(half.headline() + half.why, !Catch::Contains("planted-secret"));
}

}  // namespace
}  // namespace streamrun
