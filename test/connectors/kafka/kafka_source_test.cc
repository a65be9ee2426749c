// What a source of Kafka reads, each record once, whatever happens to the job.
#include <streamrun/operators/source_operator.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "kafka_model.h"
#include "kafka_split.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;
using Source = KafkaSource<std::string>;
static_assert(SourceOf<Source, std::string>);

/// A world with a topic `words`, in whose partitions there are records and markers, at random.
struct KafkaWorld : World {
  explicit KafkaWorld(std::uint64_t seed = 1, std::int32_t count = 4) : World(seed) {
    model.make_topic("words", count);
  }
  void append(std::uint64_t records) {
    for (; records > 0; --records) {
      const auto count = static_cast<std::uint64_t>(model.partitions.size());
      auto place = model.partitions.begin();
      std::advance(place, static_cast<std::ptrdiff_t>(random.below(count)));
      if (random.below(5) == 0) model.append_marker(place->first);
      all.push_back(place->first.text() + " " + std::to_string(place->second.next));
      model.append(place->first, all.back());
    }
  }
  Source source() {
    return {.brokers = "model:1", .topics = {"words"}, .client = client_of(model, random)};
  }
  Source bounded() {
    Source bounded = source();
    bounded.stop_at = KafkaOffsets::latest();
    return bounded;
  }
  KafkaModel model;
  Lines all;
};

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}
/// Whether the records of each partition are in the order of their offsets.
bool in_order(const Lines& lines) {
  std::map<std::string, std::int64_t> last;
  for (const std::string& line : lines) {
    const std::size_t space = line.find(' ');
    const std::int64_t offset = std::stoll(line.substr(space + 1));
    const auto [place, is_first] = last.emplace(line.substr(0, space), -1);
    if (offset <= place->second) return false;
    place->second = offset;
  }
  return true;
}
TEST_CASE("kafka: every record is read once, in order, at any parallelism", "[connectors]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    KafkaWorld world(seed, static_cast<std::int32_t>(seed % 6 + 1));
    world.append(300);
    const int parallelism = static_cast<int>(seed % 5) + 1;
    SourceRun<std::string> run(world, world.bounded(), parallelism);
    run.run_to_end();
    INFO("seed " << seed);
    REQUIRE(!run.failure);
    CHECK(in_order(run.lines()));
    REQUIRE((sorted(run.lines()) == sorted(world.all)));
  }
}

TEST_CASE("kafka: a bounded source ends where the topic did when it began", "[connectors]") {
  KafkaWorld world;
  world.append(100);
  SourceRun<std::string> run(world, world.bounded(), 2);
  const Lines wanted = world.all;
  world.settle();  // the ends are known
  world.append(100);
  run.run_to_end();
  CHECK((sorted(run.lines()) == sorted(wanted)));
}

TEST_CASE("kafka: markers behind the last record do not keep a bounded source", "[connectors]") {
  KafkaWorld world(1, 1);
  world.append(3);
  for (int i = 0; i < 3; ++i) world.model.append_marker({"words", 0});
  SourceRun<std::string> run(world, world.bounded(), 1);
  run.run_to_end();
  CHECK((run.lines() == world.all));
}

TEST_CASE("kafka: an empty topic ends a bounded job", "[connectors]") {
  KafkaWorld world;
  SourceRun<std::string> run(world, world.bounded(), 3);
  run.run_to_end();
  CHECK(run.ended());
  CHECK(run.lines().empty());
}

TEST_CASE("kafka: restores at other parallelisms lose nothing and repeat nothing", "[connectors]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    KafkaWorld world(seed);
    world.append(200);
    Lines lines;
    SourceState state;
    for (int life = 0; life < 4; ++life) {
      SourceRun<std::string> run(world, world.source(), static_cast<int>(world.random.below(5)) + 1,
                                 state);
      run_for(run, static_cast<int>(world.random.below(150)));
      REQUIRE(!run.failure);
      state = run.snapshot();
      lines.insert(lines.end(), run.lines().begin(), run.lines().end());
      // What it does after the snapshot is done again.
      run_for(run, static_cast<int>(world.random.below(50)));
      world.settle();
      if (world.random.below(2) == 0)
        world.model.partitions[{"words", static_cast<std::int32_t>(world.model.partitions.size())}];
      world.append(100);
    }
    SourceRun<std::string> last(world, world.bounded(), 2, state);
    last.run_to_end();
    lines.insert(lines.end(), last.lines().begin(), last.lines().end());
    INFO("seed " << seed);
    REQUIRE(in_order(lines));
    REQUIRE((sorted(lines) == sorted(world.all)));
  }
}

