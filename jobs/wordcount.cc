// How often each word occurs in text files, or in records of Kafka: totals when the input ends,
// running counts while it does not.
#include "wordcount.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <algorithm>

#include "kafka_input.h"
#include "kafka_output.h"
#include "words.h"

namespace streamrun::jobs {
namespace {

struct WordCount {
  std::string word;
  std::int64_t count = 0;
};

WordCount to_word_count(std::string_view word, std::int64_t count) {
  return {.word = std::string(word), .count = count};
}

void to_line(std::string& out, const WordCount& row) {
  out += row.word;
  out += '\t';
  LineFormat<std::int64_t>::append(out, row.count);
}

/// The word as the key, so that the counts of one word stay in order.
struct CountOfWord {
  void write(const WordCount& row, KafkaRecord& out) const {
    out.key = row.word;
    out.has_key = true;
    to_line(out.value, row);
  }
};

}  // namespace

void word_count(StreamExecutionEnvironment& env, JobArguments& args) {
  const bool watch = args.flag(
      "watch", "go on with files, or records of topics, that appear later; the job never ends");
  const std::vector<std::string> inputs =
      args.paths("input",
                 "file, folder or pattern of text to read, also hdfs:// or s3://, or "
                 "kafka://HOST:PORT/TOPIC; may be repeated");
  const bool updates =
      args.flag("updates", "print the running count with every word, not only the total");
  const auto output = args.optional_path(
      "output",
      "folder, also hdfs:// or s3://, or topic, kafka://HOST:PORT/TOPIC, for the counts; standard "
      "output without it");
  const bool has_topics =
      std::any_of(inputs.begin(), inputs.end(), is_kafka) || (output && is_kafka(*output));
  const auto properties = kafka_properties(args, has_topics);
  const auto topics = kafka_input(args, inputs, watch, properties);
  const auto topic = kafka_output(args, output, inputs);

  const DataStream<std::string> text =
      topics ? env.from_source(*topics, {.uid = "text"})
             : env.from_source(FileSource{.paths = inputs, .watch = watch}, {.uid = "text"});
  const auto counts =
      text.flat_map(split_words_of_batch, {.name = "Tokenize"})
          .key_by(std::identity{})
          .aggregate(counting(), to_word_count,
                     {.uid = "counts",
                      .name = "Count",
                      .emit = updates || watch ? Emit::on_update : Emit::at_end_of_input});
  if (topic) {
    counts.sink_to(kafka_sink(*topic, properties, CountOfWord{}), {.uid = "rows"});
  } else if (output) {
    counts.sink_to(FileSink{.path = *output}, {.uid = "rows"});
  } else {
    counts.sink_to(PrintSink{}, {.uid = "rows"});
  }
}

}  // namespace streamrun::jobs
