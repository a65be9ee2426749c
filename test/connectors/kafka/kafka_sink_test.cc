// A Kafka sink on a model of Kafka and a disk in memory: what a reader finds, whatever fails.
#include <streamrun/connectors/kafka/kafka_sink.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "connectors/file/sink_world.h"
#include "kafka_committable.h"
#include "kafka_model.h"

namespace streamrun::test {
namespace {

constexpr const char* kFolder = "/ckpt/job/taskowned";
using Trouble = KafkaModel::Trouble;

/// A broker and a disk that outlive what uses them.
struct Outside {
  Outside() { kafka.make_topic("out", 2); }

  KafkaModel kafka;
  sim::MemoryFileSystem disk;

  std::vector<std::string> visible(std::int32_t partition = 0) const {
    std::vector<std::string> values;
    for (const KafkaModel::Record& record : kafka.partitions.at({"out", partition}).records)
      values.push_back(record.value);
    return values;
  }
};

KafkaSink<KafkaLine> sink_to(Outside& outside, Random& random, DeliveryGuarantee guarantee) {
  return {.brokers = "model:1",
          .topic = "out",
          .delivery_guarantee = guarantee,
          .client = client_of(outside.kafka, random)};
}

/// One subtask in one attempt.
class Run {
 public:
  using Committables = std::vector<std::string>;
  using Change = std::function<void(OperatorContext&, KafkaSink<KafkaLine>&)>;

  explicit Run(Outside& outside, const std::string& attempt = "attempt-1",
               const Committables& restored = {}, const Change& change = {},
               DeliveryGuarantee guarantee = DeliveryGuarantee::exactly_once)
      : world_(outside.disk), context_(world_.context()), random_(1) {
    context_.attempt = attempt;
    context_.task_owned_folder = kFolder;
    KafkaSink<KafkaLine> sink = sink_to(outside, random_, guarantee);
    if (change) change(context_, sink);
    writer_ = sink.make_writer<std::string>();
    writer_->set_restored_committables(restored);
    writer_->open(context_);
    if (!restored.empty()) value_or_throw(writer_->commit(restored));
    value_or_throw(writer_->remove_leftovers());
  }
  ~Run() { world_.settle(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void write(const std::vector<std::string>& lines) {
    Batch<std::string> batch;
    for (const std::string& line : lines) batch.append(line);
    writer_->write(batch);
  }
  Committables prepare() {
    std::optional<Result<Committables>> answer;
    writer_->prepare(++checkpoint_,
                     [&](Result<Committables> prepared) { answer = std::move(prepared); });
    world_.settle();
    REQUIRE(answer);
    return value_or_throw(*std::move(answer));
  }
  Committables write_and_prepare(const std::vector<std::string>& lines) {
    write(lines);
    return prepare();
  }
  Result<void> commit(const Committables& committables) { return writer_->commit(committables); }
  SinkWorld& world() { return world_; }

 private:
  SinkWorld world_;
  OperatorContext context_;
  SeededRandom random_;
  std::unique_ptr<SinkWriter<std::string>> writer_;
  CheckpointId checkpoint_ = 0;
};

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ErrorException& thrown) {
    return thrown.error().code;
  }
  return ErrorCode::bug;
}

TEST_CASE("Records become visible when their checkpoint is complete, in order") {
  Outside outside;
  Run run(outside);
  const auto first = run.write_and_prepare({"a", "b"});
  const auto second = run.write_and_prepare({"c"});
  CHECK(first.size() == 1);
  CHECK(outside.visible().empty());
  REQUIRE(run.commit(first));
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
  REQUIRE(run.commit(second));
  CHECK(outside.visible() == std::vector<std::string>{"a", "b", "c"});
  CHECK(outside.disk.files().empty());
}

TEST_CASE("A checkpoint without records has nothing to commit") {
  Outside outside;
  Run run(outside);
  CHECK(run.prepare().empty());
  CHECK(outside.kafka.commits == 1);  // the number that says that Kafka knows the id
}

TEST_CASE("What a checkpoint had prepared is committed once over restarts (E2, E3)") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a"});
    restored.push_back(run.write_and_prepare({"b"}).at(0));
    SECTION("none was committed") {}
    SECTION("the first one was") {
      REQUIRE(run.commit({restored[0]}));
    }
    SECTION("both were") {
      REQUIRE(run.commit(restored));
    }
    SECTION("the first one was, and nobody heard of it") {
      outside.kafka.trouble = Trouble::answer_lost;
      CHECK_FALSE(run.commit({restored[0]}));
    }
    run.write({"lost with the attempt"});
  }
  for (const char* const attempt : {"attempt-2", "attempt-3"}) {
    Run run(outside, attempt, restored);
    CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
  }
  CHECK(outside.disk.files().empty());
}

