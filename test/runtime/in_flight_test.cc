#include <streamrun/runtime/in_flight.h>
#include <streamrun/state/open_state.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "job_world.h"
#include "task_world.h"

namespace streamrun {
namespace {

TEST_CASE("in-flight recorder: what is abandoned leaves no file", "[runtime]") {
  int leaks = 0;
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    test::World world(seed);
    sim::MemoryFileSystem disk;
    disk.create_directories("/chk-1").value();
    OperatorContext context = world.context();
    context.post = world.poster();
    const auto codec = batch_codec_of<std::int64_t>();
    const std::vector<InputEdge> edges = {
        {.position = 0, .upstream = operator_id_of("a"), .codec = codec},
        {.position = 0, .upstream = operator_id_of("b"), .codec = codec}};
    auto target = std::make_shared<SnapshotTarget>();
    target->file_system = &disk;
    target->directory = "/chk-1";
    bool answered = false;
    bool ok = false;
    auto recorder = std::make_shared<InFlightRecorder>(
        context, edges, target, [&](Result<void> r, std::vector<InFlightRecorder::Piece> pieces) {
          answered = true;
          ok = r.has_value();
          for (auto& piece : pieces)
            if (piece.handle.data.file)
              disk.remove_file("/chk-1/" + piece.handle.data.file->path).value();
        });
    Batch<std::int64_t> batch;
    batch.append(7);
    recorder->record(0, batch);
    recorder->record(1, batch);
    recorder->finish();
    world.io.run_one();
    world.deliver();  // one of the two files is durable
    REQUIRE_FALSE(answered);
    recorder->abandon();
    world.settle();
    REQUIRE(answered);
    REQUIRE_FALSE(ok);
    leaks += disk.files().empty() ? 0 : 1;
  }
  CHECK(leaks == 0);
}

TEST_CASE("stream task: a selector that throws on a restored record is an error", "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.connect();
  const auto thrower = [](std::int64_t n) -> std::int64_t {
    if (n == 7) throw std::runtime_error("no key");
    return n;
  };
  world.task.add_input_edge({.position = 0,
                             .upstream = operator_id_of("keyed"),
                             .mapper = SubtaskStateMapper::range,
                             .codec = keyed_batch_codec_of<std::int64_t, std::int64_t>(thrower)});
  std::string payload;
  ByteWriter out(payload);
  Batch<std::int64_t> batch;
  batch.append(7);
  batch_codec_of<std::int64_t>()->write(out, batch);
  StateFileBuilder builder;
  InFlightHandle handle{.upstream = operator_id_of("keyed"),
                        .mapper = SubtaskStateMapper::range,
                        .type = "int64",
                        .records = 1,
                        .data = {}};
  handle.data.inline_bytes = builder.block(0, 1, payload);
  handle.data.inline_bytes += builder.end();
  std::vector<OperatorSubtaskState> states(1);
  states[0] = state_of("a", 1);
  states[0].in_flight.push_back(handle);
  const Result<void> opened = world.task.open(states);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::job_failed);
}

}  // namespace
}  // namespace streamrun