TEST_CASE("kafka: a bounded job that is restored reads what it was to read, and no more",
          "[connectors]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    KafkaWorld world(seed);
    world.append(200);
    const Lines wanted = world.all;
    SourceState state;
    Lines lines;
    {
      SourceRun<std::string> run(world, world.bounded(), 3);
      world.settle();
      run_for(run, static_cast<int>(world.random.below(100)));
      state = run.snapshot();
      lines = run.lines();
      world.settle();
    }
    world.append(100);
    world.model.partitions[{"words", 4}];
    world.append(100);
    SourceRun<std::string> run(world, world.bounded(), 2, state);
    run.run_to_end();
    lines.insert(lines.end(), run.lines().begin(), run.lines().end());
    INFO("seed " << seed);
    REQUIRE((sorted(lines) == sorted(wanted)));
  }
}

TEST_CASE("kafka: after a bounded job an endless one goes on where it ended", "[connectors]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    KafkaWorld world(seed);
    world.append(200);
    SourceState state;
    Lines lines;
    {
      SourceRun<std::string> run(world, world.bounded(), 2);
      // At a time when some partitions are read to their end, or all are.
      run_for(run, seed % 2 == 0 ? 60 : 1000);
      state = run.snapshot();
      lines = run.lines();
      world.settle();
    }
    world.append(100);
    SourceRun<std::string> run(world, world.source(), 1, state);
    run_for(run, 2000);
    lines.insert(lines.end(), run.lines().begin(), run.lines().end());
    INFO("seed " << seed);
    REQUIRE((sorted(lines) == sorted(world.all)));
  }
}

TEST_CASE("kafka: what a finished reader read is not read again", "[connectors]") {
  KafkaWorld world;
  world.append(100);
  SourceRun<std::string> run(world, world.bounded(), 2);
  run.run_to_end();
  // Tasks that have ended have no state: what they read is known to the enumerator only.
  const SourceState state{.enumerator = run.snapshot().enumerator, .splits = {}};
  SourceRun<std::string> again(world, world.bounded(), 3, state);
  again.run_to_end();
  CHECK(again.lines().empty());
}

TEST_CASE("kafka: a partition that was handed out behind the list of the checkpoint is read once",
          "[connectors]") {
  KafkaWorld world;
  world.append(100);
  SourceState state;
  Lines lines;
  {
    SourceRun<std::string> run(world, world.source(), 1);
    while (!run.enumerator().has_found_input()) world.io.run_one() || world.deliver_one();
    run_for(run, 60);
    state = run.snapshot();
    lines = run.lines();
    world.settle();
  }
  // As when the readers' part was held up: the enumerator has not handed out anything yet.
  KafkaEnumeratorState list = value_or_throw(decode_kafka_enumerator(state.enumerator));
  for (const auto& known : list.known)
    list.unassigned.push_back({.partition = known.partition, .next = 0});
  state.enumerator = encode_kafka_enumerator(list);
  SourceRun<std::string> run(world, world.bounded(), 1, state);
  run.run_to_end();
  lines.insert(lines.end(), run.lines().begin(), run.lines().end());
  CHECK((sorted(lines) == sorted(world.all)));
}

TEST_CASE("kafka: an end before the position reads nothing twice later", "[connectors]") {
  KafkaWorld world(1, 1);
  world.append(20);
  SourceState state;
  for (const bool has_end : {false, true}) {
    Source source = world.source();
    if (has_end) source.stop_at = KafkaOffsets::given({{{"words", 0}, 3}});
    SourceRun<std::string> run(world, source, 1, state);
    run_for(run, 300);
    CHECK(run.lines().size() == (has_end ? 0 : 20));
    state = run.snapshot();
    world.settle();
  }
  SourceRun<std::string> run(world, world.source(), 1, state);
  run_for(run, 300);
  CHECK(run.lines().empty());
}