TEST_CASE("Numbers go on behind what was restored") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a"});
  }
  Run run(outside, "attempt-2", restored);
  REQUIRE(run.commit(run.write_and_prepare({"b"})));
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("A transaction that the broker ended is sent again") {
  Outside outside;
  Run run(outside);
  outside.kafka.trouble = Trouble::fails;
  REQUIRE(run.commit(run.write_and_prepare({"a"})));
  CHECK(outside.visible() == std::vector<std::string>{"a"});
}

TEST_CASE("A record that Kafka refuses fails the commit, and is not given up (E7)") {
  Outside outside;
  std::vector<std::string> prepared;
  {
    Run run(outside);
    prepared = run.write_and_prepare({"a"});
    outside.kafka.trouble = Trouble::refuses;
    CHECK_FALSE(run.commit(prepared));
    CHECK(outside.visible().empty());
  }
  Run run(outside, "attempt-2", prepared);
  CHECK(outside.visible() == std::vector<std::string>{"a"});
}

TEST_CASE("A run that restored the same snapshot takes the id over; neither doubles a record") {
  Outside outside;
  Run original(outside);
  const auto prepared = original.write_and_prepare({"a"});
  const auto later = original.write_and_prepare({"b"});
  const auto as_fork = [](OperatorContext& context, KafkaSink<KafkaLine>&) {
    context.job_id = value_or_throw(parse_job_id(std::string(32, 'b')));
    context.task_owned_folder = "/ckpt/fork/taskowned";
  };
  Run fork(outside, "attempt-1", prepared, as_fork);
  CHECK(outside.visible() == std::vector<std::string>{"a"});
  REQUIRE(original.commit(prepared));
  REQUIRE(original.commit(later));
  REQUIRE(fork.commit(fork.write_and_prepare({"c"})));
  CHECK(outside.visible() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("An id that Kafka has forgotten is an answer for a person to give") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a"});
  }
  outside.kafka.producers.clear();
  const auto with = [](UnknownCommit what) {
    return [what](OperatorContext&, KafkaSink<KafkaLine>& sink) { sink.on_unknown_commit = what; };
  };
  const auto as_other = [](OperatorContext& context, KafkaSink<KafkaLine>&) {
    context.job_id = value_or_throw(parse_job_id(std::string(32, 'b')));
  };
  SECTION("by default the job does not go on") {
    CHECK(code_of([&] { Run(outside, "attempt-2", restored, as_other); }) ==
          ErrorCode::kafka_transaction_lost);
    CHECK(outside.disk.files().size() == 1);
  }
  SECTION("they are sent") {
    Run run(outside, "attempt-2", restored, [&](OperatorContext& context, auto& sink) {
      as_other(context, sink);
      with(UnknownCommit::send)(context, sink);
    });
    CHECK(outside.visible() == std::vector<std::string>{"a"});
  }
  SECTION("they are dropped") {
    Run run(outside, "attempt-2", restored, [&](OperatorContext& context, auto& sink) {
      as_other(context, sink);
      with(UnknownCommit::drop)(context, sink);
    });
    CHECK(outside.visible().empty());
  }
}

TEST_CASE(
    "Prepared records that are gone or changed are E-SINK-LOST, and nothing of them is sent") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a", "b"});
  }
  const std::string path = outside.disk.files().begin()->first;
  std::string bytes = outside.disk.files().begin()->second;
  value_or_throw(outside.disk.remove_file(path));
  SECTION("gone") {}
  SECTION("cut short, or with another byte") {
    const bool is_short = GENERATE(false, true);
    if (is_short) {
      bytes.pop_back();
    } else {
      bytes.back() = 'x';
    }
    const auto file = value_or_throw(outside.disk.create(path));
    value_or_throw(file->append(bytes));
    value_or_throw(file->close());
  }
  CHECK(code_of([&] { Run(outside, "attempt-2", restored); }) == ErrorCode::sink_lost);
  CHECK(outside.visible().empty());
}

