#include <streamrun/state/state_file.h>

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

struct Written {
  std::string bytes;
  std::vector<std::string> payloads;
  std::vector<int> groups;
};

Written sample_file() {
  Written written{.bytes = {},
                  .payloads = {"rows of group 3", std::string(300, 'x'), "z", ""},
                  .groups = {3, 3, 9, 32767}};
  StateFileBuilder builder;
  for (std::size_t i = 0; i < written.payloads.size(); ++i) {
    const auto rows = static_cast<std::uint32_t>(written.payloads[i].size() / 3);
    written.bytes += builder.block(written.groups[i], rows, written.payloads[i]);
  }
  written.bytes += builder.end();
  return written;
}

/// What is in the bytes, block by block, or the first error.
Result<std::vector<std::string>> read_all(const std::string& bytes) {
  const StateFileReader reader = SR_TRY(StateFileReader::open(
      "state", bytes.size(),
      [&bytes](std::uint64_t offset, char* into, std::size_t length) -> Result<void> {
        REQUIRE(offset <= bytes.size());
        REQUIRE(length <= bytes.size() - offset);
        bytes.copy(into, length, offset);
        return {};
      }));
  std::vector<std::string> found;
  StateBytes buffer;
  for (const StateBlock& block : reader.blocks()) {
    found.push_back(std::to_string(block.key_group) + "/" + std::to_string(block.rows) + "/" +
                    std::string(SR_TRY(reader.payload(block, buffer))));
  }
  return found;
}

TEST_CASE("state file: blocks come back with their key groups, rows and bytes", "[state]") {
  const Written written = sample_file();
  const Result<std::vector<std::string>> found = read_all(written.bytes);
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{"3/5/rows of group 3", "3/100/" + std::string(300, 'x'),
                                           "9/0/z", "32767/0/"});
}

TEST_CASE("state file: one without blocks is a file", "[state]") {
  const Result<std::vector<std::string>> found = read_all(StateFileBuilder().end());
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("state file: every cut is E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file();
  for (std::size_t length = 0; length < written.bytes.size(); ++length) {
    const Result<std::vector<std::string>> found = read_all(written.bytes.substr(0, length));
    REQUIRE_FALSE(found);
    REQUIRE(found.error().code == ErrorCode::state_corrupt);
    REQUIRE(found.error().where.starts_with("state, offset "));
  }
}

TEST_CASE("state file: bytes behind its end are E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file();
  CHECK_FALSE(read_all(written.bytes + "x"));
  CHECK_FALSE(read_all("x" + written.bytes));
}

TEST_CASE("state file: every flipped bit is E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file();
  for (std::size_t bit = 0; bit < 8 * written.bytes.size(); ++bit) {
    std::string damaged = written.bytes;
    damaged[bit / 8] =
        static_cast<char>(static_cast<std::uint8_t>(damaged[bit / 8]) ^ 1U << bit % 8);
    INFO("bit " << bit);
    const Result<std::vector<std::string>> found = read_all(damaged);
    REQUIRE_FALSE(found);
    REQUIRE(found.error().code == ErrorCode::state_corrupt);
  }
}

TEST_CASE("state file: a block in the place of another one of the same length is noticed",
          "[state]") {
  StateFileBuilder builder;
  const std::string first = builder.block(1, 1, "first");
  const std::string second = builder.block(2, 1, "other");
  const std::string end = builder.end();
  CHECK(read_all(first + second + end));
  CHECK_FALSE(read_all(second + first + end));
  CHECK_FALSE(read_all(first + first + end));
}

TEST_CASE("state file: an error of the store is passed on as it is", "[state]") {
  const auto failing = [](std::uint64_t, char*, std::size_t) -> Result<void> {
    return Error{.code = ErrorCode::store_io, .message = "broken"};
  };
  const Result<StateFileReader> reader = StateFileReader::open("state", 1000, failing);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == ErrorCode::store_io);
}

}  // namespace
}  // namespace streamrun
