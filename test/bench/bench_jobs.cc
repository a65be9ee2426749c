// Jobs that are only measured.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/cli/streamrun_main.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/kafka/kafka_json.h>
#include <streamrun/connectors/kafka/kafka_sink.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

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

/// About 100 bytes with its key of 8.
struct Account {
  std::int64_t updates = 0;
  std::int64_t b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0;
};
struct UpdateAccount {
  ValueState<Account> account{"account"};

  auto states() { return std::tie(account); }
  void process(std::int64_t, KeyedContext<std::int64_t>&, Output<std::int64_t>& updates) {
    Account changed = account.value_or({});
    constexpr std::int64_t kReported = 1'000'000;
    if (++changed.updates % kReported == 0) updates.emit(changed.updates);
    account.update(changed);
  }
};

/// State of any size, in no order that would spare it.
void keyed_updates(StreamExecutionEnvironment& env, JobArguments& args) {
  const auto keys = static_cast<std::uint64_t>(args.integer("keys", "accounts", 1000));
  const auto count = static_cast<std::uint64_t>(args.integer("count", "updates", 1000000));
  const std::int64_t rate = args.integer("rate", "updates a second; 0: as fast as it goes", 0);
  const std::string output = args.text("output", "folder for a row per million updates of a key");
  const GeneratorSource<std::int64_t> updates{
      .make =
          [keys](std::uint64_t index) {
            constexpr std::uint64_t kOddFactor = 0x9e3779b97f4a7c15U;
            const std::uint64_t mixed = (index * kOddFactor) ^ (index * kOddFactor >> 32U);
            return static_cast<std::int64_t>(mixed * kOddFactor % keys);
          },
      .count = count,
      .records_per_second = static_cast<double>(rate)};
  env.from_source(updates, {.uid = "updates"})
      .key_by(std::identity{})
      .process(UpdateAccount{}, {.uid = "accounts"})
      .sink_to(FileSink{.path = output}, {.uid = "rows"});
}

struct Order {
  std::string key;
  std::int64_t amount = 0;
  static auto fields() {
    return named_fields(field("key", &Order::key), field("amount", &Order::amount));
  }
};

/// Reads and parses; a row for each million orders.
void kafka_read(StreamExecutionEnvironment& env, JobArguments& args) {
  const KafkaSource<Order, KafkaJson<Order>> orders{.brokers = args.text("brokers", "of Kafka"),
                                                    .topics = {args.text("topic", "to read")},
                                                    .stop_at = KafkaOffsets::latest()};
  const std::string output = args.text("output", "folder for a row per million orders");
  env.from_source(orders, {.uid = "orders"})
      .flat_map([count = std::int64_t{0}](const Order&, Output<std::int64_t>& rows) mutable {
        constexpr std::int64_t kReported = 1'000'000;
        if (++count % kReported == 0) rows.emit(count);
      })
      .sink_to(FileSink{.path = output}, {.uid = "rows"});
}

struct NumberedRecord {
  void write(std::uint64_t number, KafkaRecord& out) const {
    constexpr std::size_t kBytes = 100;
    out.key = std::to_string(number);
    out.has_key = true;
    out.value = out.key;
    out.value.resize(kBytes, 'x');
  }
};

/// Records of 100 bytes, exactly once.
void kafka_write(StreamExecutionEnvironment& env, JobArguments& args) {
  const KafkaSink<NumberedRecord> sink{.brokers = args.text("brokers", "of Kafka"),
                                       .topic = args.text("topic", "to write"),
                                       .delivery_guarantee = DeliveryGuarantee::exactly_once};
  const GeneratorSource<std::uint64_t> numbers{
      .make = [](std::uint64_t index) { return index; },
      .count = static_cast<std::uint64_t>(args.integer("count", "records", 1000000))};
  env.from_source(numbers, {.uid = "numbers"}).sink_to(sink, {.uid = "records"});
}

}  // namespace

int main(int argc, char** argv) {
  const JobTable jobs = {
      {"wordcount-lines", word_count_of_lines, "counts words, line by line"},
      {"keyed-updates", keyed_updates, "updates accounts drawn at random"},
      {"kafka-read", kafka_read, "reads and parses orders of JSON"},
      {"kafka-write", kafka_write, "writes records exactly once"},
  };
  return streamrun_main(argc, argv, jobs);
}