TEST_CASE("What dead attempts left goes, what a snapshot names stays (R2, E4)") {
  Outside outside;
  std::vector<std::string> retained;
  {
    Run run(outside);
    retained = run.write_and_prepare({"of a retained snapshot"});
    (void)run.write_and_prepare({"of a checkpoint that did not complete"});
    run.write(std::vector<std::string>(3, std::string(700000, 'x')));  // is written already
  }
  CHECK(outside.disk.files().size() == 3);
  {
    Run run(outside, "attempt-2", {}, [&](OperatorContext& context, auto&) {
      context.retained_committables = [&](const JobId&) { return retained; };
    });
    CHECK(outside.disk.files().size() == 1);
  }
  // The same from another run of the family, whose own folder is another.
  Run run(outside, "attempt-1", {}, [&](OperatorContext& context, auto&) {
    context.job_id = value_or_throw(parse_job_id(std::string(32, 'b')));
    context.task_owned_folder = "/ckpt/other/taskowned";
    context.earlier_task_owned_folders = [] { return std::vector<std::string>{kFolder}; };
    context.fate_of_run = [](const JobId&) { return RunFate::dead; };
    context.retained_committables = [](const JobId&) { return std::vector<std::string>(); };
  });
  CHECK(outside.disk.files().empty());
}

TEST_CASE("At least once sends at once, and waits for acknowledgements at a checkpoint") {
  Outside outside;
  Run run(outside, "attempt-1", {}, {}, DeliveryGuarantee::at_least_once);
  CHECK(run.write_and_prepare({"a", "b"}).empty());
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
  CHECK(outside.disk.files().empty());
  run.write({"c"});
  outside.kafka.is_up = false;
  CHECK(code_of([&] { run.prepare(); }) == ErrorCode::unavailable);
}

TEST_CASE("A sink that is no longer exactly-once still commits what was prepared") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a"});
  }
  Run run(outside, "attempt-2", restored, {}, DeliveryGuarantee::at_least_once);
  (void)run.write_and_prepare({"b"});
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("Exactly-once needs a folder for checkpoints") {
  Outside outside;
  const auto without = [](OperatorContext& context, KafkaSink<KafkaLine>&) {
    context.task_owned_folder.clear();
  };
  CHECK(code_of([&] { Run(outside, "attempt-1", {}, without); }) == ErrorCode::config);
}

TEST_CASE("Where Kafka has forgotten an id, each committable is decided by itself") {
  Outside outside;
  std::vector<std::string> restored;
  {
    Run run(outside);
    restored = run.write_and_prepare({"a"});
    restored.push_back(run.write_and_prepare({"b"}).at(0));
  }
  outside.kafka.producers.clear();
  const bool drops = GENERATE(false, true);
  Run run(outside, "attempt-2", restored, [drops](OperatorContext&, auto& sink) {
    sink.on_unknown_commit = drops ? UnknownCommit::drop : UnknownCommit::send;
  });
  CHECK(outside.visible() ==
        (drops ? std::vector<std::string>{} : std::vector<std::string>{"a", "b"}));
}

TEST_CASE("The numbers of one attempt say nothing of another one's (E6)") {
  Outside outside;
  std::vector<std::string> of_savepoint;
  {
    Run run(outside);
    of_savepoint = run.write_and_prepare({"a"});  // commits nothing
  }
  {
    // A restart from before the savepoint, which commits its own.
    Run run(outside, "attempt-2", {}, [&](OperatorContext& context, auto&) {
      context.retained_committables = [&](const JobId&) { return of_savepoint; };
    });
    REQUIRE(run.commit(run.write_and_prepare({"A"})));
  }
  Run run(outside, "attempt-3", of_savepoint);
  CHECK(outside.visible() == std::vector<std::string>{"A", "a"});
}

TEST_CASE("What another run has committed and removed is asked for, not lost") {
  Outside outside;
  Run original(outside);
  const auto first = original.write_and_prepare({"a"});
  REQUIRE(original.commit(first));  // it knows the number by heart
  const auto prepared = original.write_and_prepare({"b"});
  const RunFate fate = GENERATE(RunFate::alive, RunFate::dead);
  Run fork(outside, "attempt-1", prepared, [fate](OperatorContext& context, auto&) {
    context.job_id = value_or_throw(parse_job_id(std::string(32, 'b')));
    context.task_owned_folder = "/ckpt/fork/taskowned";
    context.fate_of_run = [fate](const JobId&) { return fate; };
  });
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
  // Of a run that may be alive no file is removed (G9).
  CHECK(outside.disk.files().empty() == (fate == RunFate::dead));
  REQUIRE(original.commit(prepared));
  CHECK(outside.visible() == std::vector<std::string>{"a", "b"});
  CHECK(outside.disk.files().empty());
}

TEST_CASE("What another run has committed before the first commit is asked for too") {
  Outside outside;
  Run original(outside);
  const auto prepared = original.write_and_prepare({"a"});
  Run fork(outside, "attempt-1", prepared, [](OperatorContext& context, auto&) {
    context.job_id = value_or_throw(parse_job_id(std::string(32, 'b')));
    context.task_owned_folder = "/ckpt/fork/taskowned";
    context.fate_of_run = [](const JobId&) { return RunFate::dead; };
  });
  REQUIRE(original.commit(prepared));
  CHECK(outside.visible() == std::vector<std::string>{"a"});
}

