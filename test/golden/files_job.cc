// A job from files to files: positions in the input and prepared output are in its snapshots. It
// writes how often each line has come whenever it comes, which is the same rows in any order.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "golden_jobs.h"
#include "limited_sink.h"

namespace streamrun::golden {
namespace {

struct LineCount {
  std::string line;
  std::int64_t count = 0;
};

LineCount to_line_count(std::string_view line, std::int64_t count) {
  return {.line = std::string(line), .count = count};
}

void to_line(std::string& out, const LineCount& row) {
  out += row.line + " " + std::to_string(row.count);
}

}  // namespace

void files(StreamExecutionEnvironment& env, JobArguments& args) {
  // So small that a few hundred bytes are several splits and many batches.
  const FileSource text{
      .paths = args.paths("input", "folder of text"), .split_bytes = 400, .block_bytes = 16};
  const FileSink rows{.path = args.text("output", "folder for the counts")};
  const std::int64_t sink_rate = args.integer("sink-rate", "rows a second; 0 for all that come", 0);
  env.from_source(text, {.uid = "text"})
      .key_by(std::identity{})
      .aggregate(counting(), to_line_count, {.uid = "counts"})
      .sink_to(jobs::LimitedSink<FileSink>{.inner = rows,
                                           .records_per_second = static_cast<double>(sink_rate)},
               {.uid = "rows"});
}

}  // namespace streamrun::golden
