// What a source of Kafka says when it can't go on.
#include <streamrun/connectors/kafka/kafka_json.h>

#include <chrono>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "kafka_model.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
using Source = KafkaSource<std::string>;

struct FailingWorld : World {
  FailingWorld() {
    model.make_topic("words", 2);
    for (int i = 0; i < 10; ++i) model.append({"words", 1}, std::to_string(i));
  }
  Source source() {
    return {.brokers = "model:1", .topics = {"words"}, .client = client_of(model, random)};
  }
  KafkaModel model;
};

/// What `act` throws, as its first line.
template <typename F>
std::string headline_of(F&& act) {
  try {
    act();
  } catch (const ErrorException& error) {
    return error.error().headline();
  }
  return "nothing";
}
TEST_CASE("kafka: what can't mean anything is refused", "[connectors]") {
  World world;
  KafkaModel model;
  const auto headline = [&](auto change) {
    Source source{
        .brokers = "model:1", .topics = {"words"}, .client = client_of(model, world.random)};
    change(source);
    return headline_of([&] { (void)source.make_enumerator(); });
  };
  CHECK(headline([](Source&) {}) == "nothing");
  CHECK(headline([](Source& source) { source.brokers = ""; }) ==
        "E-USAGE: a source of Kafka needs the address of a broker (brokers)");
  CHECK(headline([](Source& source) { source.topics = {}; }) ==
        "E-USAGE: a source of Kafka needs either topics or a pattern of their names (model:1)");
  CHECK(headline([](Source& source) { source.topic_pattern = "w"; }) ==
        "E-USAGE: a source of Kafka needs either topics or a pattern of their names (model:1)");
  CHECK(headline([](Source& source) {
          source.topics = {"words", ""};
        }) == "E-USAGE: the name of a topic is empty (model:1)");
  CHECK(headline([](Source& source) {
          source.topics = {};
          source.topic_pattern = "w(";
        }) == "E-USAGE: the pattern of topics can't be read (w()");
  CHECK(headline([](Source& source) { source.start_at = KafkaOffsets::committed(); }) ==
        "E-USAGE: committed offsets are those of a group: group_id is empty (topic words of "
        "model:1)");
  CHECK(headline([](Source& source) { source.stop_at = KafkaOffsets::earliest(); }) ==
        "E-USAGE: a source that stops at the earliest offset reads nothing (topic words of "
        "model:1)");
  CHECK(headline([](Source& source) { source.connection_timeout = 0s; }) ==
        "E-USAGE: the connection time-out of a source of Kafka is above 0 (topic words of "
        "model:1)");
}

TEST_CASE("kafka: librdkafka's refusal of a property is told, a password is not", "[connectors]") {
  const auto refusal = [](const std::string& name, const std::string& value) {
    return librdkafka()
        ->make_admin({.brokers = "localhost:1", .properties = {{name, value}}})
        .error();
  };
  CHECK(refusal("no.such.property", "1").headline() ==
        "E-USAGE: the Kafka property no.such.property can't be set so (property no.such.property)");
  CHECK(refusal("no.such.property", "1").why.find("No such configuration property") !=
        std::string::npos);
  CHECK(refusal("auto.offset.reset", "earliest").why ==
        "this says it: where the source starts; an offset that is gone is never reset");
  const Error secret = refusal("no.such.password", "secret");
  CHECK((secret.headline() + secret.why).find("secret") == std::string::npos);
}

TEST_CASE("kafka: an offset that is gone ends the job", "[connectors]") {
  FailingWorld world;
  SourceState state;
  {
    SourceRun<std::string> run(world, world.source(), 1);
    while (run.lines().size() < 3) run.step();
    state = run.snapshot();
    world.settle();
  }
  const std::size_t read = 10;
  world.model.delete_before({"words", 1}, static_cast<std::int64_t>(read));
  SourceRun<std::string> run(world, world.source(), 1, state);
  const std::string headline = headline_of([&] { run_for(run, 500); });
  CHECK(headline.rfind("E-SOURCE-LOST: out of range (partition words-1, offset ", 0) == 0);
  CHECK(run.lines().empty());
}

TEST_CASE("kafka: a topic or partition that is not there ends the job", "[connectors]") {
  FailingWorld world;
  Source source = world.source();
  source.topics.push_back("lines");
  SourceRun<std::string> run(world, source, 1);
  run_for(run, 100);
  REQUIRE(run.failure);
  CHECK(run.failure->headline() == "E-PATH: topic lines not found");

  SourceRun<std::string> first(world, world.source(), 1);
  run_for(first, 100);
  const SourceState state = first.snapshot();
  world.settle();
  world.model.partitions.erase({"words", 1});
  SourceRun<std::string> second(world, world.source(), 1, state);
  // Perhaps a broker that has just started does not know yet.
  for (int i = 0; i < 29; ++i) {
    world.settle();
    REQUIRE(!second.failure);
    world.clock.time += 1s;
    second.enumerator().on_time();
  }
  world.clock.time += 2s;
  second.enumerator().on_time();
  run_for(second, 100);
  REQUIRE(second.failure);
  CHECK(second.failure->headline() ==
        "E-SOURCE-LOST: partition words-1 is gone (topic words of model:1)");
}

