#include "sink_world.h"

namespace streamrun::test {
namespace {

static_assert(SinkOf<FileSink, std::string>);

using Names = std::vector<std::string>;

Error error_of(const Result<void>& result) {
  REQUIRE_FALSE(result);
  return result.error();
}

void put(FileSystem& store, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = value_or_throw(store.create(path));
  value_or_throw(file->append(bytes));
  value_or_throw(file->close());
}

TEST_CASE("file sink: a part is hidden until it is committed", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  sink.write({"a", "", "b"});
  const SinkRun::Committables prepared = sink.must_prepare();
  REQUIRE(prepared.size() == 1);
  CHECK(names_in(store) == Names{hidden(part_name(0))});
  REQUIRE(sink.writer().commit(prepared));
  CHECK(names_in(store) == Names{part_name(0)});
  CHECK(visible_text(store) == "a\n\nb\n");
}

TEST_CASE("file sink: a part ends at every barrier, an empty one is never made", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  CHECK(sink.must_prepare().empty());
  CHECK(store.files().empty());
  sink.write({"a"});
  CHECK(sink.must_prepare().size() == 1);
  CHECK(sink.must_prepare().empty());
  sink.write({"b"});
  CHECK(sink.must_prepare().size() == 1);
  CHECK(names_in(store) == Names{hidden(part_name(0)), hidden(part_name(1))});
}

TEST_CASE("file sink: what is written after a barrier belongs to the next part", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  std::vector<std::string> order;
  std::vector<SinkRun::Committables> prepared;
  const auto prepare = [&](const std::string& name) {
    sink.writer().prepare(1, [&order, &prepared, name](Result<SinkRun::Committables> result) {
      order.push_back(name);
      prepared.push_back(value_or_throw(std::move(result)));
    });
  };
  sink.write({"a"});
  prepare("first");
  sink.write({"b"});
  prepare("second");
  prepare("empty");
  sink.write({"c"});
  CHECK(order.empty());
  world.settle();
  CHECK(order == Names{"first", "second", "empty"});
  REQUIRE(prepared[0].size() == 1);
  CHECK(prepared[2].empty());
  REQUIRE(sink.writer().commit(prepared[0]));
  CHECK(visible_text(store) == "a\n");
  REQUIRE(sink.writer().commit(prepared[1]));
  CHECK(visible_text(store) == "a\nb\n");
}

TEST_CASE("file sink: committing again changes nothing", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  sink.write({"a"});
  SinkRun::Committables prepared = sink.must_prepare();
  sink.write({"b"});
  prepared.push_back(sink.must_prepare().front());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(sink.writer().commit(prepared));
    CHECK(visible_text(store) == "a\nb\n");
  }
}

TEST_CASE("file sink: a rename that was cut short and left both names is finished",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  sink.write({"a"});
  const SinkRun::Committables prepared = sink.must_prepare();
  put(store, "/out/" + part_name(0), "a\n");
  REQUIRE(sink.writer().commit(prepared));
  CHECK(names_in(store) == Names{part_name(0)});
}

TEST_CASE("file sink: a prepared part that is gone, cut or replaced is lost", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  sink.write({"a"});
  const SinkRun::Committables prepared = sink.must_prepare();
  const std::string hidden_path = "/out/" + hidden(part_name(0));
  const std::string final_path = "/out/" + part_name(0);
  std::string expected_place = final_path;
  SECTION("gone") {
    REQUIRE(store.remove_file(hidden_path));
  }
  SECTION("gone, with other bytes in its place") {
    REQUIRE(store.remove_file(hidden_path));
    put(store, final_path, "b\n");
  }
  SECTION("gone, with more bytes in its place") {
    REQUIRE(store.remove_file(hidden_path));
    put(store, final_path, "a\na\n");
  }
  SECTION("its final name is taken") {
    put(store, final_path, "b\n");
  }
  SECTION("cut") {
    REQUIRE(store.remove_file(hidden_path));
    put(store, hidden_path, "a");
    expected_place = hidden_path;
  }
  const auto before = store.files();
  const Error error = error_of(sink.writer().commit(prepared));
  CHECK(error.code == ErrorCode::sink_lost);
  CHECK(error.where == expected_place);
  CHECK(store.files() == before);
}

TEST_CASE("file sink: damaged committables are an error and touch nothing", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  sink.write({"a"});
  const std::string whole = sink.must_prepare().front();
  const auto before = store.files();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    REQUIRE(error_of(sink.writer().commit({whole.substr(0, length)})).code ==
            ErrorCode::state_corrupt);
  }
  REQUIRE(error_of(sink.writer().commit({whole + "x"})).code == ErrorCode::state_corrupt);
  std::string climbing = whole;
  climbing.replace(climbing.find("part-"), 8, "../../pa");
  REQUIRE(error_of(sink.writer().commit({climbing})).code == ErrorCode::state_corrupt);
  CHECK(store.files() == before);
}

