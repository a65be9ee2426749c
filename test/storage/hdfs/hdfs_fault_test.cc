#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "hdfs_world.h"

namespace streamrun {
namespace {

using sim::HdfsFault;
using sim::SimHdfs;
using Files = std::map<std::string, std::string>;
using namespace std::chrono_literals;

/// What is done to a store, and how it must look then.
struct Step {
  std::string name;
  std::function<void(SimHdfs&)> prepare;
  std::function<Result<bool>(FileSystem&)> run;
  /// Whether it was done, by what HDFS has; an error leaves what was, or all of it done.
  std::function<bool(const SimHdfs&)> is_done;
  std::function<bool(const SimHdfs&)> is_undone;
};

Result<bool> done(Result<void> result) {
  if (!result) return result.error();
  return true;
}

bool has_file(const SimHdfs& hdfs, const std::string& path, std::string_view bytes) {
  const Files files = hdfs.files();
  const auto found = files.find(path);
  return found != files.end() && found->second == bytes;
}

Step create_step(const std::string& name, std::size_t length, std::size_t piece) {
  const std::string bytes = patterned(length);
  return {.name = name,
          .prepare = [](SimHdfs&) {},
          .run =
              [bytes, piece](FileSystem& files) {
                return done(write_bytes(files, HdfsWorld::path("f"), bytes, piece));
              },
          .is_done = [bytes](const SimHdfs& hdfs) { return has_file(hdfs, "/root/f", bytes); },
          .is_undone = [](const SimHdfs& hdfs) { return hdfs.files().empty(); }};
}

std::vector<Step> all_steps() {
  return {
      create_step("create an empty file", 0, 1),
      create_step("create a small file", 1000, 300),
      create_step("create a file of two pieces", 2'000'000, 1'000'000),
      create_step("create a large file", 9'000'000, 1'000'000),
      {.name = "rename",
       .prepare = [](SimHdfs& hdfs) { hdfs.put_file("/root/f", "f"); },
       .run =
           [](FileSystem& files) {
             return files.rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("g"));
           },
       .is_done =
           [](const SimHdfs& hdfs) {
             return hdfs.files() == Files{{"/root/g", "f"}};
           },
       .is_undone =
           [](const SimHdfs& hdfs) {
             return hdfs.files() == Files{{"/root/f", "f"}};
           }},
      {.name = "remove a file",
       .prepare = [](SimHdfs& hdfs) { hdfs.put_file("/root/f", "f"); },
       .run = [](FileSystem& files) { return files.remove_file(HdfsWorld::path("f")); },
       .is_done = [](const SimHdfs& hdfs) { return hdfs.files().empty(); },
       .is_undone =
           [](const SimHdfs& hdfs) {
             return hdfs.files() == Files{{"/root/f", "f"}};
           }},
      {.name = "remove a folder",
       .prepare = [](SimHdfs& hdfs) { hdfs.put_folder("/root/d"); },
       .run = [](FileSystem& files) { return files.remove_directory(HdfsWorld::path("d")); },
       .is_done = [](const SimHdfs& hdfs) { return !hdfs.has_folder("/root/d"); },
       .is_undone = [](const SimHdfs& hdfs) { return hdfs.has_folder("/root/d"); }},
      {.name = "create a folder",
       .prepare = [](SimHdfs&) {},
       .run = [](FileSystem& files) { return files.create_directory(HdfsWorld::path("d")); },
       .is_done = [](const SimHdfs& hdfs) { return hdfs.has_folder("/root/d"); },
       .is_undone = [](const SimHdfs& hdfs) { return !hdfs.has_folder("/root/d"); }},
      {.name = "publish",
       .prepare = [](SimHdfs&) {},
       .run =
           [](FileSystem& files) {
             return files.publish("hdfs://nn:8020/root", "_metadata", "all of it", "a1");
           },
       .is_done =
           [](const SimHdfs& hdfs) {
             return hdfs.files() == Files{{"/root/_metadata", "all of it"}};
           },
       .is_undone = [](const SimHdfs& hdfs) { return hdfs.files().empty(); }},
      {.name = "read",
       .prepare = [](SimHdfs& hdfs) { hdfs.put_file("/root/f", patterned(9'000'000)); },
       .run = [](FileSystem& files) -> Result<bool> {
         const auto file = SR_TRY(files.open(HdfsWorld::path("f")));
         std::string bytes(file->size(), '\0');
         for (std::size_t at = 0; at < bytes.size(); at += 1'000'000)
           SR_TRY(file->read_at(at, bytes.data() + at, 1'000'000));
         return bytes == patterned(9'000'000);
       },
       .is_done = [](const SimHdfs&) { return true; },
       .is_undone = [](const SimHdfs&) { return false; }},
      {.name = "list",
       .prepare =
           [](SimHdfs& hdfs) {
             for (int i = 0; i < 5; ++i) hdfs.put_file("/root/f" + std::to_string(i), "x");
             hdfs.set_page_entries(2);
           },
       .run = [](FileSystem& files) -> Result<bool> {
         return SR_TRY(files.list("hdfs://nn:8020/root")).size() == 5;
       },
       .is_done = [](const SimHdfs&) { return true; },
       .is_undone = [](const SimHdfs&) { return false; }},
  };
}

/// May end in an error: a false without a reason is an answer, and what can't be sent again is
/// lost.
bool may_fail(const Step& step, HdfsFault fault) {
  if (fault == HdfsFault::boolean_false) return true;
  const bool breaks_body = fault != HdfsFault::late_close && fault != HdfsFault::lost_reply &&
                           fault != HdfsFault::half_body && fault != HdfsFault::dead_data_node &&
                           fault != HdfsFault::server_error_after;
  return breaks_body && step.name == "create a large file";
}

struct Options {
  bool old_server = false;
};

void set_up(HdfsWorld& world, const Step& step, const Options& options) {
  world.hdfs.set_knows_rename_options(!options.old_server);
  world.hdfs.set_tells_file_ids(!options.old_server);
  step.prepare(world.hdfs);
}

void check_outcome(const HdfsWorld& world, const Step& step, const Result<bool>& outcome) {
  if (outcome) {
    CHECK(*outcome);
    CHECK(step.is_done(world.hdfs));
  } else {
    INFO(outcome.error().headline() << " " << outcome.error().why);
    CHECK(step.is_undone(world.hdfs));
  }
}

TEST_CASE("hdfs: whatever happens to one request, each step ends right", "[storage][hdfs]") {
  for (const bool old_server : {false, true}) {
    for (const Step& step : all_steps()) {
      HdfsWorld calm;
      set_up(calm, step, {.old_server = old_server});
      const std::uint64_t before = calm.hdfs.requests();
      REQUIRE(step.run(*calm.files).value());
      const std::uint64_t requests = calm.hdfs.requests() - before;
      for (const HdfsFault fault : sim::all_hdfs_faults()) {
        for (std::uint64_t number = 1; number <= requests; ++number) {
          INFO(step.name << ": " << sim::name_of(fault) << " at request " << number << " of "
                         << requests << (old_server ? " of an old server" : ""));
          HdfsWorld world;
          set_up(world, step, {.old_server = old_server});
          world.hdfs.fail_request(number, fault);
          const Result<bool> outcome = step.run(*world.files);
          if (!may_fail(step, fault)) {
            INFO((outcome ? std::string("no error")
                          : outcome.error().headline() + " " + outcome.error().why));
            CHECK(outcome);
          }
          check_outcome(world, step, outcome);
        }
      }
    }
  }
}

TEST_CASE("hdfs: under many faults a step is done, or not done and says so", "[storage][hdfs]") {
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  const std::vector<Step> steps = all_steps();
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    sim::Tape tape(seed);
    const Step& step = steps[tape.below(steps.size())];
    if (step.name == "read" || step.name == "list") continue;
    INFO(step.name << ", seed " << seed);
    HdfsWorld world;
    set_up(world, step, {.old_server = tape.flip()});
    world.hdfs.draw_faults(tape, tape.between(2, 8));
    const Result<bool> outcome = step.run(*world.files);
    ++(outcome ? right : wrong);
    // An error may leave parts: what would remove them may have failed too.
    if (outcome) check_outcome(world, step, outcome);
  }
  CHECK(right > 100);
  CHECK(wrong > 10);
}

