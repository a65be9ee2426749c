#include <streamrun/checkpoint/metadata_format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

void require_corrupt(const Result<CheckpointMetadata>& read) {
  REQUIRE(!read);
  REQUIRE(read.error().code == ErrorCode::metadata_corrupt);
}

/// Replaces the first `from` in the document and makes the footer fit.
std::string changed(const CheckpointMetadata& metadata, const std::string& from,
                    const std::string& to) {
  std::string body = test::body_of(encode(metadata));
  const std::size_t at = body.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to change: " + from);
  body.replace(at, from.size(), to);
  return test::with_footer(body);
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST_CASE("metadata damage: every truncation is refused", "[checkpoint]") {
  const std::string bytes = encode(test::sample_metadata(3));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    require_corrupt(decode(std::string_view(bytes).substr(0, length)));
  }
}

TEST_CASE("metadata damage: every flipped bit is refused", "[checkpoint]") {
  std::string bytes = encode(test::metadata_with_file(3, test::uuid_of(5), "abc"));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
      INFO("byte " << at << " bit " << bit);
      require_corrupt(decode(bytes));
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
    }
  }
  CHECK(decode(bytes).has_value());
}

TEST_CASE("metadata damage: with a recomputed footer a flipped bit harms nothing", "[checkpoint]") {
  const CheckpointMetadata metadata = test::metadata_with_file(3, test::uuid_of(5), "abc");
  std::string body = test::body_of(encode(metadata));
  int refused = 0;
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      body[at] = static_cast<char>(static_cast<unsigned char>(body[at]) ^ (1U << bit));
      const Result<CheckpointMetadata> read = decode(test::with_footer(body));
      if (read) REQUIRE(check_structure(*read).has_value());
      refused += read ? 0 : 1;
      body[at] = static_cast<char>(static_cast<unsigned char>(body[at]) ^ (1U << bit));
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("metadata damage: bytes behind the footer are refused", "[checkpoint]") {
  const std::string bytes = encode(test::sample_metadata(3));
  for (const std::string tail : {"\n", " ", "x", "{}\n"}) require_corrupt(decode(bytes + tail));
  require_corrupt(decode(bytes + std::string(1, '\0')));
  require_corrupt(decode(bytes + bytes));
}

TEST_CASE("metadata damage: a cut file says at which byte", "[checkpoint]") {
  const std::string bytes = encode(test::sample_metadata(3));
  const Result<CheckpointMetadata> read = decode(std::string_view(bytes).substr(0, 500));
  REQUIRE(!read);
  CHECK(read.error().message.find("byte ") != std::string::npos);
}

TEST_CASE("metadata damage: random bytes are refused", "[checkpoint]") {
  test::SeededRandom random(9);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random.below(300), '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    require_corrupt(decode(bytes));
    require_corrupt(decode(test::with_footer(bytes)));
  }
}

