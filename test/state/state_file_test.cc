#include <streamrun/base/bytes.h>
#include <streamrun/base/checksum.h>
#include <streamrun/state/state_file.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

struct Written {
  std::string bytes;
  std::vector<std::string> payloads;
  std::vector<int> groups;
};

Written sample_file(bool compressed) {
  Written written{.bytes = {},
                  .payloads = {"rows of group 3", std::string(300, 'x'), "z", ""},
                  .groups = {3, 3, 9, 32767}};
  StateFileBuilder builder(compressed);
  for (std::size_t i = 0; i < written.payloads.size(); ++i) {
    const auto rows = static_cast<std::uint32_t>(written.payloads[i].size() / 3);
    written.bytes += builder.block(written.groups[i], rows, written.payloads[i]);
  }
  written.bytes += builder.end();
  return written;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
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
  const Written written = sample_file(GENERATE(false, true));
  const Result<std::vector<std::string>> found = read_all(written.bytes);
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{"3/5/rows of group 3", "3/100/" + std::string(300, 'x'),
                                           "9/0/z", "32767/0/"});
}

TEST_CASE("state file: only what gets shorter is stored compressed", "[state]") {
  const Written plain = sample_file(false);
  const Written compressed = sample_file(true);
  CHECK(compressed.bytes.size() + 200 < plain.bytes.size());
  CHECK(contains(compressed.bytes, plain.payloads[0]));
  CHECK_FALSE(contains(compressed.bytes, std::string(300, 'x')));
  // A few bytes are never believed to be megabytes.
  StateFileBuilder builder(true);
  const std::string zeros(1U << 24U, '\0');
  CHECK(builder.block(1, 1, zeros).size() > zeros.size());
}

TEST_CASE("state file: a frame that can't be decompressed is E-STATE-CORRUPT", "[state]") {
  const std::string frame = "no frame of zstd";
  StateFileBuilder plain;
  std::string bytes = plain.block(1, 1, frame);
  std::string fields;
  ByteWriter header(fields);
  header.u16(1);
  header.u32(1);
  header.u32(static_cast<std::uint32_t>(frame.size()));
  bytes.replace(0, 4, "SRZ1");
  std::string index;
  ByteWriter entry(index);
  for (const std::uint64_t number :
       {std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{frame.size()}, std::uint64_t{1},
        std::uint64_t{100}}) {
    entry.varint(number);
  }
  ByteWriter footer(index);
  const std::size_t length = index.size();
  const std::uint64_t hash = xxh3_64(index);
  footer.u64(bytes.size());
  footer.u32(static_cast<std::uint32_t>(length));
  footer.u64(hash);
  footer.raw("SRSTATE2");
  const Result<std::vector<std::string>> found = read_all(bytes + index);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::state_corrupt);
  CHECK(contains(found.error().message, "decompressed"));
}

TEST_CASE("state file: one without blocks is a file", "[state]") {
  const Result<std::vector<std::string>> found = read_all(StateFileBuilder().end());
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("state file: every cut is E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file(GENERATE(false, true));
  for (std::size_t length = 0; length < written.bytes.size(); ++length) {
    const Result<std::vector<std::string>> found = read_all(written.bytes.substr(0, length));
    REQUIRE_FALSE(found);
    REQUIRE(found.error().code == ErrorCode::state_corrupt);
    REQUIRE(found.error().where.starts_with("state, offset "));
  }
}

TEST_CASE("state file: bytes behind its end are E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file(GENERATE(false, true));
  CHECK_FALSE(read_all(written.bytes + "x"));
  CHECK_FALSE(read_all("x" + written.bytes));
}

TEST_CASE("state file: every flipped bit is E-STATE-CORRUPT", "[state]") {
  const Written written = sample_file(GENERATE(false, true));
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