TEST_CASE("hdfs: another one's file is never taken for ours, nor removed", "[storage][hdfs]") {
  for (const HdfsFault fault : sim::all_hdfs_faults()) {
    for (std::uint64_t number = 1; number <= 8; ++number) {
      for (const std::size_t length : {1000UL, 2'000'000UL}) {
        INFO(sim::name_of(fault) << " at request " << number << ", " << length << " bytes");
        HdfsWorld world;
        const std::string theirs = "x" + patterned(length).substr(1);
        const auto file = world->create(HdfsWorld::path("f")).value();
        world.hdfs.put_file("/root/f", theirs);
        world.hdfs.fail_request(world.hdfs.requests() + number, fault);
        Result<void> written = file->append(patterned(length));
        if (written) written = file->sync();
        CHECK_FALSE(written);
        CHECK(has_file(world.hdfs, "/root/f", theirs));
      }
    }
  }
}

TEST_CASE("hdfs: the active name node is found, and found again", "[storage][hdfs]") {
  HdfsSettings settings;
  settings.hadoop = {{"dfs.nameservices", "c"},
                     {"dfs.ha.namenodes.c", "n1,n2"},
                     {"dfs.namenode.http-address.c.n1", "n1:9870"},
                     {"dfs.namenode.http-address.c.n2", "n2:9870"}};
  HdfsWorld world(settings);
  world.hdfs.set_name_nodes({"http://n1:9870", "http://n2:9870"});
  const auto looks = [&world] {
    const std::uint64_t before = world.hdfs.requests();
    CHECK(world->status("hdfs://c/root").value().kind == FileKind::directory);
    return world.hdfs.requests() - before;
  };
  CHECK(looks() == 1);
  world.hdfs.activate(1);
  CHECK(looks() == 2);
  CHECK(looks() == 1);
  world.hdfs.stop("http://n2:9870");
  world.hdfs.activate(0);
  CHECK(looks() == 2);
  CHECK(looks() == 1);
  CHECK(world.hdfs.pauses().empty());

  SECTION("none is active: it asks again after pauses") {
    world.hdfs.activate(1);
    const Error error = world->status("hdfs://c/root").error();
    CHECK(error.code == ErrorCode::unavailable);
    CHECK_THAT(error.message, Catch::Contains("n2"));
    CHECK(world.hdfs.pauses().size() >= 4);
  }
  SECTION("a name node that ends in the middle of a change costs nothing") {
    for (std::uint64_t number = 1; number <= 6; ++number) {
      write_bytes(*world.files, "hdfs://c/root/f", "f").value();
      world.hdfs.fail_request(world.hdfs.requests() + number, HdfsFault::lost_reply);
      CHECK(world->rename_no_replace("hdfs://c/root/f", "hdfs://c/root/g").value());
      CHECK(world->remove_file("hdfs://c/root/g").value());
    }
  }
}

