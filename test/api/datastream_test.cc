#include <streamrun/api/stream_execution_environment.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// A source that is only described: these tests build graphs and run none.
template <typename T>
struct DescribedSource {
  using Record = T;
  bool is_bounded = true;
  std::unique_ptr<SourceReader<T>> make_reader() const { return nullptr; }
  std::unique_ptr<SplitEnumerator> make_enumerator() const { return nullptr; }
  bool bounded() const { return is_bounded; }
  std::string describe() const { return "described"; }
};
template <typename T>
class NoWriter final : public SinkWriter<T> {
 public:
  void open(const OperatorContext&) override {}
  bool ready() const override { return true; }
  void write(const Batch<T>&) override {}
  void prepare(CheckpointId, typename SinkWriter<T>::Prepared prepared) override {
    prepared(std::vector<std::string>());
  }
  Result<void> commit(const std::vector<std::string>&) override { return {}; }
};
struct DescribedSink {
  template <typename T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<NoWriter<T>>();
  }
  std::string describe() const { return "nowhere"; }
};

struct Order {
  std::string customer;
  std::int64_t cents = 0;
};

std::int64_t length_of(std::string_view text) {
  return static_cast<std::int64_t>(text.size());
}
std::string_view first_of(std::string_view text) {
  return text.substr(0, 1);
}
void split(std::string_view line, Output<std::string>& output) {
  output.emit(line);
}
void count_batch(const Batch<std::string>& batch, Output<std::int64_t>& output) {
  output.emit(static_cast<std::int64_t>(batch.size()));
}
struct Splitter {
  int calls = 0;
  void operator()(std::string_view line, Output<Order>& output) {
    output.emit(Order{std::string(line), ++calls});
  }
};
struct Latest {
  ValueState<std::int64_t> last{"last"};
  void process(const Order& order, KeyedContext<std::string>&, Output<std::int64_t>& output) {
    last.update(order.cents);
    output.emit(std::int64_t{order.cents});
  }
};

template <typename Stream, typename T>
constexpr bool is_stream_of = std::is_same_v<std::remove_cvref_t<Stream>, DataStream<T>>;

TEST_CASE("data stream: the type of what leaves follows from the function", "[api]") {
  StreamExecutionEnvironment env;
  const auto lines = env.from_source(DescribedSource<std::string>(), {.uid = "lines"});
  const auto orders = env.from_source(DescribedSource<Order>(), {.uid = "orders"});
  STATIC_REQUIRE(is_stream_of<decltype(lines), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.map(length_of)), std::int64_t>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.map(first_of)), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(orders.map(&Order::customer)), std::string>);
  STATIC_REQUIRE(
      is_stream_of<decltype(orders.map([](const Order& order) -> const Order& { return order; })),
                   Order>);
  STATIC_REQUIRE(
      is_stream_of<decltype(lines.filter([](std::string_view text) { return text.empty(); })),
                   std::string>);
  STATIC_REQUIRE(
      is_stream_of<decltype(orders.assign_timestamps_and_watermarks(
                       WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(
                           &Order::cents))),
                   Order>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.flat_map(split)), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.flat_map(&split)), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.flat_map(count_batch)), std::int64_t>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.flat_map(Splitter())), Order>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.flat_map([](std::string_view, Output<double>& output) {
                                output.emit(1.0);
                              })),
                              double>);
  STATIC_REQUIRE(
      is_stream_of<decltype(lines.flat_map([](const Batch<std::string>&, Output<Order>& output) {
                     output.emit(Order());
                   })),
                   Order>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.rebalance()), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.broadcast()), std::string>);
  STATIC_REQUIRE(is_stream_of<decltype(lines.union_with(lines)), std::string>);
}

TEST_CASE("data stream: the type of a key follows from the projection", "[api]") {
  StreamExecutionEnvironment env;
  const auto lines = env.from_source(DescribedSource<std::string>(), {.uid = "lines"});
  const auto orders = env.from_source(DescribedSource<Order>(), {.uid = "orders"});
  const auto by_customer = orders.key_by(&Order::customer);
  STATIC_REQUIRE(std::is_same_v<decltype(by_customer),
                                const KeyedStream<Order, std::string, std::string Order::*>>);
  const auto by_text = lines.key_by(std::identity{});
  STATIC_REQUIRE(std::is_same_v<decltype(by_text),
                                const KeyedStream<std::string, std::string, std::identity>>);
  STATIC_REQUIRE(
      is_stream_of<decltype(by_customer.process(Latest(), {.uid = "latest"})), std::int64_t>);
  STATIC_REQUIRE(is_stream_of<decltype(by_customer.sum(&Order::cents, {.uid = "sum"})), Order>);
  STATIC_REQUIRE(
      is_stream_of<decltype(by_text.aggregate(
                       counting(), [](std::string_view key, std::int64_t) { return key; },
                       {.uid = "c"})),
                   std::string>);
  const auto counts = by_text.aggregate(
      counting(), [](std::string_view, std::int64_t count) { return count; }, {.uid = "n"});
  STATIC_REQUIRE(is_stream_of<decltype(counts), std::int64_t>);
  STATIC_REQUIRE(is_stream_of<decltype(by_customer.reduce(
                                  [](Order so_far, const Order&) { return so_far; }, {.uid = "r"})),
                              Order>);
}

