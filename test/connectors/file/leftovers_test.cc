#include "sink_world.h"

namespace streamrun::test {
namespace {

using Names = std::vector<std::string>;

const std::string kOtherJob(32, 'b');

std::string of_other_job(const std::string& name) {
  return "part-" + kOtherJob + name.substr(5 + 32);
}

void put(FileSystem& store, const std::string& name, std::string_view bytes = "x\n") {
  value_or_throw(store.create_directory("/out"));
  const std::unique_ptr<WritableFile> file = value_or_throw(store.create("/out/" + name));
  value_or_throw(file->append(bytes));
  value_or_throw(file->close());
}

/// What is left of one file after a sink has started.
bool stays(sim::MemoryFileSystem& store, SinkWorld& world, const std::string& name) {
  put(store, name);
  SinkRun sink(world, "attempt-2");
  REQUIRE(sink.writer().remove_leftovers());
  return store.files().count("/out/" + name) == 1;
}

TEST_CASE("file sink: unfinished parts of an earlier attempt of this run are removed",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  CHECK_FALSE(stays(store, world, hidden(part_name(3, "attempt-1"))));
  CHECK(world.log.warnings.empty());
}

TEST_CASE("file sink: unfinished parts of another run are removed only if it is dead",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  const std::string name = hidden(of_other_job(part_name(0)));
  SECTION("dead") {
    world.fates[kOtherJob] = RunFate::dead;
    CHECK_FALSE(stays(store, world, name));
    CHECK(world.log.warnings.empty());
  }
  for (const RunFate fate : {RunFate::alive, RunFate::stranger, RunFate::unknown}) {
    DYNAMIC_SECTION("fate " << static_cast<int>(fate)) {
      world.fates[kOtherJob] = fate;
      put(store, hidden(of_other_job(part_name(1))));
      CHECK(stays(store, world, name));
      REQUIRE(world.log.warnings.size() == 1);
      CHECK(world.log.warnings[0].find("2 unfinished part(s) in /out were left alone") !=
            std::string::npos);
    }
  }
}

TEST_CASE("file sink: what is not surely a leftover of this operator stays", "[connectors]") {
  for (const std::string& name :
       {hidden(part_name(5, "attempt-2")),
        hidden("part-" + std::string(32, 'a') + "-00000000-0-attempt-1-0"),
        std::string(".part-other.inprogress"), hidden(part_name(0)) + "x",
        hidden(part_name(0) + "7x"), part_name(0)}) {
    INFO(name);
    sim::MemoryFileSystem store;
    SinkWorld world(store);
    CHECK(stays(store, world, name));
  }
}

TEST_CASE("file sink: a subtask sees to its own share of the leftovers", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  for (int subtask = 0; subtask < 5; ++subtask)
    put(store, hidden(part_name(0, "attempt-1", subtask)));
  SinkRun sink(world, "attempt-2", {}, 1, 2);
  REQUIRE(sink.writer().remove_leftovers());
  CHECK(names_in(store) == Names{hidden(part_name(0, "attempt-1", 0)),
                                 hidden(part_name(0, "attempt-1", 2)),
                                 hidden(part_name(0, "attempt-1", 4))});
}

TEST_CASE("file sink: what a retained snapshot of a dead run names stays", "[connectors]") {
  sim::MemoryFileSystem store;
  std::string committable;
  {
    SinkWorld world(store);
    SinkRun sink(world);
    sink.write({"a"});
    committable = sink.must_prepare().front();
    sink.write({"b"});
    sink.must_prepare();
  }
  SinkWorld world(store);
  SinkRun sink(world, "attempt-2");
  world.fates[std::string(32, 'a')] = RunFate::dead;
  sink.context().job_id = value_or_throw(parse_job_id(kOtherJob));
  world.retained[std::string(32, 'a')] = {committable};
  SECTION("exactly that") {
    REQUIRE(sink.writer().remove_leftovers());
    CHECK(names_in(store) == Names{hidden(part_name(0))});
  }
  SECTION("and everything, if it can't be read") {
    world.retained[std::string(32, 'a')].emplace_back("damaged");
    REQUIRE(sink.writer().remove_leftovers());
    CHECK(names_in(store).size() == 2);
    CHECK(world.log.warnings.size() == 1);
  }
}

TEST_CASE(
    "file sink: a run whose snapshots are damaged keeps its own leftovers and no one else's (R2)",
    "[connectors]") {
  const std::string third_job(32, 'c');
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  const std::string damaged = hidden(of_other_job(part_name(0)));
  put(store, damaged);
  put(store, hidden("part-" + third_job + part_name(0).substr(5 + 32)));
  put(store, hidden(part_name(0)));
  world.fates[kOtherJob] = RunFate::dead;
  world.fates[third_job] = RunFate::dead;
  SinkRun sink(world, "attempt-2");
  sink.context().retained_committables = [](const JobId& id) {
    if (to_string(id) == kOtherJob) {
      throw_error({.code = ErrorCode::metadata_corrupt, .message = "checksum"});
    }
    return std::vector<std::string>();
  };
  REQUIRE(sink.writer().remove_leftovers());
  CHECK(names_in(store) == Names{damaged});
  REQUIRE(world.log.warnings.size() == 2);
  CHECK(world.log.warnings[0] ==
        "sink name: cannot tell what " + kOtherJob + " still needs: E-META-CORRUPT: checksum");
  CHECK(world.log.warnings[1].find("1 unfinished part(s)") != std::string::npos);
}

TEST_CASE("file sink: what was restored stays even before it is committed", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun::Committables prepared;
  {
    SinkRun sink(world);
    sink.write({"a"});
    prepared = sink.must_prepare();
  }
  SinkRun sink(world, "attempt-2", prepared);
  REQUIRE(sink.writer().remove_leftovers());
  REQUIRE(sink.writer().commit(prepared));
  CHECK(visible_text(store) == "a\n");
}

TEST_CASE("file sink: a fresh start warns of finished parts that are not its family's",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  put(store, of_other_job(part_name(0)));
  put(store, of_other_job(part_name(1)));
  put(store, "part-00000");
  const auto warnings_of = [&](int subtask, const SinkRun::Committables& restored) {
    world.log.warnings.clear();
    SinkRun sink(world, "attempt-2", restored, subtask, 2);
    REQUIRE(sink.writer().remove_leftovers());
    return world.log.warnings;
  };
  REQUIRE(warnings_of(0, {}).size() == 1);
  CHECK(warnings_of(0, {})[0] ==
        "sink name: /out already holds 3 finished part(s) of other jobs: this one adds to them");
  CHECK(warnings_of(1, {}).empty());
  CHECK(warnings_of(0, {"something"}).empty());
  world.fates[kOtherJob] = RunFate::dead;
  CHECK(warnings_of(0, {})[0].find("1 finished part(s)") != std::string::npos);
}

TEST_CASE("file sink: a leftover that can't be removed is a warning, an unreadable folder an error",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  put(store, hidden(part_name(0)));
  SinkRun sink(world, "attempt-2");
  store.fail_call(store.steps() + 1, {.code = ErrorCode::permission, .message = "not yours"});
  REQUIRE(sink.writer().remove_leftovers());
  CHECK(world.log.warnings.size() == 1);
  CHECK(names_in(store).size() == 1);
  REQUIRE(store.remove_file("/out/" + hidden(part_name(0))));
  REQUIRE(store.remove_directory("/out"));
  CHECK_FALSE(sink.writer().remove_leftovers());
}

}  // namespace
}  // namespace streamrun::test
