#include <streamrun/state/snapshot_chain.h>

#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// Rows of 100 bytes.
PieceFacts piece(std::uint64_t rows, std::uint64_t homed, bool pinned = false) {
  return {.bytes = rows * 100, .inline_bytes = 0, .rows = rows, .homed = homed, .pinned = pinned};
}
using Replaced = std::vector<bool>;

TEST_CASE("pieces to replace: none while all are within bounds", "[state]") {
  CHECK(pieces_to_replace({}, 10, 0, {}).empty());
  CHECK(pieces_to_replace({piece(1000, 700), piece(300, 300)}, 100, 1000, {}) ==
        Replaced{false, false});
}

TEST_CASE("pieces to replace: one that nothing is homed in goes for nothing", "[state]") {
  CHECK(pieces_to_replace({piece(1000, 900), piece(10, 0), piece(10, 10)}, 10, 1000, {}) ==
        Replaced{false, true, false});
}

TEST_CASE("pieces to replace: those with the least in them, until enough is gone", "[state]") {
  // 1,900 may stay; each of the first two gives 800.
  CHECK(pieces_to_replace({piece(1000, 200), piece(1000, 200), piece(600, 500)}, 100, 1000, {}) ==
        Replaced{true, false, false});
  CHECK(pieces_to_replace({piece(1000, 300), piece(1000, 200), piece(600, 500)}, 100, 1000, {}) ==
        Replaced{false, true, false});
}

TEST_CASE("pieces to replace: a pinned one only after all that are older", "[state]") {
  CHECK(pieces_to_replace({piece(1000, 990), piece(10, 0, true)}, 10, 1000, {}) ==
        Replaced{false, false});
  CHECK(pieces_to_replace({piece(1000, 0), piece(10, 0, true), piece(990, 990)}, 10, 1000, {}) ==
        Replaced{true, true, false});
  CHECK(pieces_to_replace({piece(1000, 300), piece(1000, 100, true), piece(500, 500)}, 10, 1000,
                          {}) == Replaced{true, false, false});
}

TEST_CASE("pieces to replace: with nothing alive all of them", "[state]") {
  CHECK(pieces_to_replace({piece(1000, 300), piece(1000, 700, true)}, 500, 0, {}) ==
        Replaced{true, true});
}

TEST_CASE("pieces to replace: one when there are too many, the one with the least to write",
          "[state]") {
  std::vector<PieceFacts> pieces(180, piece(10, 10));
  pieces[77].homed = 9;
  Replaced expected(180);
  expected[77] = true;
  CHECK(pieces_to_replace(pieces, 10, 1800, {}) == expected);
}

TEST_CASE("pieces to replace: what lies in the metadata, when that grows", "[state]") {
  std::vector<PieceFacts> pieces(10, piece(100, 100));
  for (std::size_t i = 0; i < 9; ++i) pieces[i].inline_bytes = 10000;
  const Replaced replaced = pieces_to_replace(pieces, 10, 1000, {});
  CHECK(std::count(replaced.begin(), replaced.end(), true) == 3);
  CHECK_FALSE(replaced.back());
}

}  // namespace
}  // namespace streamrun
