// Orders of JSON, {"key": "a", "amount": 5}, come from topics of Kafka; each gives a row with its
// key, how many orders of that key there were, and their amount so far. An order that is lost
// leaves a gap in the rows, one that counts twice doubles a row, and both change the last total.
#include "kafkatotals.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/kafka/kafka_json.h>
#include <streamrun/connectors/print/print_sink.h>
#include <streamrun/types/described_type.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "kafka_input.h"
#include "kafka_output.h"

namespace streamrun::jobs {
namespace {

struct Order {
  std::string key;
  std::int64_t amount = 0;
  static auto fields() {
    return named_fields(field("key", &Order::key), field("amount", &Order::amount));
  }
};

struct OrderTotal {
  std::string key;
  std::int64_t orders = 0;  ///< so far
  std::int64_t amount = 0;  ///< of all of them
};

struct AddOrders {
  ValueState<std::int64_t> orders{"orders"};
  ValueState<std::int64_t> amount{"amount"};

  auto states() { return std::tie(orders, amount); }
  void process(const Order& order, KeyedContext<std::string>&, Output<OrderTotal>& totals) {
    orders.update(orders.value_or(0) + 1);
    amount.update(amount.value_or(0) + order.amount);
    totals.emit({.key = order.key, .orders = *orders.get(), .amount = *amount.get()});
  }
};

void to_line(std::string& out, const OrderTotal& total) {
  out += total.key + '\t' + std::to_string(total.orders) + '\t' + std::to_string(total.amount);
}

/// The key as the record's key, so that the totals of one key stay in order.
struct TotalAsJson {
  void write(const OrderTotal& total, KafkaRecord& out) const {
    out.key = total.key;
    out.has_key = true;
    out.value = R"({"key":)";
    append_json_string(out.value, total.key);
    out.value += R"(,"orders":)";
    LineFormat<std::int64_t>::append(out.value, total.orders);
    out.value += R"(,"amount":)";
    LineFormat<std::int64_t>::append(out.value, total.amount);
    out.value += '}';
  }
};

}  // namespace

void kafka_totals(StreamExecutionEnvironment& env, JobArguments& args) {
  const bool watch = args.flag("watch", "go on with orders that come later; the job never ends");
  const auto inputs = args.paths("input", "topics of orders, kafka://HOST:PORT/TOPIC[,TOPIC]");
  const bool skips = args.flag("skip-bad-records", "leave out what is no order, and tell of it");
  const auto output = args.optional_path(
      "output",
      "folder or topic, kafka://HOST:PORT/TOPIC, for the rows (key, orders, amount); standard "
      "output without it");
  const auto properties = kafka_properties(args, true);
  const auto orders = kafka_source<Order, KafkaJson<Order>>(
      args, inputs, watch, skips ? BadRecords::skip : BadRecords::fail, properties);
  const auto topic = kafka_output(args, output, inputs);

  const auto totals = env.from_source(orders, {.uid = "orders"})
                          .key_by(&Order::key)
                          .process(AddOrders{}, {.uid = "totals", .name = "Add up"});
  if (topic) {
    totals.sink_to(kafka_sink(*topic, properties, TotalAsJson{}), {.uid = "rows"});
  } else if (output) {
    totals.sink_to(FileSink{.path = *output}, {.uid = "rows"});
  } else {
    totals.sink_to(PrintSink{}, {.uid = "rows"});
  }
}

}  // namespace streamrun::jobs
