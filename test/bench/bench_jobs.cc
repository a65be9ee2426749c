// Jobs that are only measured.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/cli/streamrun_main.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "words.h"

namespace {

using namespace streamrun;

struct WordCount {
  std::string word;
  std::int64_t count = 0;
};

void to_line(std::string& out, const WordCount& row) {
  out += row.word;
  out += '\t';
  LineFormat<std::int64_t>::append(out, row.count);
}

/// The word count as most people would write it: a function that gets one line at a time.
void word_count_of_lines(StreamExecutionEnvironment& env, JobArguments& args) {
  const FileSource text{.paths = args.paths("input", "text to read")};
  const std::string output = args.text("output", "folder for the counts");
  env.from_source(text, {.uid = "text"})
      .flat_map(
          [](std::string_view line, Output<std::string>& words) { jobs::split_words(line, words); })
      .key_by(std::identity{})
      .aggregate(counting(),
                 [](std::string_view word, std::int64_t count) {
                   return WordCount{.word = std::string(word), .count = count};
                 },
                 {.uid = "counts", .emit = Emit::at_end_of_input})
      .sink_to(FileSink{.path = output}, {.uid = "rows"});
}

}  // namespace

int main(int argc, char** argv) {
  const JobTable jobs = {
      {"wordcount-lines", word_count_of_lines, "counts words, line by line"},
  };
  return streamrun_main(argc, argv, jobs);
}
