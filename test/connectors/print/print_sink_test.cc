#include <streamrun/connectors/print/print_sink.h>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"

namespace streamrun::test {
namespace {

static_assert(SinkOf<PrintSink, std::string>);
static_assert(SinkOf<PrintSink, int>);

class MemoryOutput final : public OutputStream {
 public:
  Result<void> write(std::string_view bytes) override {
    if (failure) return *failure;
    writes.emplace_back(bytes);
    return {};
  }
  std::string text() const {
    std::string all;
    for (const std::string& write : writes) all += write;
    return all;
  }
  std::vector<std::string> writes;
  std::optional<Error> failure;
};

struct Printing {
  explicit Printing(World& world) : context(world.context()) { writer->open(context); }
  void write(const std::vector<std::string>& lines) const {
    Batch<std::string> batch;
    for (const std::string& line : lines) batch.append(line);
    writer->write(batch);
  }
  MemoryOutput output;
  OperatorContext context;
  std::unique_ptr<SinkWriter<std::string>> writer =
      PrintSink{.output = &output}.make_writer<std::string>();
};

TEST_CASE("print sink: lines are printed as they come, without a barrier", "[connectors]") {
  World world;
  const Printing printing(world);
  printing.write({"a", "b"});
  world.settle();
  CHECK(printing.output.text() == "a\nb\n");
}

TEST_CASE("print sink: what comes during a write is gathered for the next one", "[connectors]") {
  World world;
  const Printing printing(world);
  for (int i = 0; i < 100; ++i) printing.write({std::to_string(i)});
  CHECK(world.io.waiting() == 1);
  world.settle();
  CHECK(printing.output.writes.size() == 2);
  CHECK(printing.output.writes[0] == "0\n");
}

TEST_CASE("print sink: a barrier waits until everything before it is printed", "[connectors]") {
  World world;
  const Printing printing(world);
  int prepared = 0;
  const auto count = [&](const Result<std::vector<std::string>>& result) {
    REQUIRE(result);
    CHECK(result->empty());
    ++prepared;
  };
  printing.writer->prepare(1, count);
  CHECK(prepared == 1);  // nothing was to be printed
  printing.write({"a"});
  printing.writer->prepare(2, count);
  CHECK(world.io.run_one());
  CHECK(prepared == 1);
  world.settle();
  CHECK(prepared == 2);
  printing.write({"b"});
  printing.write({"c"});
  printing.writer->prepare(3, count);
  printing.writer->prepare(4, count);
  world.settle();
  CHECK(prepared == 4);
  CHECK(printing.output.text() == "a\nb\nc\n");
  CHECK(printing.writer->commit({}));
}

TEST_CASE("print sink: a slow reader holds the writer up, not the worker", "[connectors]") {
  World world;
  const Printing printing(world);
  const std::string line(1000, 'x');
  int written = 0;
  while (printing.writer->ready()) {
    printing.write({line});
    REQUIRE(++written < 1000);
  }
  CHECK(written == 67);  // one is being written, 64 KiB wait
  CHECK(printing.output.writes.empty());
  world.settle();
  CHECK(printing.writer->ready());
  CHECK(printing.output.text().size() == 67 * 1001);
}

TEST_CASE("print sink: a failed write fails what waits for it, later barriers and the next write",
          "[connectors]") {
  World world;
  Printing printing(world);
  printing.output.failure = Error{.code = ErrorCode::store_io, .message = "injected"};
  printing.write({"a"});
  printing.write({"b"});
  int failed = 0;
  const auto count = [&](const Result<std::vector<std::string>>& result) {
    if (!result && result.error().code == ErrorCode::store_io) ++failed;
  };
  printing.writer->prepare(1, count);
  world.settle();
  CHECK(failed == 1);
  printing.writer->prepare(2, count);
  CHECK(failed == 2);
  CHECK(printing.writer->ready());
  CHECK_THROWS_AS(printing.write({"c"}), ErrorException);
}

TEST_CASE("print sink: a reader that leaves stops the job, and fails no barrier", "[connectors]") {
  World world;
  Printing printing(world);
  std::vector<std::string> reasons;
  printing.context.stop_job = [&](const std::string& why) { reasons.push_back(why); };
  printing.output.failure =
      Error{.code = ErrorCode::cancelled, .message = "standard output was closed"};
  int prepared = 0;
  const auto count = [&](const Result<std::vector<std::string>>& result) {
    if (result) ++prepared;
  };
  printing.write({"a"});
  printing.write({"b"});
  printing.writer->prepare(1, count);
  world.settle();
  CHECK(prepared == 1);
  CHECK(reasons == std::vector<std::string>{"standard output was closed"});
  printing.write({"c"});
  printing.writer->prepare(2, count);
  CHECK(prepared == 2);
  CHECK(world.io.waiting() == 0);
  CHECK(printing.writer->ready());
}

}  // namespace
}  // namespace streamrun::test