TEST_CASE("hdfs: pauses double, have a random half and a bound", "[storage][hdfs]") {
  HdfsWorld world({.attempts = 12});
  world.hdfs.stop("http://nn:9870");
  CHECK(world->status(HdfsWorld::path("f")).error().code == ErrorCode::unavailable);
  const std::vector<Duration> pauses = world.hdfs.pauses();
  REQUIRE(pauses.size() == 11);
  Duration whole = 100ms;
  for (const Duration pause : pauses) {
    CHECK(pause >= whole / 2);
    CHECK(pause <= whole);
    whole = std::min<Duration>(whole * 2, 5s);
  }
}

TEST_CASE("hdfs: safe mode is waited for, and said if it stays", "[storage][hdfs]") {
  HdfsWorld world;
  world.hdfs.fail_request(3, HdfsFault::safe_mode, 3);
  CHECK(world->create_directory(HdfsWorld::path("d")).value());
  world.hdfs.fail_request(world.hdfs.requests() + 3, HdfsFault::safe_mode, 100);
  const Error error = world->create_directory(HdfsWorld::path("e")).error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK_THAT(error.message, Catch::Contains("safe mode"));
}

TEST_CASE("hdfs: a dead data node is left out", "[storage][hdfs]") {
  for (const std::size_t length : {1000UL, 3'000'000UL, 9'000'000UL}) {
    HdfsWorld world;
    world.hdfs.stop("http://dn1:9864");
    const std::string bytes = patterned(length);
    for (int i = 0; i < 4; ++i) {
      const std::string path = HdfsWorld::path("f" + std::to_string(i));
      write_bytes(*world.files, path, bytes, 700'000).value();
      const bool same = world->read_all(path, kNoLimit).value() == bytes;
      CHECK(same);
    }
  }
}

TEST_CASE("hdfs: the only data node is asked again after a pause", "[storage][hdfs]") {
  HdfsWorld world;
  world.hdfs.set_data_nodes({"http://dn:9864"});
  world.hdfs.fail_request(4, HdfsFault::lost_request);  // the body: after two looks and CREATE
  write_bytes(*world.files, HdfsWorld::path("f"), "abc").value();
  CHECK(world->read_all(HdfsWorld::path("f"), 10).value() == "abc");
  CHECK(world.hdfs.pauses().size() == 1);
}

TEST_CASE("hdfs: no data node at all is waited for, then E-STORE-FULL", "[storage][hdfs]") {
  HdfsWorld world;
  world.hdfs.set_data_nodes({});
  const Error error = write_bytes(*world.files, HdfsWorld::path("f"), "abc").error();
  CHECK(error.code == ErrorCode::store_full);
  CHECK_THAT(error.message, Catch::Contains("all are full, or none is there"));
  CHECK(world.hdfs.pauses().size() == 4);
}

TEST_CASE("hdfs: no space is E-STORE-FULL, and nothing is left", "[storage][hdfs]") {
  for (const std::size_t length : {1000UL, 3'000'000UL}) {
    HdfsWorld world;
    world.hdfs.set_capacity(500);
    const Error error = write_bytes(*world.files, HdfsWorld::path("f"), patterned(length)).error();
    CHECK(error.code == ErrorCode::store_full);
    CHECK_THAT(error.why, Catch::Contains("could only be written to 0 of"));
    CHECK(error.where == HdfsWorld::path("f"));
  }
}

HttpResponse exception_of(int status, const std::string& name, const std::string& message) {
  return {.status = status,
          .headers = {},
          .body = R"({"RemoteException":{"exception":")" + name + R"(","javaClassName":"x.)" +
                  name + R"(","message":")" + message + "\"}}"};
}