TEST_CASE("kafka: new partitions and topics are found and read from their beginning",
          "[connectors]") {
  KafkaWorld world;
  world.append(10);
  Source source = world.source();
  source.topics = {};
  source.topic_pattern = "w.*s|later";
  source.start_at = KafkaOffsets::latest();
  source.partition_discovery_interval = 10s;
  SourceRun<std::string> run(world, source, 2);
  run_for(run, 200);
  CHECK(run.lines().empty());  // they were there before
  world.all.clear();
  world.model.partitions[{"words", 4}];
  world.model.make_topic("later", 2);
  world.model.make_topic("other words", 1);
  world.append(100);
  std::erase_if(world.all, [](const std::string& line) { return line.rfind("other", 0) == 0; });
  run_for(run, 500);
  CHECK(run.lines().size() < world.all.size());
  world.clock.time += 10s;
  run.enumerator().on_time();
  run_for(run, 1000);
  CHECK((sorted(run.lines()) == sorted(world.all)));
}

TEST_CASE("kafka: a topic that appears while a job is down is read from its beginning",
          "[connectors]") {
  KafkaWorld world(1, 0);
  Source source = world.source();
  source.topics = {};
  source.topic_pattern = "later";
  source.start_at = KafkaOffsets::latest();
  SourceState state;
  {
    SourceRun<std::string> run(world, source, 1);
    run_for(run, 100);
    state = run.snapshot();
  }
  world.model.make_topic("later", 2);
  world.append(20);
  SourceRun<std::string> run(world, source, 1, state);
  run_for(run, 300);
  CHECK((sorted(run.lines()) == sorted(world.all)));
}

TEST_CASE("kafka: where it starts and stops", "[connectors]") {
  KafkaWorld world(1, 2);
  const KafkaPartition one{"words", 0};
  const KafkaPartition two{"words", 1};
  for (int i = 0; i < 10; ++i) {
    world.model.append(one, "one " + std::to_string(i));
    world.model.append(two, "two " + std::to_string(i));
  }
  world.model.delete_before(one, 2);
  world.model.committed[one] = 7;
  Source source = world.bounded();
  source.group_id = "group";
  const auto first_lines = [&] {
    SourceRun<std::string> run(world, source, 1);
    run.run_to_end();
    REQUIRE(!run.failure);
    Lines lines = sorted(run.lines());
    std::erase_if(lines, [&, last = std::string()](const std::string& line) mutable {
      const bool is_first = line.substr(0, 3) != last;
      last = line.substr(0, 3);
      return !is_first;
    });
    return lines;
  };
  CHECK((first_lines() == Lines{"one 2", "two 0"}));
  source.start_at = KafkaOffsets::timestamp(5);
  CHECK((first_lines() == Lines{"one 5", "two 5"}));
  source.start_at = KafkaOffsets::committed(KafkaOffsets::Kind::earliest);
  CHECK((first_lines() == Lines{"one 7", "two 0"}));
  source.start_at = KafkaOffsets::committed(KafkaOffsets::Kind::latest);
  CHECK((first_lines() == Lines{"one 7"}));
  source.start_at = KafkaOffsets::given({{one, 9}});
  CHECK((first_lines() == Lines{"one 9", "two 0"}));
  source.start_at = KafkaOffsets::timestamp(100);
  CHECK(first_lines().empty());
  source.start_at = KafkaOffsets::earliest();
  source.stop_at = KafkaOffsets::given({{one, 3}, {two, 0}});
  CHECK((first_lines() == Lines{"one 2"}));

  source.start_at = KafkaOffsets::committed();
  SourceRun<std::string> run(world, source, 1);
  run.run_to_end();
  REQUIRE(run.failure);
  CHECK(run.failure->headline() ==
        "E-SOURCE-LOST: group group has committed no offset for partition words-1 (model:1)");
}

struct Discarding final : BatchReceiver {
  void receive(std::unique_ptr<AnyBatch>&) override {}
};

struct ObservedSplits final : SplitObserver {
  std::size_t added = 0;
  std::map<std::size_t, Timestamp> latest;
  std::set<std::size_t> ended;
  void split_added() override { ++added; }
  void records_emitted(std::size_t split, Timestamp timestamp) override {
    latest[split] = std::max(latest[split], timestamp);
  }
  void split_ended(std::size_t split) override { ended.insert(split); }
};

