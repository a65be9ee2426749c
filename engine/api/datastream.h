#pragma once

#include <streamrun/api/aggregations.h>
#include <streamrun/graph/job_graph.h>
#include <streamrun/operators/keyed_aggregate_operator.h>
#include <streamrun/operators/keyed_process_operator.h>
#include <streamrun/operators/map_operator.h>
#include <streamrun/operators/sink_operator.h>
#include <streamrun/operators/source_operator.h>
#include <streamrun/operators/timestamps_and_watermarks_operator.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace streamrun {

/// What names the state of an operator across versions of a job. There is no default: a restore
/// finds state by it.
class Uid {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): `{.uid = "counts"}` is the point.
  Uid(const char* text) : text_(text) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Uid(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Attributes of an operator that keeps state.
struct Stateful {
  Uid uid;
  std::string name = {};
  int parallelism = 0;  ///< 0: the job's
  int max_parallelism = 0;
};
/// Attributes of one that keeps none, or is to be found by its position.
struct WithoutUid {
  std::string name = {};
  int parallelism = 0;
};
/// Attributes of an aggregation.
struct Aggregated {
  Uid uid;
  std::string name = {};
  int parallelism = 0;
  int max_parallelism = 0;
  Emit emit = Emit::on_update;
};

template <typename T>
class DataStream;
template <typename T, typename K, typename Selector>
class KeyedStream;

namespace detail {

/// The graph under construction; streams share it and only append.
struct GraphBuilder {
  StreamGraph graph;
  int add_node(StreamNode node) {
    node.id = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back().id;
  }
};

using PartitionerFactory = std::function<std::unique_ptr<Partitioner>(Senders, int, int)>;

/// One incoming edge: from which node, and how.
struct Upstream {
  int node = 0;
  Exchange exchange = Exchange::forward;
  PartitionerFactory make_partitioner;
  std::shared_ptr<const BatchCodec> codec = {};
};

/// A forward edge becomes a rebalancing one where the parallelism changes. A plain struct that only
/// goes forward need not be serializable, so such an edge then stays aligned.
template <typename T>
std::shared_ptr<const BatchCodec> forward_codec() {
  if constexpr (PlainStruct<T> && !NamedStruct<T>) {
    return nullptr;
  } else {
    return batch_codec_of<T>();
  }
}

inline PartitionerFactory forward_factory() {
  return [](Senders senders, int, int) -> std::unique_ptr<Partitioner> {
    return std::make_unique<ForwardPartitioner>(std::move(senders));
  };
}

inline StreamNode node_of(const Stateful& attributes, const std::string& fallback_name,
                          std::string type) {
  return {.uid = attributes.uid.text(),
          .name = attributes.name.empty() ? fallback_name : attributes.name,
          .type = std::move(type),
          .parallelism = attributes.parallelism,
          .max_parallelism = attributes.max_parallelism,
          .stateful = true,
          .make_operator = {},
          .make_enumerator = {}};
}
inline StreamNode node_of(const Aggregated& attributes, const std::string& fallback_name,
                          std::string type) {
  return node_of(
      Stateful{attributes.uid, attributes.name, attributes.parallelism, attributes.max_parallelism},
      fallback_name, std::move(type));
}
inline StreamNode node_of(const WithoutUid& attributes, const std::string& fallback_name,
                          std::string type) {
  return {.uid = {},
          .name = attributes.name.empty() ? fallback_name : attributes.name,
          .type = std::move(type),
          .parallelism = attributes.parallelism,
          .make_operator = {},
          .make_enumerator = {}};
}

/// A function that names operator state (`states()`) has a uid: there is no default for it.
template <typename F>
using AttributesOf = std::conditional_t<NamesStates<F>, Stateful, WithoutUid>;

/// What a function that emits to `Output<U>&` is told by its second parameter.
template <typename F>
struct EmittedType;
template <typename R, typename C, typename A, typename U>
struct EmittedType<R (C::*)(A, Output<U>&) const> {
  using Type = U;
};
template <typename R, typename C, typename A, typename U>
struct EmittedType<R (C::*)(A, Output<U>&)> {
  using Type = U;
};
template <typename R, typename A, typename U>
struct EmittedType<R (*)(A, Output<U>&)> {
  using Type = U;
};
template <typename R, typename C, typename A, typename B, typename U>
struct EmittedType<R (C::*)(A, B, Output<U>&)> {
  using Type = U;
};

template <typename F>
auto signature_of() {
  if constexpr (requires { &F::operator(); }) {
    return &F::operator();
  } else {
    return static_cast<std::decay_t<F>>(nullptr);
  }
}
template <typename F>
using EmittedBy = typename EmittedType<decltype(signature_of<F>())>::Type;

/// Views and references become the type that a stream can hold.
template <typename V>
struct HeldType {
  using Type = std::remove_cvref_t<V>;
};
template <>
struct HeldType<std::string_view> {
  using Type = std::string;
};
template <typename V>
using HeldAs = typename HeldType<std::remove_cvref_t<V>>::Type;

}  // namespace detail

/// A stream of T in a program: a small handle that never changes. Each operation adds an operator
/// to the job's graph and returns the stream of its results. Functions are copied, one for each
/// subtask; one with `states()`, which names operator state among its members, has to have a uid.
/// Records of type std::string come to functions as std::string_view, others as const T&.
template <typename T>
class DataStream {
 public:
  DataStream(std::shared_ptr<detail::GraphBuilder> builder, std::vector<detail::Upstream> upstreams)
      : builder_(std::move(builder)), upstreams_(std::move(upstreams)) {}

  /// One record out for each record in.
  template <typename F>
  requires std::invocable<F&, RecordRef<T>>
  auto map(F function, const detail::AttributesOf<F>& attributes = {}) const {
    using U = detail::HeldAs<std::invoke_result_t<F&, RecordRef<T>>>;
    return attach<U>(detail::node_of(attributes, "Map", "Operator"),
                     [function] { return std::make_unique<MapOperator<T, U, F>>(function); });
  }

  template <std::predicate<RecordRef<T>> F>
  DataStream<T> filter(F predicate, const detail::AttributesOf<F>& attributes = {}) const {
    return attach<T>(detail::node_of(attributes, "Filter", "Operator"),
                     [predicate] { return std::make_unique<FilterOperator<T, F>>(predicate); });
  }

  /// Any number of records out: `function(record, Output<U>&)`. If its first parameter is `const
  /// Batch<T>&` it sees a batch at once: the form for jobs that live on speed.
  template <typename F>
  auto flat_map(F function, const detail::AttributesOf<F>& attributes = {}) const {
    using U = detail::EmittedBy<F>;
    if constexpr (std::invocable<F&, const Batch<T>&, Output<U>&>) {
      return attach<U>(detail::node_of(attributes, "Flat Map", "Operator"), [function] {
        return std::make_unique<BatchFlatMapOperator<T, U, F>>(function);
      });
    } else {
      return attach<U>(detail::node_of(attributes, "Flat Map", "Operator"),
                       [function] { return std::make_unique<FlatMapOperator<T, U, F>>(function); });
    }
  }

  /// Makes watermarks of the timestamps of records, which pass as they are: event time, by which
  /// timers behind it fire. Watermarks that come from before end here. Each subtask reads
  /// timestamps of its own, so records should not change subtask between source and here.
  template <typename F>
  requires std::is_invocable_r_v<Timestamp, F&, RecordRef<T>> DataStream<T>
  assign_timestamps_and_watermarks(TimestampedWatermarkStrategy<F> strategy,
                                   const WithoutUid& attributes = {})
  const {
    return attach<T>(detail::node_of(attributes, "Timestamps/Watermarks", "Operator"), [strategy] {
      return std::make_unique<TimestampsAndWatermarksOperator<T, F>>(strategy);
    });
  }

  /// Records of equal key go to one subtask. `selector` is any projection: a member, a function,
  /// std::identity.
  template <typename Selector>
  auto key_by(Selector selector) const {
    using K = detail::HeldAs<std::invoke_result_t<Selector&, RecordRef<T>>>;
    static_assert(Key<K>, "the key's type needs a TypeSerializer and KeyTraits");
    return KeyedStream<T, K, Selector>(
        with_exchange(
            Exchange::hash,
            [selector](Senders senders, int, int max_parallelism) -> std::unique_ptr<Partitioner> {
              return std::make_unique<KeyGroupPartitioner<T, K, Selector>>(
                  std::move(senders), max_parallelism, selector);
            },
            keyed_batch_codec_of<T, K, Selector>(selector)),
        selector);
  }

  /// Batches to the subtasks downstream in turn.
  DataStream<T> rebalance() const {
    return with_exchange(
        Exchange::rebalance,
        [](Senders senders, int subtask, int) -> std::unique_ptr<Partitioner> {
          return std::make_unique<RebalancePartitioner>(std::move(senders), subtask);
        },
        batch_codec_of<T>());
  }
  /// Every record to every subtask downstream.
  DataStream<T> broadcast() const {
    return with_exchange(Exchange::broadcast,
                         [](Senders senders, int, int) -> std::unique_ptr<Partitioner> {
                           return std::make_unique<BroadcastPartitioner>(std::move(senders));
                         });
  }

  /// The records of both, in no order between them.
  DataStream<T> union_with(const DataStream<T>& other) const {
    std::vector<detail::Upstream> both = upstreams_;
    both.insert(both.end(), other.upstreams_.begin(), other.upstreams_.end());
    return DataStream<T>(builder_, std::move(both));
  }

  template <SinkOf<T> Sink>
  void sink_to(Sink sink, const Stateful& attributes) const {
    add_sink(std::move(sink), detail::node_of(attributes, "Sink", "Data Sink"));
  }
  template <SinkOf<T> Sink>
  [[deprecated("this operator keeps state: give it a uid, {.uid = \"...\"}")]] void sink_to(
      Sink sink, const WithoutUid& attributes = {}) const {
    StreamNode node = detail::node_of(attributes, "Sink", "Data Sink");
    node.stateful = true;
    add_sink(std::move(sink), std::move(node));
  }

 private:
  template <typename, typename, typename>
  friend class KeyedStream;

  template <typename U, typename MakeOperator>
  DataStream<U> attach(StreamNode node, MakeOperator make) const {
    node.make_operator = std::move(make);
    const int id = builder_->add_node(std::move(node));
    for (const detail::Upstream& upstream : upstreams_) {
      builder_->graph.edges.push_back(
          {upstream.node, id, upstream.exchange, upstream.make_partitioner, upstream.codec});
    }
    return DataStream<U>(
        builder_, {{id, Exchange::forward, detail::forward_factory(), detail::forward_codec<U>()}});
  }

  template <typename Sink>
  void add_sink(Sink sink, StreamNode node) const {
    node.name = node.name == "Sink" ? "Sink: " + sink.describe() : node.name;
    if constexpr (requires { sink.output_folder(); }) node.writes = {sink.output_folder()};
    attach<T>(std::move(node),
              [sink] { return std::make_unique<SinkOperator<T>>(sink.template make_writer<T>()); });
  }

  DataStream<T> with_exchange(Exchange exchange, const detail::PartitionerFactory& make,
                              const std::shared_ptr<const BatchCodec>& codec = nullptr) const {
    std::vector<detail::Upstream> changed = upstreams_;
    for (detail::Upstream& upstream : changed) {
      upstream.exchange = exchange;
      upstream.make_partitioner = make;
      upstream.codec = codec;
    }
    return DataStream<T>(builder_, std::move(changed));
  }

  std::shared_ptr<detail::GraphBuilder> builder_;
  std::vector<detail::Upstream> upstreams_;
};

/// A stream of T partitioned by a key: what follows may keep state per key.
template <typename T, typename K, typename Selector>
class KeyedStream {
 public:
  KeyedStream(DataStream<T> stream, Selector selector)
      : stream_(std::move(stream)), selector_(std::move(selector)) {}

  /// Flink's KeyedProcessFunction: `function.process(record, KeyedContext<K>&, Output<U>&)`, with
  /// keyed state as members of the function. With `on_timer(Timestamp, OnTimerContext<K>&,
  /// Output<U>&)` it may register timers (`KeyedContext::timer_service`).
  template <typename F>
  auto process(F function, const Stateful& attributes) const {
    using U = typename detail::EmittedType<decltype(&F::process)>::Type;
    return stream_.template attach<U>(
        detail::node_of(attributes, "KeyedProcess", "Operator"), [selector = selector_, function] {
          return std::make_unique<KeyedProcessOperator<T, K, U, Selector, F>>(selector, function);
        });
  }

  /// An aggregation per key; `result(key, accumulator)` makes what goes on.
  template <typename Aggregation, typename ResultFunction>
  auto aggregate(Aggregation aggregation, ResultFunction result,
                 const Aggregated& attributes) const {
    using KeyRef = typename KeyTraits<K>::Ref;
    using U = detail::HeldAs<
        std::invoke_result_t<ResultFunction&, KeyRef, const typename Aggregation::Accumulator&>>;
    return stream_.template attach<U>(
        detail::node_of(attributes, "Aggregate", "Operator"),
        [selector = selector_, aggregation, result, emit = attributes.emit] {
          return std::make_unique<
              KeyedAggregateOperator<T, K, U, Selector, Aggregation, ResultFunction>>(
              selector, aggregation, result, emit);
        });
  }

  /// The running combination of the records of a key: `function(T so_far, record) -> T`.
  template <typename F>
  DataStream<T> reduce(F function, const Aggregated& attributes) const {
    return aggregate(
        Reducing<T, F>{std::move(function)},
        [](typename KeyTraits<K>::Ref, const T& reduced) { return reduced; }, attributes);
  }

  /// The first record of each key with `member` summed up over all of them, as Flink's `sum`.
  template <typename V, typename R = T>
  requires std::is_class_v<R> DataStream<T> sum(V R::*member, const Aggregated& attributes)
  const {
    return reduce(
        [member](T so_far, const T& record) {
          so_far.*member += record.*member;
          return so_far;
        },
        attributes);
  }

 private:
  DataStream<T> stream_;
  Selector selector_;
};

}  // namespace streamrun