/// A program with every kind of operator and exchange.
StreamGraph build_program() {
  StreamExecutionEnvironment env;
  const auto lines =
      env.from_source(DescribedSource<std::string>(), {.uid = "lines", .parallelism = 2});
  const auto more = env.from_source(DescribedSource<std::string>{.is_bounded = false},
                                    {.uid = "more", .name = "Tail"});
  const auto orders =
      lines.union_with(more).rebalance().flat_map(Splitter(), {.name = "Parse", .parallelism = 3});
  orders.key_by(&Order::customer)
      .sum(&Order::cents, {.uid = "sums", .name = "Sum", .parallelism = 4, .max_parallelism = 12})
      .map(&Order::cents)
      .sink_to(DescribedSink(), {.uid = "rows"});
  orders.broadcast()
      .key_by(&Order::customer)
      .process(Latest(), {.uid = "latest"})
      .sink_to(DescribedSink(), {.uid = "out", .name = "Out"});
  return env.take_graph();
}

TEST_CASE("data stream: a program becomes the graph that it describes", "[api]") {
  const StreamGraph graph = build_program();
  REQUIRE(graph.nodes.size() == 8);
  CHECK(graph.nodes[0].name == "Source: described");
  CHECK(graph.nodes[0].type == "Data Source");
  CHECK(graph.nodes[0].parallelism == 2);
  CHECK(graph.nodes[0].bounded);
  CHECK(graph.nodes[0].stateful);
  CHECK(graph.nodes[0].make_enumerator);
  CHECK(graph.nodes[1].name == "Tail");
  CHECK_FALSE(graph.nodes[1].bounded);
  CHECK(graph.nodes[2].name == "Parse");
  CHECK_FALSE(graph.nodes[2].stateful);
  CHECK(graph.nodes[3].uid == "sums");
  CHECK(graph.nodes[3].max_parallelism == 12);
  CHECK(graph.nodes[4].name == "Map");
  CHECK(graph.nodes[5].name == "Sink: nowhere");
  CHECK(graph.nodes[5].type == "Data Sink");
  CHECK(graph.nodes[7].name == "Out");

  struct Edge {
    int from;
    int to;
    Exchange exchange;
    bool operator==(const Edge&) const = default;
  };
  std::vector<Edge> edges;
  for (const StreamEdge& edge : graph.edges) edges.push_back({edge.from, edge.to, edge.exchange});
  CHECK(edges == std::vector<Edge>{{0, 2, Exchange::rebalance},
                                   {1, 2, Exchange::rebalance},
                                   {2, 3, Exchange::hash},
                                   {3, 4, Exchange::forward},
                                   {4, 5, Exchange::forward},
                                   {2, 6, Exchange::hash},
                                   {6, 7, Exchange::forward}});
}

TEST_CASE("data stream: the graph of a job is the same whenever it is built", "[api]") {
  const JobGraphOptions options{.parallelism = 2};
  const JobGraph first = make_job_graph(build_program(), options);
  const JobGraph second = make_job_graph(build_program(), options);
  CHECK(plan_as_json(first) == plan_as_json(second));
  CHECK(plan_as_text(first) == plan_as_text(second));
  for (std::size_t i = 0; i < first.operators.size(); ++i)
    CHECK(first.operators[i].id == second.operators[i].id);
}

TEST_CASE("data stream: operators are made anew for each subtask, and say what state they keep",
          "[api]") {
  const StreamGraph graph = build_program();
  CHECK(graph.nodes[3].make_operator() != graph.nodes[3].make_operator());
  const OperatorStateShape sums = graph.nodes[3].make_operator()->state_shape();
  REQUIRE(sums.keyed.size() == 1);
  CHECK(sums.keyed[0].key_type == "string");
  CHECK(sums.keyed[0].value_type == "struct(string,int64)");
  CHECK(graph.nodes[6].make_operator()->state_shape().keyed[0].name == "last");
  CHECK(graph.nodes[5].make_operator()->state_shape().lists[0].name == kCommittablesState);
  CHECK(graph.nodes[0].make_operator()->state_shape().lists[0].name == kSplitsState);
}

TEST_CASE("data stream: edges make their partitioners", "[api]") {
  class NoSender final : public BatchSender {
   public:
    void send(std::unique_ptr<AnyBatch>) override {}
    std::unique_ptr<AnyBatch> recycled() override { return nullptr; }
  };
  NoSender sender;
  const StreamGraph graph = build_program();
  for (const StreamEdge& edge : graph.edges) {
    REQUIRE(edge.make_partitioner);
    CHECK(edge.make_partitioner({&sender}, 0, 128) != nullptr);
  }
}

}  // namespace
}  // namespace streamrun