TEST_CASE("hdfs: what Java throws has a code", "[storage][hdfs]") {
  struct Row {
    int status;
    std::string exception;
    std::string message;
    ErrorCode code;
  };
  const std::vector<Row> rows = {
      {404, "FileNotFoundException", "File does not exist: /f", ErrorCode::path},
      {403, "ParentNotDirectoryException", "/f (is not a directory)", ErrorCode::path},
      {403, "AccessControlException", "Permission denied: user=me", ErrorCode::permission},
      {401, "SecurityException", "Failed to obtain user group information", ErrorCode::permission},
      {403, "NSQuotaExceededException", "The NameSpace quota", ErrorCode::store_full},
      {403, "DSQuotaExceededException", "The DiskSpace quota", ErrorCode::store_full},
      {403, "IOException", "No space left on device", ErrorCode::store_full},
      {403, "IOException", "Failed to find datanode, suggest to check", ErrorCode::store_full},
      {403, "IOException", "No active nodes contain this block", ErrorCode::unavailable},
      {403, "IOException", "something", ErrorCode::store_io},
      {400, "IllegalArgumentException", "Invalid value", ErrorCode::store_io},
      {403, "SafeModeException", "Name node is in safe mode", ErrorCode::unavailable},
      {403, "StandbyException", "not supported in state standby", ErrorCode::unavailable},
      {403, "RetriableException", "in startup mode", ErrorCode::unavailable},
      {500, "RuntimeException", "oops", ErrorCode::unavailable},
  };
  for (const Row& row : rows) {
    INFO(row.exception << ": " << row.message);
    HdfsWorld world;
    world.hdfs.answer_all(exception_of(row.status, row.exception, row.message));
    const Error error = world->status(HdfsWorld::path("f")).error();
    CHECK(error.code == row.code);
    CHECK(error.where == HdfsWorld::path("f"));
    CHECK_THAT(error.why, Catch::Contains(row.message));
  }
}