TEST_CASE("A record that Kafka would refuse fails before it is part of a checkpoint") {
  Outside outside;
  Run run(outside, "attempt-1", {},
          [](OperatorContext&, auto& sink) { sink.properties["message.max.bytes"] = "100"; });
  run.write({std::string(50, 'x')});
  CHECK(code_of([&] { run.write({std::string(101, 'x')}); }) == ErrorCode::job_failed);
}

TEST_CASE("An id that is not used is recorded again every day") {
  Outside outside;
  Run run(outside);
  (void)run.prepare();
  CHECK(outside.kafka.commits == 1);
  run.world().clock.time += std::chrono::hours(25);
  (void)run.prepare();
  CHECK(outside.kafka.commits == 2);
  (void)run.prepare();
  CHECK(outside.kafka.commits == 2);
}

TEST_CASE("Exactly-once needs checkpoints where the input does not end") {
  Outside outside;
  const auto without = [](OperatorContext& context, KafkaSink<KafkaLine>&) {
    context.commits_only_on_request = true;
  };
  CHECK(code_of([&] { Run(outside, "attempt-1", {}, without); }) == ErrorCode::config);
}

TEST_CASE("A sink without brokers, topic or prefix is refused") {
  Outside outside;
  const auto code_with = [&](const std::function<void(KafkaSink<KafkaLine>&)>& change) {
    return code_of([&] {
      Run(outside, "attempt-1", {}, [&](OperatorContext&, auto& sink) { change(sink); });
    });
  };
  CHECK(code_with([](auto& sink) { sink.brokers.clear(); }) == ErrorCode::usage);
  CHECK(code_with([](auto& sink) { sink.topic.clear(); }) == ErrorCode::usage);
  CHECK(code_with([](auto& sink) { sink.transactional_id_prefix.clear(); }) == ErrorCode::usage);
  CHECK(code_with([](auto& sink) { sink.transactional_id_prefix.assign(30001, 'x'); }) ==
        ErrorCode::usage);
}

TEST_CASE("Records keep all their parts in a block, wherever it is cut") {
  KafkaRecord record;
  std::string block;
  append_record(block, record);
  record.value = "value";
  append_record(block, record);
  record.key = "key";
  record.has_key = true;
  record.has_value = false;
  record.timestamp = -5;
  record.partition = 7;
  record.headers = {{"name", "text"}, {"name", ""}};
  append_record(block, record);

  std::vector<KafkaRecordView> records;
  std::size_t used = 0;
  REQUIRE(read_records(block, records, used));
  CHECK(used == block.size());
  REQUIRE(records.size() == 3);
  CHECK(records[0].value == "");
  CHECK_FALSE(records[0].key.has_value());
  CHECK(records[1].value == "value");
  CHECK(records[2].key == "key");
  CHECK_FALSE(records[2].value.has_value());
  CHECK(records[2].timestamp == -5);
  CHECK(records[2].partition == 7);
  REQUIRE(records[2].headers.size() == 2);
  CHECK(records[2].headers[0].second == "text");

  for (std::size_t cut = 0; cut < block.size(); ++cut) {
    std::vector<KafkaRecordView> whole;
    REQUIRE(read_records(std::string_view(block).substr(0, cut), whole, used));
    CHECK(used <= cut);
    std::vector<KafkaRecordView> rest;
    std::size_t used_of_rest = 0;
    REQUIRE(read_records(std::string_view(block).substr(used), rest, used_of_rest));
    CHECK(whole.size() + rest.size() == 3);
  }
}

TEST_CASE("A damaged block or committable is an error, whatever the byte") {
  KafkaRecord record;
  record.value = "value";
  record.headers = {{"name", "text"}};
  std::string block;
  append_record(block, record);
  std::size_t refused = 0;
  for (std::size_t at = 4; at < block.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = block;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      std::vector<KafkaRecordView> records;
      std::size_t used = 0;
      const auto read = read_records(damaged, records, used);
      if (read) continue;
      CHECK(read.error().code == ErrorCode::state_corrupt);
      ++refused;
    }
  }
  CHECK(refused > 0);  // of flags and lengths; a byte of a text is a byte
  Outside outside;
  Run run(outside);
  const std::string bytes = run.write_and_prepare({"a"}).front();
  const KafkaCommittable whole = value_or_throw(decode_kafka_committable(bytes));
  CHECK(encode_kafka_committable(whole) == bytes);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto read = decode_kafka_committable(std::string_view(bytes).substr(0, cut));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::state_corrupt);
  }
}

}  // namespace
}  // namespace streamrun::test
