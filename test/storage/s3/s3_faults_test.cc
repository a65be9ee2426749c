#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "s3_world.h"

// One exchange goes wrong, each one of an operation in turn: the operation ends as if it had not.

namespace streamrun {
namespace {

using sim::S3Fault;

struct Operation {
  const char* name;
  std::function<void(S3World&)> prepare;
  std::function<bool(FileSystem&)> run;  ///< whether it answered what it should
  std::function<bool(const S3World&)> is_right;
};

const std::string& large() {
  static const std::string bytes = numbered_bytes(8 * kMiB + 5);
  return bytes;
}

std::vector<Operation> operations() {
  const auto nothing = [](S3World&) {};
  const auto place_f = [](S3World& world) { world.place("r/f", "content"); };
  const auto says = [](const Result<bool>& answer, bool wanted) {
    return answer && *answer == wanted;
  };
  return {
      {"create", nothing,
       [](FileSystem& files) { return write_s3(files, "s3://b/r/f", "content").has_value(); },
       [](const S3World& world) { return world.bytes("r/f") == "content"; }},
      {"create where a file is", place_f,
       [](FileSystem& files) {
         const Result<void> written = write_s3(files, "s3://b/r/f", "other");
         return !written && written.error().code == ErrorCode::store_io;
       },
       [](const S3World& world) { return world.bytes("r/f") == "content"; }},
      {"create in parts", nothing,
       [](FileSystem& files) { return write_s3(files, "s3://b/r/f", large()).has_value(); },
       [](const S3World& world) { return world.bytes("r/f") == large(); }},
      {"create in parts where a file is", place_f,
       [](FileSystem& files) {
         const Result<void> written = write_s3(files, "s3://b/r/f", large());
         return !written && written.error().code == ErrorCode::store_io;
       },
       [](const S3World& world) { return world.bytes("r/f") == "content"; }},
      {"rename", place_f,
       [says](FileSystem& files) {
         return says(files.rename_no_replace("s3://b/r/f", "s3://b/r/g"), true);
       },
       [](const S3World& world) {
         return world.bytes("r/g") == "content" && world.server.keys("b").count("r/f") == 0;
       }},
      {"remove a file", place_f,
       [says](FileSystem& files) { return says(files.remove_file("s3://b/r/f"), true); },
       [](const S3World& world) { return world.server.keys("b").empty(); }},
      {"remove no file", nothing,
       [says](FileSystem& files) { return says(files.remove_file("s3://b/r/f"), false); },
       [](const S3World& world) { return world.server.keys("b").empty(); }},
      {"publish", nothing,
       [says](FileSystem& files) {
         return says(files.publish("s3://b/r", "f", "content", "a"), true);
       },
       [](const S3World& world) { return world.bytes("r/f") == "content"; }},
      {"publish where a file is", place_f,
       [says](FileSystem& files) {
         return says(files.publish("s3://b/r", "f", "CONTENT", "a"), false);
       },
       [](const S3World& world) { return world.bytes("r/f") == "content"; }},
      {"create a folder", nothing,
       [says](FileSystem& files) { return says(files.create_directory("s3://b/r"), true); },
       [](const S3World& world) { return world.server.keys("b") == std::set<std::string>{"r/"}; }},
      {"create a folder that is there", [](S3World& world) { world.place("r/", ""); },
       [says](FileSystem& files) { return says(files.create_directory("s3://b/r"), false); },
       [](const S3World& world) { return world.server.keys("b") == std::set<std::string>{"r/"}; }},
      {"remove a folder", [](S3World& world) { world.place("r/", ""); },
       [says](FileSystem& files) { return says(files.remove_directory("s3://b/r"), true); },
       [](const S3World& world) { return world.server.keys("b").empty(); }},
      {"list",
       [](S3World& world) {
         world.place("r/f", "1");
         world.place("r/g", "2");
         world.place("r/h", "3");
       },
       [](FileSystem& files) {
         const auto found = files.list("s3://b/r");
         return found && found->size() == 3;
       },
       [](const S3World&) { return true; }},
      {"status of nothing", nothing,
       [](FileSystem& files) {
         const Result<bool> there = files.exists("s3://b/r/f");
         return there && !*there;
       },
       [](const S3World&) { return true; }},
      {"open", place_f,
       [](FileSystem& files) {
         const Result<std::string> read = files.read_all("s3://b/r/f", kNoLimit);
         return read && *read == "content";
       },
       [](const S3World&) { return true; }},
  };
}

/// What is in the bucket beside the operation's own: probes whose removal failed go unnoticed, but
/// here every fault comes once.
bool has_leftovers(const S3World& world) {
  for (const std::string& key : world.server.keys("b")) {
    if (key.find("probe") != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("s3: a single fault at any exchange changes no outcome", "[s3]") {
  const auto fault =
      GENERATE(S3Fault::lost_reply, S3Fault::lost_request, S3Fault::internal_error,
               S3Fault::slow_down, S3Fault::conflict, S3Fault::html, S3Fault::error_in_success);
  for (const Operation& operation : operations()) {
    for (std::size_t number = 1;; ++number) {
      INFO(operation.name << ", fault " << static_cast<int>(fault) << " at exchange " << number);
      S3World world;
      world.server.page_keys = 2;
      operation.prepare(world);
      bool was_hit = false;
      std::string hit;
      world.server.fault = [&](const sim::S3Seen& seen) {
        if (seen.number != number) return S3Fault::none;
        was_hit = true;
        hit = seen.method + " " + seen.key + (seen.query.count("uploadId") > 0 ? " upload" : "");
        return fault;
      };
      {
        const auto files = world.make();
        CHECK(operation.run(*files));
      }
      INFO(hit);
      CHECK(operation.is_right(world));
      CHECK_FALSE(has_leftovers(world));
      // Of a lost reply to the beginning or the abort of an upload, an invisible one stays.
      CHECK(world.server.open_uploads() <= 1);
      if (!was_hit) break;
      REQUIRE(number < 100);
    }
  }
}

TEST_CASE("s3: with a reply lost of every exchange's first attempt all ends well", "[s3]") {
  for (const Operation& operation : operations()) {
    INFO(operation.name);
    S3World world;
    operation.prepare(world);
    world.server.fault = [&](const sim::S3Seen& seen) {
      return seen.number % 2 == 1 ? S3Fault::lost_reply : S3Fault::none;
    };
    const auto files = world.make();
    CHECK(operation.run(*files));
    CHECK(operation.is_right(world));
  }
}

TEST_CASE("s3: a name that another takes between the attempts is another's", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/first", "x"));
  // Ours fails before it is done, and theirs comes in between.
  world.server.fault = [&](const sim::S3Seen& seen) {
    if (seen.number != 5) return S3Fault::none;
    world.place("f", "theirs");
    return S3Fault::lost_request;
  };
  CHECK_FALSE(write_s3(*files, "s3://b/f", "theirs"));  // the same bytes, and yet not ours
  CHECK(world.bytes("f") == "theirs");
}

TEST_CASE("s3: after a lost reply, the object is ours even if it was seen by nobody", "[s3]") {
  S3World world;
  const auto files = world.make();
  world.server.fault = [](const sim::S3Seen& seen) {
    const bool is_file = seen.method == "PUT" && seen.key == "r/_metadata";
    return is_file ? S3Fault::lost_reply : S3Fault::none;
  };
  CHECK(files->publish("s3://b/r", "_metadata", "attempt-1", "attempt-1").value());
  CHECK_FALSE(files->publish("s3://b/r", "_metadata", "attempt-2", "attempt-2").value());
  CHECK(world.bytes("r/_metadata") == "attempt-1");
}

TEST_CASE("s3: what stays without answer is said so, and no guess", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/first", "x"));
  world.server.fault = [](const sim::S3Seen&) { return S3Fault::lost_reply; };
  CHECK(files->publish("s3://b/r", "_metadata", "x", "a").error().code == ErrorCode::store_fatal);
  CHECK(write_s3(*files, "s3://b/f", "x").error().code == ErrorCode::unavailable);
  CHECK(files->exists("s3://b/first").error().code == ErrorCode::unavailable);
  CHECK(files->remove_file("s3://b/first").error().code == ErrorCode::unavailable);
}

TEST_CASE("s3: a rename that was cut in the middle leaves both names", "[s3]") {
  S3World world;
  world.place("f", "content");
  S3Settings settings = world.settings();
  settings.attempts = 1;
  const auto files = world.make(settings);
  world.server.fault = [](const sim::S3Seen& seen) {
    return seen.method == "DELETE" ? S3Fault::lost_request : S3Fault::none;
  };
  CHECK_FALSE(files->rename_no_replace("s3://b/f", "s3://b/g"));
  CHECK(world.bytes("f") == world.bytes("g"));
  CHECK_FALSE(files->rename_no_replace("s3://b/f", "s3://b/g").value());
}

TEST_CASE("s3: a listing that is late hides a file, and makes none", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(files->create_directory("s3://b/r").value());
  REQUIRE(write_s3(*files, "s3://b/r/f", "x"));
  world.server.list_is_stale = true;
  REQUIRE(write_s3(*files, "s3://b/r/g", "x"));
  CHECK(files->list("s3://b/r").value().size() == 1);
  // What is asked for by name is there at once.
  CHECK(files->status("s3://b/r/g").value().kind == FileKind::file);
  CHECK_FALSE(files->create_directory("s3://b/r").value());
}

}  // namespace
}  // namespace streamrun