TEST_CASE("kafka: a topic of the checkpoint that the job no longer names is refused",
          "[connectors]") {
  FailingWorld world;
  world.model.make_topic("lines", 1);
  Source both = world.source();
  both.topics.push_back("lines");
  SourceState state;
  {
    SourceRun<std::string> run(world, both, 1);
    run_for(run, 100);
    state = run.snapshot();
    world.settle();
  }
  SourceRun<std::string> run(world, world.source(), 1, state);
  run_for(run, 100);
  REQUIRE(run.failure);
  CHECK(run.failure->headline() ==
        "E-JOB-MISMATCH: the checkpoint reads topic lines, and the job does not (topic words of "
        "model:1)");
}

TEST_CASE("kafka: brokers that do not answer at the start are waited for", "[connectors]") {
  for (const bool comes_back : {true, false}) {
    FailingWorld world;
    world.model.is_up = false;
    SourceRun<std::string> run(world, world.source(), 1);
    for (int i = 0; i < 29; ++i) {
      world.settle();
      REQUIRE(!run.failure);
      world.clock.time += 1s;
      run.enumerator().on_time();
    }
    CHECK(!run.enumerator().has_found_input());
    world.model.is_up = comes_back;
    world.clock.time += 2s;
    run.enumerator().on_time();
    run_for(run, 200);
    CHECK(run.failure.has_value() == !comes_back);
    CHECK(run.lines().size() == (comes_back ? 10 : 0));
    if (run.failure) CHECK(run.failure->code == ErrorCode::unavailable);
    world.settle();
  }
}

TEST_CASE("kafka: brokers that go away are waited for as long as is allowed", "[connectors]") {
  for (const bool comes_back : {true, false}) {
    FailingWorld world;
    Source source = world.source();
    source.connection_timeout = 9s;
    SourceRun<std::string> run(world, source, 1);
    run_for(run, 200);
    REQUIRE(run.lines().size() == 10);
    world.model.is_up = false;
    CHECK(run.poll(0) == SourceStatus::more);
    for (int i = 0; i < 4; ++i) {
      CHECK(world.io.run_one());  // asks once more
      world.deliver();
      world.clock.time += 2s;
      CHECK(run.poll(0) == SourceStatus::idle);
    }
    world.model.is_up = comes_back;
    world.model.append({"words", 0}, "later");
    world.clock.time += 2s;
    const std::string headline = headline_of([&] { run_for(run, 200); });
    CHECK(headline == (comes_back ? "nothing" : "E-UNAVAILABLE: the model is down (model:1)"));
    CHECK(run.lines().size() == (comes_back ? 11 : 10));
    world.settle();
  }
}

TEST_CASE("kafka: a look for new partitions that fails is told, and done again", "[connectors]") {
  FailingWorld world;
  Source source = world.source();
  source.partition_discovery_interval = 60s;
  SourceRun<std::string> run(world, source, 1);
  world.settle();
  world.model.is_up = false;
  world.clock.time += 60s;
  run.enumerator().on_time();
  world.settle();
  REQUIRE(world.log.warnings.size() == 1);
  CHECK(world.log.warnings[0] ==
        "no new partitions could be looked for: E-UNAVAILABLE: the model is down (model:1)");
  CHECK(!run.failure);
  CHECK(run.enumerator().next_deadline() == Instant(120s));

  // A broker that has just come back and does not know the topic yet has all of its time.
  world.model.is_up = true;
  const auto partitions = std::exchange(world.model.partitions, {});
  world.clock.time += 60s;
  run.enumerator().on_time();
  world.settle();
  CHECK(!run.failure);
  world.model.partitions = partitions;
  world.clock.time += 1s;
  run.enumerator().on_time();
  world.settle();
  CHECK(!run.failure);
  CHECK(run.enumerator().next_deadline() == Instant(181s));
}

struct Number {
  std::int64_t number = 0;
  static auto fields() { return named_fields(field("number", &Number::number)); }
};

TEST_CASE("kafka: records that are not what the format says end the job, or are left out",
          "[connectors]") {
  World world;
  KafkaModel model;
  model.make_topic("numbers", 1);
  for (int i = 0; i < 30; ++i)
    model.append({"numbers", 0}, i % 3 == 1 ? "{" : "{\"number\":" + std::to_string(i) + "}");
  KafkaSource<Number, KafkaJson<Number>> source{.brokers = "model:1",
                                                .topics = {"numbers"},
                                                .stop_at = KafkaOffsets::latest(),
                                                .client = client_of(model, world.random)};
  {
    SourceRun<Number> run(world, source, 1);
    CHECK(headline_of([&] { run.run_to_end(); }) ==
          "E-JOB-FAILED: the record is not JSON (partition numbers-0, offset 1, of model:1)");
    world.settle();
  }
  source.bad_records = BadRecords::skip;
  SourceRun<Number> run(world, source, 1);
  run.run_to_end();
  REQUIRE(run.lines().size() == 20);
  CHECK(run.lines()[1].number == 2);
  REQUIRE(world.log.warnings.size() == 2);  // of the first and the tenth
  CHECK(world.log.warnings[1].rfind(
            "uid: 10 bad record(s) skipped, now partition numbers-0, offset 28: the record is not "
            "JSON (",
            0) == 0);
}

TEST_CASE("kafka: a dry run asks the brokers", "[connectors]") {
  FailingWorld world;
  const auto check = [&](const Source& source) {
    return source.check_input(world.stores, "/", "", {});
  };
  CHECK(check(world.source()).has_value());
  Source other = world.source();
  other.topics = {"lines"};
  CHECK(check(other).error().code == ErrorCode::path);
  world.model.is_up = false;
  CHECK(check(world.source()).error().code == ErrorCode::unavailable);
}

}  // namespace
}  // namespace streamrun::test