TEST_CASE("Whoever makes watermarks hears the timestamps of each partition") {
  World world;
  KafkaModel model;  // whose records have their offsets as timestamps
  model.make_topic("in", 3);
  for (int i = 0; i < 50; ++i) model.append({"in", 0}, "record");
  for (int i = 0; i < 7; ++i) model.append({"in", 2}, "record");
  const KafkaSource<std::string> source{
      .brokers = "model:1", .topics = {"in"}, .client = client_of(model, world.random)};
  ObservedSplits observed;
  {
    const auto reader = source.make_reader();
    REQUIRE(reader->observe_splits(observed));
    const OperatorContext context = world.context();
    reader->open(context, [] {});
    reader->start();
    reader->add_split(encode_kafka_split({.partition = {"in", 0}, .next = 0}));
    reader->add_split(encode_kafka_split({.partition = {"in", 1}, .next = 0}));
    reader->add_split(encode_kafka_split({.partition = {"in", 2}, .next = 0, .stop = 4}));
    Discarding discarding;
    Output<std::string> output;
    output.connect(discarding);
    for (int i = 0; i < 100; ++i) (void)reader->poll(output);
  }
  world.settle();
  CHECK(observed.added == 3);
  CHECK((observed.latest == std::map<std::size_t, Timestamp>{{0, 49}, {2, 3}}));
  CHECK((observed.ended == std::set<std::size_t>{2}));
}

TEST_CASE("A source makes watermarks partition by partition") {
  World world;
  KafkaModel model;
  model.make_topic("in", 2);
  for (int i = 0; i < 50; ++i) model.append({"in", 0}, "record");
  for (int i = 0; i < 7; ++i) model.append({"in", 1}, "record");
  const KafkaSource<std::string> source{
      .brokers = "model:1", .topics = {"in"}, .client = client_of(model, world.random)};
  const auto strategy = WatermarkStrategy::for_bounded_out_of_orderness(2ms).with_idleness(1s);
  {
    WatermarkedSourceOperator<std::string> op(source.make_reader(), strategy.options());
    Discarding discarding;
    op.connect_output(discarding);
    op.set_ask_for_split([] {});
    const OperatorContext context = world.context();
    op.open(context, {});
    op.start();
    op.add_split(encode_kafka_split({.partition = {"in", 0}, .next = 0}));
    op.add_split(encode_kafka_split({.partition = {"in", 1}, .next = 0}));
    const auto events_after = [&](Duration time) {
      std::vector<WatermarkEvent> events;
      for (; time > 0ms; time -= 50ms) {
        (void)op.poll();
        world.clock.time += 50ms;
        while (const auto event = op.next_watermark(world.clock.now())) events.push_back(*event);
      }
      return events;
    };
    // Records have their offsets as timestamps: the partition that is behind says how far they are.
    const auto reading = events_after(1s);
    REQUIRE_FALSE(reading.empty());
    CHECK((reading.back() == WatermarkEvent(Watermark{6 - 3})));
    // It falls idle; what the other one knows holds, and the subtask is idle with it.
    CHECK((events_after(3s) ==
           std::vector<WatermarkEvent>{Watermark{49 - 3}, WatermarkStatus{.is_idle = true}}));
  }
  world.settle();
}

TEST_CASE("Offsets are committed for a group when a checkpoint is complete, for others to see") {
  World world;
  KafkaModel model;
  model.make_topic("in", 2);
  for (int i = 0; i < 5; ++i) model.append({"in", 1}, "record");
  const auto kafka = client_of(model, world.random);
  KafkaSource<std::string> source{.brokers = "model:1", .topics = {"in"}, .client = kafka};
  const bool has_group = GENERATE(false, true);
  if (has_group) source.group_id = "watchers";
  {
    const auto reader = source.make_reader();
    const OperatorContext context = world.context();
    reader->open(context, [] {});
    reader->start();
    reader->add_split(encode_kafka_split({.partition = {"in", 1}, .next = 2}));
    CHECK(reader->snapshot().size() == 1);
    reader->snapshot_taken(1);
    reader->snapshot_taken(2);
    world.settle();
    CHECK(model.committed.empty());
    model.is_up = false;
    reader->notify_checkpoint_complete(1);
    world.settle();
    CHECK(model.committed.empty());
    CHECK(world.log.warnings.size() == (has_group ? 1 : 0));
    model.is_up = true;
    reader->notify_checkpoint_complete(2);
    world.settle();
    CHECK((model.committed == (has_group ? std::map<KafkaPartition, std::int64_t>{{{"in", 1}, 2}}
                                         : std::map<KafkaPartition, std::int64_t>{})));
  }
  world.settle();
}

}  // namespace
}  // namespace streamrun::test
