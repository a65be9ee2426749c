#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/state/shared_file.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using test::SeededRandom;

TEST_CASE("metadata format: what was written is read again", "[checkpoint]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    const CheckpointMetadata metadata = test::random_metadata(random);
    const std::string bytes = encode(metadata);
    const Result<CheckpointMetadata> read = decode(bytes);
    INFO("seed " << seed << (read ? "" : " " + read.error().headline()));
    REQUIRE(read.has_value());
    REQUIRE(*read == metadata);
    REQUIRE(encode(*read) == bytes);
  }
}

TEST_CASE("metadata format: magic and format come first, a footer comes last", "[checkpoint]") {
  const std::string bytes = encode(test::sample_metadata(3));
  CHECK(bytes.starts_with("{\n \"magic\": \"streamrun-checkpoint\",\n \"format\": 1,\n"));
  CHECK(test::with_footer(test::body_of(bytes)) == bytes);
}

TEST_CASE("metadata format: a file that two states share stands in the table once",
          "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  for (OperatorSubtaskState& subtask : metadata.operators[0].subtasks) {
    subtask.keyed[0].pieces = {
        {.inline_bytes = {}, .file = test::state_file("/c/shared/x", "abc")}};
  }
  const std::string bytes = encode(metadata);
  CHECK(bytes.find("\"xxh3\"") == bytes.rfind("\"xxh3\"", bytes.rfind("{\"length\"") - 1));
  CHECK(decode(bytes).value() == metadata);
  CHECK(full_bytes(metadata) == 3 + 2 + 2);  // the file once, two elements, the coordinator
}

TEST_CASE("metadata format: pieces in shared files keep their order and their names",
          "[checkpoint]") {
  const CheckpointMetadata metadata = test::metadata_with_shared(4, {"first", "second", "first"});
  const auto read = decode(encode(metadata));
  REQUIRE(read);
  CHECK(*read == metadata);
  CHECK(shared_names_of(*read).size() == 2);
}

TEST_CASE("metadata format: a savepoint refers to no shared file (R5)", "[checkpoint]") {
  CheckpointMetadata metadata = test::metadata_with_shared(4, {"bytes"});
  CHECK(check_structure(metadata).has_value());
  metadata.kind = SnapshotKind::savepoint;
  const auto checked = check_structure(metadata);
  REQUIRE(!checked);
  CHECK(checked.error().code == ErrorCode::metadata_corrupt);
}

TEST_CASE("metadata format: a shared file has the name of its content (R6)", "[checkpoint]") {
  const CheckpointMetadata good = test::metadata_with_shared(4, {"bytes"});
  const StateFile file = *good.operators[0].subtasks[1].keyed[0].pieces[0].file;
  const std::string name = shared_file_name(file);
  const std::vector<std::string> paths = {"../shared/" + name + "0",
                                          "../shared/" + std::string(32, '0') + "-5",
                                          "../shared/" + name.substr(0, 33) + "05",
                                          "../shared/" + name.substr(0, 32),
                                          "../shared/../" + name,
                                          "../shared/",
                                          "../taskowned/" + name,
                                          "../../shared/" + name,
                                          "../shared//" + name,
                                          "shared/" + name,
                                          "../shared/.tmp-" + name.substr(0, 32)};
  for (const std::string& path : paths) {
    INFO(path);
    CheckpointMetadata bad = good;
    bad.operators[0].subtasks[1].keyed[0].pieces[0].file->path = path;
    CHECK_FALSE(check_structure(bad));
    CHECK_FALSE(decode(encode(bad)));
  }
}

TEST_CASE("metadata format: text that is not UTF-8 is written with replacements", "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  metadata.arguments = {{"name",
                         "a\xff"
                         "b"}};
  const CheckpointMetadata read = decode(encode(metadata)).value();
  CHECK(read.arguments[0].second ==
        "a\xef\xbf\xbd"
        "b");
}

TEST_CASE("metadata format: a long text is cut between characters and is whole again",
          "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  metadata.plan = "x";
  for (int i = 0; i < 60'000; ++i) metadata.plan += "ü😀";
  CHECK(decode(encode(metadata)).value() == metadata);
}

TEST_CASE("metadata format: a large inline state is no long text", "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  metadata.operators[0].subtasks[0].keyed[0].pieces.front().inline_bytes =
      std::string(300'000, '\x7f');
  metadata.operators[1].coordinator_state = std::string(100'000, 'c');
  metadata.operators[1].subtasks[0].lists[0].elements[1] = std::string(100'000, 'e');
  CHECK(decode(encode(metadata)).value() == metadata);
}

TEST_CASE("metadata format: a newer format is refused with both numbers", "[checkpoint]") {
  std::string body = test::body_of(encode(test::sample_metadata(3)));
  body.replace(body.find("\"format\": 1"), 11, "\"format\": 7");
  const Result<CheckpointMetadata> read = decode(test::with_footer(body));
  REQUIRE(!read);
  CHECK(read.error().code == ErrorCode::metadata_version);
  CHECK(read.error().message.find("format 7") != std::string::npos);
  CHECK(read.error().message.find("format 1") != std::string::npos);
}

TEST_CASE("metadata format: what does not start as a checkpoint is named so", "[checkpoint]") {
  for (const std::string& bytes : {std::string("\x49\x60\x67\x2d rest of a Flink savepoint"),
                                   std::string("{}\n"), std::string(1000, '\0')}) {
    const Result<CheckpointMetadata> read = decode(bytes);
    REQUIRE(!read);
    CHECK(read.error().code == ErrorCode::metadata_corrupt);
    CHECK(read.error().message.find("not a checkpoint") != std::string::npos);
  }
}

}  // namespace
}  // namespace streamrun
