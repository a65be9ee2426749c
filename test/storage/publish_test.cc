#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "test_stores.h"

namespace streamrun {
namespace {

constexpr std::uint64_t kSeeds = 40;

struct Crash {};

Error io_error() {
  return {.code = ErrorCode::store_io, .message = "injected"};
}

std::string large_text() {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

/// A store with the durable folder `/d`; `first` is the number of the first step after that.
struct Prepared {
  Prepared() {
    files.create_directories("/d").value();
    first = files.steps() + 1;
  }
  Result<bool> publish(std::string_view bytes) {
    return files.publish("/d", "_metadata", bytes, "a1");
  }

  sim::MemoryFileSystem files;
  std::uint64_t first = 0;
};

std::uint64_t steps_of_publish() {
  Prepared prepared;
  prepared.publish("x").value();
  return prepared.files.steps() - prepared.first + 1;
}

/// Runs publish and crashes it before its step `step`, counted from 1; returns whether it got that
/// far.
bool crash_before(Prepared& prepared, std::uint64_t step, std::string_view bytes) {
  prepared.files.before_step([&](const sim::StorageStep& at) {
    if (at.number == prepared.first + step - 1) throw Crash();
  });
  bool crashed = false;
  try {
    prepared.publish(bytes).value();  // not in a CHECK, which would catch the crash
  } catch (const Crash&) {
    crashed = true;
  }
  prepared.files.before_step({});
  return crashed;
}

TEST_CASE("publish: a power cut before any step leaves the whole file or none", "[storage]") {
  const std::string bytes = large_text();
  std::uint64_t kept = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t step = 1; step <= steps_of_publish(); ++step) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      Prepared prepared;
      REQUIRE(crash_before(prepared, step, bytes));
      SeededRandom random(seed);
      prepared.files.power_cut(random);
      const std::map<std::string, std::string> left = prepared.files.files();
      const auto found = left.find("/d/_metadata");
      if (found != left.end()) REQUIRE(found->second == bytes);
      ++(found != left.end() ? kept : lost);
    }
  }
  CHECK(kept > 0);
  CHECK(lost > kept);
}

TEST_CASE("publish: a kill before any step leaves the whole file or none", "[storage]") {
  for (std::uint64_t step = 1; step <= steps_of_publish(); ++step) {
    Prepared prepared;
    REQUIRE(crash_before(prepared, step, "bytes"));
    prepared.files.kill();
    if (prepared.files.exists("/d/_metadata").value()) {
      CHECK(prepared.files.read_all("/d/_metadata", 100).value() == "bytes");
      CHECK(step == steps_of_publish());  // only the last sync was missing
    }
  }
}

TEST_CASE("publish: after it returned no power cut takes the file away", "[storage]") {
  const std::string bytes = large_text();
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Prepared prepared;
    REQUIRE(prepared.publish(bytes).value());
    SeededRandom random(seed);
    prepared.files.power_cut(random);
    REQUIRE(prepared.files.files() == std::map<std::string, std::string>{{"/d/_metadata", bytes}});
  }
}

TEST_CASE("publish: a step that fails is reported, and nothing stays", "[storage]") {
  for (std::uint64_t step = 1; step <= steps_of_publish(); ++step) {
    Prepared prepared;
    prepared.files.fail_call(prepared.first + step - 1, io_error());
    const Result<bool> published = prepared.publish("bytes");
    REQUIRE_FALSE(published);
    CHECK(published.error().message == "injected");
    CHECK(prepared.files.files().empty());
    CHECK(prepared.publish("bytes").value());  // and it can be tried again
  }
}

TEST_CASE("publish: a file that can be neither made durable nor withdrawn is fatal", "[storage]") {
  const std::uint64_t last = steps_of_publish();
  for (const std::uint64_t also : {last + 1, last + 2}) {  // the removal, and its sync
    Prepared prepared;
    prepared.files.fail_call(prepared.first + last - 1, io_error());
    prepared.files.fail_call(prepared.first + also - 1, io_error());
    const Result<bool> published = prepared.publish("bytes");
    REQUIRE_FALSE(published);
    CHECK(published.error().code == ErrorCode::store_fatal);
    CHECK(published.error().retry == Retry::no);
    CHECK(published.error().where == "/d/_metadata");
  }
}

TEST_CASE("publish: a draft of another attempt is not in the way", "[storage]") {
  Prepared prepared;
  write_file(prepared.files, "/d/._metadata.tmp-a0", "half");
  CHECK(prepared.publish("bytes").value());
  CHECK(prepared.files.read_all("/d/._metadata.tmp-a0", 100).value() == "half");
}

TEST_CASE("create_directories: what it returned from survives a power cut", "[storage]") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    sim::MemoryFileSystem files;
    REQUIRE(files.create_directories("/a/b/c"));
    SeededRandom random(seed);
    files.power_cut(random);
    REQUIRE(files.exists("/a/b/c").value());
  }
}

}  // namespace
}  // namespace streamrun
