#include <streamrun/runtime/shared_file_claims.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using Names = SharedFileClaims::Names;

/// Claims, and says whether they were granted.
struct Claims : SharedFileClaims {
  int granted = 0;
  bool claim(CheckpointId id, int task, const std::string& name) {
    const int before = granted;
    SharedFileClaims::claim(id, task, name, [this] { ++granted; });
    return granted > before;
  }
};

TEST_CASE(
    "shared file claims: what a checkpoint claims goes when the last that needs it is dropped",
    "[runtime]") {
  Claims claims;
  claims.begin(1);
  CHECK(claims.claim(1, 0, "a"));
  CHECK(claims.claim(1, 1, "b"));
  CHECK(claims.has_claimed(1, "a"));
  CHECK(claims.writers_ended(1, 0).empty());
  CHECK(claims.writers_ended(1, 1).empty());
  CHECK(claims.complete(1, {"a", "b"}).empty());
  claims.begin(2);
  CHECK(claims.claim(2, 0, "c"));
  CHECK_FALSE(claims.has_claimed(2, "a"));
  CHECK(claims.complete(2, {"a", "c"}).empty());
  CHECK(claims.drop(1) == Names{"b"});
  CHECK(claims.drop(2) == Names{"a", "c"});
}

TEST_CASE(
    "shared file claims: what is given up keeps its files until all of its writers have ended",
    "[runtime]") {
  Claims claims;
  claims.begin(1);
  CHECK(claims.claim(1, 0, "a"));
  CHECK(claims.claim(1, 1, "b"));
  CHECK(claims.writers_ended(1, 0).empty());
  CHECK(claims.give_up(1).empty());
  CHECK(claims.writers_ended(1, 0).empty());
  CHECK(claims.writers_ended(1, 1) == Names{"a", "b"});
  CHECK(claims.writers_ended(1, 1).empty());
}

TEST_CASE("shared file claims: without writers what is given up goes at once", "[runtime]") {
  Claims claims;
  claims.begin(1);
  CHECK(claims.claim(1, 0, "a"));
  CHECK(claims.writers_ended(1, 0).empty());
  CHECK(claims.give_up(1) == Names{"a"});
  CHECK(claims.give_up(1).empty());
  CHECK(claims.give_up(7).empty());
}

TEST_CASE("shared file claims: nothing is granted to what is not under way", "[runtime]") {
  Claims claims;
  CHECK_FALSE(claims.claim(1, 0, "a"));
  claims.begin(1);
  CHECK(claims.give_up(1).empty());
  CHECK_FALSE(claims.claim(1, 0, "a"));
  CHECK(claims.attempt_ended().empty());
}

TEST_CASE("shared file claims: a claim waits while the file is removed", "[runtime]") {
  Claims claims;
  claims.found({{1, {"a"}}});
  CHECK(claims.drop(1) == Names{"a"});
  claims.begin(2);
  claims.begin(3);
  CHECK_FALSE(claims.claim(2, 0, "a"));
  CHECK_FALSE(claims.claim(3, 0, "a"));
  CHECK(claims.give_up(3).empty());
  claims.removed({"a"});
  CHECK(claims.granted == 1);
  CHECK(claims.has_claimed(2, "a"));
  CHECK(claims.complete(2, {"a"}).empty());
  CHECK(claims.drop(2) == Names{"a"});
}

TEST_CASE("shared file claims: with an attempt all that it had under way ends", "[runtime]") {
  Claims claims;
  claims.found({{1, {"a"}}});
  claims.begin(2);
  claims.begin(3);
  CHECK(claims.claim(2, 0, "b"));
  CHECK(claims.claim(3, 0, "c"));
  CHECK(claims.give_up(2).empty());
  CHECK(claims.attempt_ended() == Names{"b", "c"});
  CHECK(claims.drop(1) == Names{"a"});
}

TEST_CASE("shared file claims: what one in doubt may need stays for good (R1)", "[runtime]") {
  Claims claims;
  claims.found({{1, {"a"}}});
  claims.begin(2);
  CHECK(claims.claim(2, 0, "b"));
  CHECK_FALSE(claims.has_doubt());
  claims.doubt(2);
  CHECK(claims.has_doubt());
  CHECK(claims.drop(1).empty());
  CHECK(claims.attempt_ended().empty());
}

}  // namespace
}  // namespace streamrun