TEST_CASE("metadata damage: JSON that an attacker may write is refused", "[checkpoint]") {
  const CheckpointMetadata metadata = test::sample_metadata(3);
  const std::string deep = repeated("[", 100'000) + repeated("]", 100'000);
  const std::pair<std::string, std::string> changes[] = {
      {"\"id\": 3", "\"id\": 3, \"id\": 4"},
      {"\"id\": 3", "\"id\": -3"},
      {"\"id\": 3", "\"id\": 0"},
      {"\"id\": 3", "\"id\": 3.0"},
      {"\"id\": 3", "\"id\": 1e300"},
      {"\"id\": 3", "\"id\": NaN"},
      {"\"id\": 3", "\"id\": 9223372036854775808"},
      {"\"id\": 3", "\"id\": 9223372036854775807"},
      {"\"id\": 3", "\"id\": 99999999999999999999999999"},
      {"\"id\": 3", "\"id\": null"},
      {"\"id\": 3", "\"id\": \"3\""},
      {"\"id\": 3", "\"id\": 3, \"more\": 1"},
      {"\"id\": 3,", ""},
      {"\"arguments\": [", "\"arguments\": [" + deep + ","},
      {"\"plan\": \"\"", "\"plan\": \"" + std::string(70'000, 'x') + "\""},
      {"\"plan\": \"\"", "\"plan\": \"\xff\""},
      {"\"plan\": \"\"", "\"plan\": \"\\ud800\""},
      {"\"plan\": \"\"", "\"plan\": [" + repeated("\"\",", 50'000) + "\"\"]"},
      {"\"plan\": \"\"", "\"plan\": {}"},
      {"\"kind\": \"checkpoint\"", "\"kind\": \"other\""},
      {"\"parallelism\": 2", "\"parallelism\": 0"},
      {"\"parallelism\": 2", "\"parallelism\": -2"},
      {"\"parallelism\": 2", "\"parallelism\": 2147483647"},
      {"\"parallelism\": 2", "\"parallelism\": 4294967298"},
      {"\"max_parallelism\": 128", "\"max_parallelism\": 127"},
      {"\"max_parallelism\": 128", "\"max_parallelism\": 32769"},
      {"\"max_parallelism\": 128", "\"max_parallelism\": 1"},
      {"\"index\": 1", "\"index\": 0"},
      {"\"index\": 1", "\"index\": 2"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [0,64]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [1,63]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [0,62]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [63,0]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [-1,63]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [0,63,63]"},
      {"\"key_groups\": [0,63]", "\"key_groups\": [0,2147483648]"},
      {"\"key_groups\": [64,127]", "\"key_groups\": [64,128]"},
      {"\"key_groups\": [64,127]", "\"key_groups\": [0,63]"},
      {"\"entries\": 3", "\"entries\": -1"},
      {"\"entries\": 3", "\"entries\": 9007199254740992"},
      {"\"redistribution\": \"split\"", "\"redistribution\": \"spilt\""},
      {"\"coordinator_base64\": \"AP8=\"", "\"coordinator_base64\": \"AP8\""},
      {"\"coordinator_base64\": \"AP8=\"", "\"coordinator_base64\": \"A*8=\""},
      {"\"coordinator_base64\": \"AP8=\"", "\"coordinator_base64\": 7"},
      {"\"job_id\": \"11", "\"job_id\": \"1"},
      {"\"job_id\": \"11", "\"job_id\": \"zz"},
      {"\"attempt\": \"", "\"attempt\": \"../"},
      {"\"magic\": \"streamrun-checkpoint\"",
       "\"magic\": \"streamrun-checkpoint\", \"magic\": \"x\""},
  };
  for (const auto& [from, to] : changes) {
    INFO(from << " -> " << to.substr(0, 60));
    require_corrupt(decode(changed(metadata, from, to)));
  }
}

TEST_CASE("metadata damage: records in flight that make no sense are refused", "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  metadata.operators.front().subtasks.front().in_flight.push_back(
      {.upstream = metadata.operators.back().id,
       .mapper = SubtaskStateMapper::range,
       .type = "string",
       .records = 2,
       .data = {.inline_bytes = "abc", .file = {}}});
  REQUIRE(decode(encode(metadata)).has_value());
  const std::pair<std::string, std::string> changes[] = {
      {"\"in_flight\": [", "\"in_flight\": [7,"},
      {"\"in_flight\": [", "\"in_flight\": {}, \"more\": ["},
      {"\"upstream\": \"", "\"upstream\": \"z"},
      {"\"mapper\": \"range\"", "\"mapper\": \"arrange\""},
      {"\"mapper\": \"range\"", "\"mapper\": 1"},
      {"\"mapper\": \"range\",", ""},
      {"\"records\": 2", "\"records\": -2"},
      {"\"records\": 2", "\"records\": 9007199254740992"},
      {"\"base64\": \"YWJj\"", "\"base64\": \"YWJ\""},
      {"\"base64\": \"YWJj\"", "\"file\": \"" + test::uuid_of(9) + "\""},
      {"\"base64\": \"YWJj\"", "\"file\": \"../x\""},
  };
  for (const auto& [from, to] : changes) {
    INFO(from << " -> " << to);
    require_corrupt(decode(changed(metadata, from, to)));
  }
}

TEST_CASE("metadata damage: paths that leave their folder are refused", "[checkpoint]") {
  const std::string good = test::uuid_of(5);
  const CheckpointMetadata metadata = test::metadata_with_file(3, good, "abc");
  const std::vector<std::string> bad = {"",
                                        ".",
                                        "..",
                                        "../x",
                                        "a/b",
                                        "/a/../b",
                                        "/a/./b",
                                        "/a//b",
                                        "/a/b/",
                                        "/",
                                        "_metadata",
                                        ".hidden",
                                        "shared",
                                        "a\\u0000b",
                                        "/a/\\u0000",
                                        "%2e%2e",
                                        "/a/%2E%2e/b",
                                        "a%2fb",
                                        "/a/%00",
                                        "/..",
                                        "finished",
                                        "hdfs://nn/a/b",
                                        "taskowned",
                                        "/a/b%5Cc",
                                        "a\\nb"};
  for (const std::string& path : bad) {
    INFO(path);
    std::string body = test::body_of(encode(metadata));
    for (std::size_t at = body.find(good); at != std::string::npos; at = body.find(good)) {
      body.replace(at, good.size(), path);
    }
    require_corrupt(decode(test::with_footer(body)));
  }
}

TEST_CASE("metadata damage: a file table that does not fit the states is refused", "[checkpoint]") {
  const CheckpointMetadata metadata = test::metadata_with_file(3, test::uuid_of(5), "abc");
  const std::pair<std::string, std::string> changes[] = {
      {"\"length\": 3", "\"length\": 4194304"},
      {"\"length\": 3", "\"length\": 0"},
      {"\"length\": 3", "\"length\": -1"},
      {"\"length\": 3", "\"length\": 9007199254740991"},
      {"\"crc32c\": [", "\"crc32c\": [1,"},
      {"\"crc32c\": [", "\"crc32c\": [4294967296,"},
      {"\"xxh3\": \"", "\"xxh3\": \"X"},
      {"\"file\": \"0", "\"file\": \"1"},
      {"\"path\": \"0", "\"path\": \"1"},
      {"\"files\": [",
       "\"files\": [{\"path\":\"other\",\"length\":0,\"crc32c\":[],\"xxh3\":"
       "\"00000000000000000000000000000000\"},"},
  };
  for (const auto& [from, to] : changes) {
    INFO(from << " -> " << to);
    require_corrupt(decode(changed(metadata, from, to)));
  }
}

TEST_CASE("metadata damage: structure that the engine would not write is refused", "[checkpoint]") {
  using Change = std::function<void(CheckpointMetadata&)>;
  const std::pair<std::string, Change> changes[] = {
      {"operator twice", [](auto& m) { m.operators.push_back(m.operators[0]); }},
      {"subtask missing", [](auto& m) { m.operators[0].subtasks.pop_back(); }},
      {"subtask too many", [](auto& m) { m.operators[1].subtasks.emplace_back(); }},
      {"keyed in one subtask only", [](auto& m) { m.operators[0].subtasks[1].keyed.clear(); }},
      {"handle twice",
       [](auto& m) {
         auto& keyed = m.operators[0].subtasks[0].keyed;
         keyed.push_back(keyed[0]);
       }},
      {"state twice",
       [](auto& m) {
         auto& states = m.operators[0].subtasks[0].keyed[0].states;
         states.push_back(states[0]);
       }},
      {"list twice",
       [](auto& m) {
         auto& lists = m.operators[1].subtasks[0].lists;
         lists.push_back(lists[0]);
       }},
  };
  for (const auto& [name, change] : changes) {
    INFO(name);
    CheckpointMetadata metadata = test::sample_metadata(3);
    change(metadata);
    require_corrupt(decode(encode(metadata)));
  }
}

TEST_CASE("metadata damage: what is said of an SST that can't be is refused", "[checkpoint]") {
  CheckpointMetadata good = test::sample_metadata(3);
  KeyedStateHandle& keyed = good.operators[0].subtasks[1].keyed[0];
  const KeyGroupRange range = keyed.key_groups;
  keyed.pieces.front().sst = {
      .state = 0, .key_groups = range, .level = 6, .smallest_sequence = 0, .largest_sequence = 7};
  keyed.pieces.push_back(keyed.pieces.front());
  REQUIRE(decode(encode(good)).value() == good);
  const std::vector<std::pair<std::string, std::function<void(std::optional<SstFile>&)>>> changes =
      {
          {"no such state", [](auto& sst) { sst->state = 1; }},
          {"groups backwards",
           [](auto& sst) { std::swap(sst->key_groups.first, sst->key_groups.last); }},
          {"a group of others", [](auto& sst) { --sst->key_groups.first; }},
          {"a further group", [](auto& sst) { ++sst->key_groups.last; }},
          {"level", [](auto& sst) { sst->level = 64; }},
          {"sequence backwards", [](auto& sst) { sst->smallest_sequence = 8; }},
          {"sequence too large", [](auto& sst) { sst->largest_sequence = 1ULL << 53U; }},
          {"one is none", [](auto& sst) { sst.reset(); }},
      };
  for (const auto& [name, change] : changes) {
    INFO(name);
    CheckpointMetadata bad = good;
    change(bad.operators[0].subtasks[1].keyed[0].pieces.back().sst);
    CHECK_FALSE(check_structure(bad));
    CHECK_FALSE(decode(encode(bad)));
  }
}

TEST_CASE("metadata damage: lengths that overflow together are refused", "[checkpoint]") {
  CheckpointMetadata metadata = test::sample_metadata(3);
  for (OperatorSubtaskState& subtask : metadata.operators[0].subtasks) {
    subtask.keyed[0].pieces.front().file = test::state_file(test::uuid_of(1), "");
  }
  metadata.operators[0].subtasks[0].keyed[0].pieces.front().file->length = ~std::uint64_t{0};
  CHECK(!check_structure(metadata));
}

}  // namespace
}  // namespace streamrun
