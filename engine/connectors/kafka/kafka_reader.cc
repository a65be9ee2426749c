#include <streamrun/connectors/kafka/kafka_reader.h>

#include <chrono>
#include <limits>
#include <utility>

#include "kafka_split.h"

namespace streamrun {
namespace {

/// As many as a batch holds.
constexpr std::size_t kMessages = kBatchRecords;
/// What an I/O thread waits at once for a broker: little, because every reader asks.
constexpr Duration kProbeTime = std::chrono::milliseconds(200);
/// For what only others want.
constexpr Duration kCommitTime = std::chrono::seconds(5);
constexpr Duration kProbeInterval = std::chrono::seconds(2);
constexpr std::int64_t kNoStop = std::numeric_limits<std::int64_t>::max();

}  // namespace

void KafkaPositions::open(const OperatorContext& context,
                          const std::shared_ptr<KafkaClient>& client, KafkaSettings settings) {
  context_ = &context;
  client_ = client;
  settings_ = std::move(settings);
  consumer_ =
      value_or_throw(client->make_consumer(settings_, [post = context.post] { post([] {}); }));
}

void KafkaPositions::add_split(const std::string& bytes) {
  const KafkaSplit split = value_or_throw(decode_kafka_split(bytes));
  readings_.push_back({.partition = split.partition,
                       .next = split.next,
                       .stop = split.stop.value_or(kNoStop),
                       .has_ended = false});
  ++left_;
  if (observer_ != nullptr) observer_->split_added();
  has_stops_ = has_stops_ || split.stop.has_value();
  if (!split.is_read()) consumer_->add(readings_.size() - 1, split.partition, split.next);
  end_what_is_read();
}

const std::vector<KafkaMessage>& KafkaPositions::poll() {
  if (failure_) throw_error(*failure_);
  if (probe_at_ && *probe_at_ <= context_->environment.clock.now()) probe();
  return consumer_->poll(kMessages);
}

void KafkaPositions::handle(const KafkaMessage& message) {
  if (message.kind == KafkaMessage::Kind::down) {
    if (probing_) return;
    probing_ = true;
    give_up_at_ = context_->environment.clock.now() + settings_.connection_timeout;
    return probe();
  }
  Reading& reading = readings_[message.number];
  if (reading.has_ended) return;
  if (message.kind == KafkaMessage::Kind::error) fail_at(message, *message.failure);
  // Behind the last record there may be offsets that no record will have, such as the end of a
  // transaction.
  pass(reading, message.offset);
}

void KafkaPositions::probe() {
  probe_at_.reset();
  context_->environment.io.submit([this, alive = std::weak_ptr<const bool>(alive_),
                                   post = context_->post, probe = consumer_->make_probe()] {
    // `this` is used on the task's thread only, where it can be told whether it still exists.
    post([this, alive, answer = probe(kProbeTime)]() mutable {
      if (alive.expired()) return;
      probing_ = !answer;
      if (answer) return;
      const Instant now = context_->environment.clock.now();
      if (now >= give_up_at_) {
        failure_ = std::move(answer).error();
      } else {
        probe_at_ = now + kProbeInterval;
      }
    });
  });
}

void KafkaPositions::snapshot_taken(CheckpointId id) {
  if (settings_.group_id.empty()) return;
  Offsets& offsets = taken_[id];
  for (const Reading& reading : readings_) offsets[reading.partition] = reading.next;
}

void KafkaPositions::notify_checkpoint_complete(CheckpointId id) {
  const auto taken = taken_.find(id);
  if (taken == taken_.end()) return;
  to_commit_ = std::move(taken->second);
  taken_.erase(taken_.begin(), std::next(taken));
  commit_if_idle();
}

/// One at a time; what comes meanwhile replaces what waits. With a client of its own, on an I/O
/// thread: whoever is out of reach holds up nothing but this.
void KafkaPositions::commit_if_idle() {
  if (committing_ || to_commit_.empty()) return;
  committing_ = true;
  context_->environment.io.submit([this, alive = std::weak_ptr<const bool>(alive_),
                                   post = context_->post, client = client_, settings = settings_,
                                   group = std::move(group_),
                                   offsets = std::exchange(to_commit_, {})]() mutable {
    const auto commit = [&]() -> Result<void> {
      if (group == nullptr) group = SR_TRY(client->make_admin(settings));
      return group->commit(offsets, kCommitTime);
    };
    post([this, alive, group = std::move(group), committed = commit()]() mutable {
      if (alive.expired()) return;
      committing_ = false;
      group_ = std::move(group);
      if (!committed && !std::exchange(told_of_failure_, true)) {
        context_->environment.log.warning(
            context_->uid + ": offsets can't be committed for group " + settings_.group_id +
            ", which only others miss: " + committed.error().headline());
      }
      commit_if_idle();
    });
  });
}

void KafkaPositions::end_what_is_read() {
  if (!has_stops_) return;
  for (std::size_t number = 0; number < readings_.size(); ++number) {
    Reading& reading = readings_[number];
    if (reading.has_ended || reading.next < reading.stop) continue;
    reading.has_ended = true;
    --left_;
    if (observer_ != nullptr) observer_->split_ended(number);
    consumer_->stop(number);
  }
}

void KafkaPositions::skip(const KafkaMessage& message, const Error& error) {
  ++skipped_;
  std::uint64_t power = 1;
  while (power < skipped_) power *= 10;
  if (power != skipped_) return;
  context_->environment.log.warning(
      context_->uid + ": " + std::to_string(skipped_) + " bad record(s) skipped, now partition " +
      readings_[message.number].partition.text() + ", offset " + std::to_string(message.offset) +
      ": " + error.message + (error.why.empty() ? "" : " (" + error.why + ")"));
}

void KafkaPositions::fail_at(const KafkaMessage& message, Error error) const {
  const Reading& reading = readings_[message.number];
  const std::int64_t offset =
      message.kind == KafkaMessage::Kind::record ? message.offset : reading.next;
  error.where = "partition " + reading.partition.text() + ", offset " + std::to_string(offset) +
                ", of " + settings_.brokers;
  if (error.code == ErrorCode::source_lost) {
    error.tries.push_back(
        "the same command with --drop-state " + context_->uid +
        "  # reads each partition from where a fresh job would: some records count twice");
  }
  throw_error(std::move(error));
}

std::vector<std::string> KafkaPositions::snapshot() const {
  std::vector<std::string> splits;
  for (const Reading& reading : readings_) {
    if (reading.has_ended) continue;
    KafkaSplit split{.partition = reading.partition, .next = reading.next};
    if (reading.stop != kNoStop) split.stop = reading.stop;
    splits.push_back(encode_kafka_split(split));
  }
  return splits;
}

}  // namespace streamrun
