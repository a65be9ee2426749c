// Bytes that changed in a snapshot, a sample of each kind on the real binary:
// flipped_bytes_test.cc has many more.
#include <cstdint>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "golden/flipped_kinds.h"
#include "golden/golden_world.h"

namespace streamrun::test {
namespace {

/// Twice is once and back.
void apply(const GoldenWorld& world, const Flip& flip) {
  const std::string path = world.folder().at(flip.file);
  std::string bytes = golden_bytes_of(path);
  char& byte = bytes.at(flip.at);
  byte = static_cast<char>(static_cast<std::uint8_t>(byte) ^ flip.changed_bits);
  std::ofstream(path, std::ios::binary) << bytes;
}

void check_refused(const Outcome& outcome, const std::string& file) {
  const std::string said = outcome.out + outcome.err;
  INFO(said);
  CHECK(outcome.status == 65);
  CHECK(said.find(file) != std::string::npos);
}

TEST_CASE("flipped bytes: verify --data and run refuse them and name the file", "[golden]") {
  for (const FlippedKind& kind : flipped_kinds()) {
    const GoldenWorld world(kind.golden);
    SeededRandom random(32);
    for (int i = 0; i < 20; ++i) {
      const Flip flip = some_flip(kind, random);
      INFO(kind.what << " of " << kind.golden.label() << ": " << flip.text());
      apply(world, flip);
      check_refused(world.folder().streamrun({"verify", "--data", "snapshot"}), flip.file);
      const Outcome outcome = world.run(2);
      check_refused(outcome, flip.file);
      CHECK(outcome.out.empty());
      apply(world, flip);
    }
    CHECK(world.folder().streamrun({"verify", "--data", "snapshot"}).status == 0);
  }
}

}  // namespace
}  // namespace streamrun::test
