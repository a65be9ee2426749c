// A streamrun with one job of its own: how many lines have each length.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/cli/streamrun_main.h>
#include <streamrun/connectors/file/file_source.h>
#include <streamrun/connectors/print/print_sink.h>

using namespace streamrun;

struct LengthCount {
  std::int64_t length = 0;
  std::int64_t lines = 0;
};

LengthCount to_length_count(std::int64_t length, std::int64_t lines) { return {.length = length, .lines = lines}; }

void to_line(std::string& out, const LengthCount& row) {
  out += std::to_string(row.length) + " " + std::to_string(row.lines);
}

void line_lengths(StreamExecutionEnvironment& env, JobArguments& args) {
  const FileSource text{.paths = args.paths("input", "text to read")};
  env.from_source(text, {.uid = "text"})
      .map([](std::string_view line) { return static_cast<std::int64_t>(line.size()); })
      .key_by(std::identity{})
      .aggregate(counting(), to_length_count, {.uid = "lengths", .emit = Emit::at_end_of_input})
      .sink_to(PrintSink{}, {.uid = "rows"});
}

int main(int argc, char** argv) {
  const JobTable jobs = {{"line-lengths", line_lengths, "how many lines have each length"}};
  return streamrun_main(argc, argv, jobs);
}