TEST_CASE("file sink: full buffers hold the writer up until they are written", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  const std::string line(100'000, 'x');
  std::size_t written = 0;
  while (sink.writer().ready()) {
    sink.write({line});
    ++written;
    REQUIRE(written < 100);
  }
  CHECK(written == 44);  // four buffers of a MiB and the line that fills each
  world.settle();
  CHECK(sink.writer().ready());
  sink.write({line});
  REQUIRE(sink.writer().commit(sink.must_prepare()));
  CHECK(visible_text(store).size() == (written + 1) * (line.size() + 1));
}

TEST_CASE("file sink: a write that fails fails its task, though no record may come any more",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  const Error full{.code = ErrorCode::store_full, .message = "no space left"};
  SECTION("creating the file") {
    store.fail_call(store.steps() + 1, full);
  }
  SECTION("writing") {
    store.fail_call(store.steps() + 2, full);
  }
  SECTION("sync") {
    store.fail_call(store.steps() + 3, full);
  }
  SECTION("closing") {
    store.fail_call(store.steps() + 4, full);
  }
  SECTION("making the name durable") {
    store.fail_call(store.steps() + 5, full);
  }
  sink.write({"a"});
  std::vector<ErrorCode> answers;
  const auto note = [&](const Result<SinkRun::Committables>& prepared) {
    answers.push_back(prepared ? ErrorCode::bug : prepared.error().code);
  };
  sink.writer().prepare(1, note);
  CHECK_THROWS_AS(world.settle(), ErrorException);
  sink.writer().prepare(2, note);
  world.settle();
  CHECK(answers == std::vector<ErrorCode>{ErrorCode::store_full, ErrorCode::store_full});
  CHECK(sink.writer().ready());  // so that the task comes to hear of it
  CHECK_THROWS_AS(sink.write({"b"}), ErrorException);
}

TEST_CASE("file sink: prepares that were waiting behind a failed write fail too", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  SinkRun sink(world);
  store.fail_call(store.steps() + 1, {.code = ErrorCode::store_io, .message = "broken"});
  int failures = 0;
  for (int i = 0; i < 3; ++i) {
    sink.write({"a"});
    sink.writer().prepare(
        i, [&](Result<SinkRun::Committables> prepared) { failures += prepared ? 0 : 1; });
  }
  CHECK_THROWS_AS(world.settle(), ErrorException);
  world.settle();
  CHECK(failures == 3);
}

TEST_CASE("file sink: its folder is created with those above it, and is tried out",
          "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  const auto open = [&](const std::string& path) -> std::string {
    try {
      const OperatorContext context = world.context();
      FileSink{.path = path}.make_writer<std::string>()->open(context);
      return "";
    } catch (const ErrorException& thrown) {
      return std::string(info_of(thrown.error().code).text);
    }
  };
  CHECK(open("/new").empty());
  CHECK(value_or_throw(store.status("/new")).kind == FileKind::directory);
  CHECK(open("/new").empty());
  CHECK(open("/not/yet/there").empty());
  CHECK(value_or_throw(store.status("/not/yet/there")).kind == FileKind::directory);
  put(store, "/file", "");
  CHECK(open("/file") == "E-PATH");
  CHECK(open("/file/below") == "E-PATH");
  const std::uint64_t steps = store.steps();
  CHECK(open("/new").empty());
  const std::uint64_t steps_of_open = store.steps() - steps;
  for (std::uint64_t step = 1; step <= steps_of_open; ++step) {
    store.fail_call(store.steps() + step, {.code = ErrorCode::permission, .message = "no"});
    CHECK(open("/new") == "E-PERM");
    for (const auto& [path, bytes] : store.files()) {
      if (path != "/file")
        REQUIRE(store.remove_file(path));  // the probe of an open that failed half-way
    }
  }
}

TEST_CASE("file sink: the folder that it created survives a power cut with what was committed",
          "[connectors]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    sim::MemoryFileSystem store;
    SinkWorld world(store);
    SinkRun sink(world);
    sink.write({"a"});
    REQUIRE(sink.writer().commit(sink.must_prepare()));
    SeededRandom random(seed);
    store.power_cut(random);
    CHECK(visible_text(store) == "a\n");
  }
}

TEST_CASE("file sink: a writer that is gone while a job writes does no harm", "[connectors]") {
  sim::MemoryFileSystem store;
  SinkWorld world(store);
  {
    SinkRun sink(world);
    sink.write({"a"});
    sink.writer().prepare(
        1, [](const Result<SinkRun::Committables>&) { FAIL("nobody is there to hear it"); });
  }
  while (world.io.run_one()) {
  }
  world.mail.clear();  // what a context does whose task has gone
  CHECK(names_in(store) == Names{hidden(part_name(0))});
}

}  // namespace
}  // namespace streamrun::test