TEST_CASE("hdfs: Kerberos is said to be the reason", "[storage][hdfs]") {
  HdfsWorld world;
  world.hdfs.answer_all(HttpResponse{.status = 401,
                                     .headers = {{"www-authenticate", "Negotiate"}},
                                     .body = "<html>Authentication required</html>"});
  const Error error = world->status(HdfsWorld::path("f")).error();
  CHECK(error.code == ErrorCode::permission);
  CHECK_THAT(error.message, Catch::Contains("Kerberos"));
  CHECK(error.retry == Retry::no);
  CHECK(world.hdfs.requests() == 1);
}

TEST_CASE("hdfs: nonsense is E-UNAVAILABLE with its first bytes", "[storage][hdfs]") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"FileStatus\":";
  const std::vector<std::string> bodies = {
      "",         "<html>\x01\n log in</html>" + std::string(1000, 'x'),
      "{",        "[]",
      "null",     "{}",
      "\"\"",     R"({"FileStatus":[]})",
      deep,       R"({"FileStatus":{"type":"FILE","length":-1}})",
      "\xff\xfe", R"({"FileStatus":{"type":"FILE","length":"1"}})"};
  for (const int status : {200, 201, 307, 404, 418, 500}) {
    for (const std::string& body : bodies) {
      INFO(status << " " << body.substr(0, 50));
      HdfsWorld world;
      world.hdfs.answer_all(HttpResponse{.status = status, .headers = {}, .body = body});
      for (const Error& error :
           {world->status(HdfsWorld::path("f")).error(), world->list(HdfsWorld::path("f")).error(),
            world->open(HdfsWorld::path("f")).error(), world->create(HdfsWorld::path("f")).error(),
            world->create_directory(HdfsWorld::path("f")).error(),
            world->remove_file(HdfsWorld::path("f")).error()}) {
        CHECK(error.code == ErrorCode::unavailable);
        CHECK(error.why.size() <= 200);
        CHECK(std::all_of(error.why.begin(), error.why.end(),
                          [](char c) { return c >= ' ' && c <= '~'; }));
      }
    }
  }
  HdfsWorld world;
  world.hdfs.answer_all(
      HttpResponse{.status = 200, .headers = {}, .body = "<html>\x01 log in</html>"});
  const Error error = world->status(HdfsWorld::path("f")).error();
  CHECK_THAT(error.message, Catch::Contains("http://nn:9870"));
  CHECK(error.why == "<html>? log in</html>");
}

TEST_CASE("hdfs: the only data node is asked again after it failed", "[storage][hdfs]") {
  for (const HdfsFault fault : sim::all_hdfs_faults()) {
    INFO(sim::name_of(fault));
    HdfsWorld world;
    world.hdfs.set_data_nodes({"http://dn:9864"});
    world.hdfs.put_file("/root/f", "abc");
    bool has_failed = false;
    world.hdfs.choose_faults([&](const sim::HdfsSeen& seen) {
      const bool is_hit = !seen.at_name_node && !std::exchange(has_failed, true);
      return is_hit ? fault : HdfsFault::none;
    });
    CHECK(world->read_all(HdfsWorld::path("f"), kNoLimit).value() == "abc");
    CHECK(has_failed);
    has_failed = false;
    write_bytes(*world.files, HdfsWorld::path("g"), "def").value();
    CHECK(has_file(world.hdfs, "/root/g", "def"));
    CHECK(has_failed);
  }
}

TEST_CASE("hdfs: redirects are followed once", "[storage][hdfs]") {
  HdfsWorld world;
  world.hdfs.put_file("/root/f", "abc");
  const auto file = world->open(HdfsWorld::path("f")).value();
  world.hdfs.answer_all(
      HttpResponse{.status = 307,
                   .headers = {{"location", "http://dn1:9864/webhdfs/v1/root/f?op=OPEN"}},
                   .body = {}});
  char byte = 0;
  const std::uint64_t before = world.hdfs.requests();
  CHECK(file->read_at(0, &byte, 1).error().code == ErrorCode::unavailable);
  CHECK(world.hdfs.requests() - before <= 10);
  for (const char* location : {"", "file:///etc/passwd", "/webhdfs/v1/f", "ftp://x/y"}) {
    world.hdfs.answer_all(
        HttpResponse{.status = 307, .headers = {{"location", location}}, .body = {}});
    CHECK(file->read_at(0, &byte, 1).error().code == ErrorCode::unavailable);
  }
}

}  // namespace
}  // namespace streamrun
