// A binary with jobs of its own, as a user would write it: what it prints is under the control of
// the tests.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/cli/streamrun_main.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>
#include <streamrun/state/operator_state.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

namespace {

using namespace streamrun;

GeneratorSource<std::int64_t> numbers(std::int64_t count) {
  return {.make = [](std::uint64_t index) { return static_cast<std::int64_t>(index); },
          .count = static_cast<std::uint64_t>(count)};
}

struct Number {
  std::int64_t value = 0;
};

GeneratorSource<Number> records(std::int64_t count) {
  return {.make = [](std::uint64_t index) { return Number{static_cast<std::int64_t>(index)}; },
          .count = static_cast<std::uint64_t>(count)};
}

void tally(StreamExecutionEnvironment& env, JobArguments& args) {
  const std::int64_t count = args.integer("count", "how many numbers", 10);
  args.paths("input", "folder with numbers");
  args.text("label", "what to call them");
  const bool loud = args.flag("loud", "print more");
  args.optional_text("note", loud ? "a note" : "a note, for nothing");
  env.from_source(records(count), {.uid = "numbers", .name = "Numbers"})
      .key_by(&Number::value)
      .aggregate(counting(), [](std::int64_t key, std::int64_t) { return key; },
                 {.uid = "tally", .name = "Tally", .parallelism = 2})
      .sink_to(PrintSink{}, {.uid = "rows", .name = "Rows"});
}

void echo(StreamExecutionEnvironment& env, JobArguments&) {
  env.from_source(numbers(3), {.uid = "numbers"}).sink_to(PrintSink{}, {.uid = "rows"});
}

/// Takes longer over each number than the next one takes to come.
void dawdle(StreamExecutionEnvironment& env) {
  GeneratorSource<std::int64_t> source = numbers(0);
  source.records_per_second = 4;
  env.from_source(source, {.uid = "numbers"})
      .map([](std::int64_t number) {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        return number;
      })
      .filter([](std::int64_t number) { return number < 0; })
      .sink_to(PrintSink{}, {.uid = "rows"});
}

/// Ends as it is told: `finish`, `fail`, or `run` until it is stopped. Prints nothing.
void end_so(StreamExecutionEnvironment& env, const std::string& how) {
  GeneratorSource<std::int64_t> source = numbers(how == "finish" ? 3000 : 0);
  source.records_per_second = 10000;
  env.from_source(source, {.uid = "numbers"})
      .map([fails = how == "fail"](std::int64_t number) {
        if (fails && number == 3000) throw std::runtime_error("as it was told");
        return number;
      })
      .filter([](std::int64_t number) { return number < 0; })
      .sink_to(PrintSink{}, {.uid = "rows"});
}

/// Runs, and fails once when there is a file `fail`, which it takes away.
void fail_once_told(StreamExecutionEnvironment& env) {
  GeneratorSource<std::int64_t> source = numbers(0);
  source.records_per_second = 1000;
  env.from_source(source, {.uid = "numbers"})
      .filter([](std::int64_t) {
        if (std::remove("fail") == 0) throw std::runtime_error("as it was told");
        return false;
      })
      .sink_to(PrintSink{}, {.uid = "rows"});
}

/// Copies numbers into the folder `copied`, 20,000 a second, so that each can be counted there.
void copy(StreamExecutionEnvironment& env, std::int64_t count) {
  GeneratorSource<std::int64_t> source = numbers(count);
  source.records_per_second = 20000;
  env.from_source(source, {.uid = "numbers"})
      .rebalance()
      .sink_to(FileSink{.path = "copied"}, {.uid = "copied"});
}

/// Its function says so and does not return from its second record.
void hang(StreamExecutionEnvironment& env) {
  env.from_source(numbers(2), {.uid = "numbers"})
      .map([](std::int64_t number) {
        if (number > 0) {
          std::fputs("the function hangs\n", stderr);
          std::this_thread::sleep_for(std::chrono::hours(24));
        }
        return number;
      })
      .sink_to(PrintSink{}, {.uid = "rows"});
}

/// Emits numbers seven at a time.
struct Sevens {
  SplitListState<std::int64_t> waiting{"waiting"};
  auto states() { return std::tie(waiting); }

  void operator()(std::int64_t number, Output<std::int64_t>& output) {
    waiting.add(number);
    if (waiting.get().size() < 7) return;
    for (const std::int64_t each : waiting.get()) output.emit(each);
    waiting.clear();
  }
};

/// Copies numbers into the folder `copied`, by way of operator state.
void sevens(StreamExecutionEnvironment& env) {
  GeneratorSource<std::int64_t> source = numbers(20000);
  source.records_per_second = 20000;
  env.from_source(source, {.uid = "numbers"})
      .rebalance()
      .flat_map(Sevens(), {.uid = "sevens"})
      .sink_to(FileSink{.path = "copied"}, {.uid = "copied"});
}

/// Throws once it has arguments, so that the others can still be listed.
void broken(StreamExecutionEnvironment& env, JobArguments& args) {
  const std::string how = args.text("how", "what goes wrong");
  if (how == "exception") throw std::runtime_error("thrown by the program");
  SR_ASSERT(how != "assertion", "the program asserts");
  if (how == "hang") return hang(env);
  if (how == "dawdle") return dawdle(env);
  if (how == "fail-once-told") return fail_once_told(env);
  if (how == "copy") return copy(env, 30000);
  if (how == "sevens") return sevens(env);
  if (how == "copy-forever") return copy(env, 0);
  if (how == "unaligned") {
    env.enable_checkpointing({.unaligned = true});
    return end_so(env, "run");
  }
  if (how == "settings") {
    env.enable_checkpointing({.interval = std::chrono::milliseconds(20), .dir = "of-the-job"});
    return end_so(env, "run");
  }
  if (how == "finish" || how == "fail" || how == "run") return end_so(env, how);
  echo(env, args);
}

}  // namespace

int main(int argc, char** argv) {
  const JobTable jobs = {{"tally", tally, "tallies numbers"},
                         {"echo", echo, "prints numbers"},
                         {"broken", broken, "goes wrong on purpose"}};
  return streamrun_main(argc, argv, jobs);
}
