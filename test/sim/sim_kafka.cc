#include "sim/sim_kafka.h"

#include <utility>

namespace streamrun::sim {

std::uint64_t KafkaCluster::take_over(const std::string& id, bool comes_first) {
  Producer& producer = of(id);
  const auto on_its_way = std::exchange(producer.on_its_way, std::nullopt);
  if (on_its_way && comes_first) commit(id, *on_its_way);
  producer.open.clear();
  return ++producer.epoch;
}

void KafkaCluster::send(const std::string& id, const std::string& topic, std::string line) {
  of(id).open.emplace_back(topic, std::move(line));
}

void KafkaCluster::forget_last(const std::string& id) {
  if (!of(id).open.empty()) of(id).open.pop_back();
}

void KafkaCluster::commit(const std::string& id, std::int64_t number) {
  Producer& producer = of(id);
  for (auto& [topic, line] : std::exchange(producer.open, {}))
    topics_[topic].push_back(std::move(line));
  producer.recorded = number;
}

void KafkaCluster::commit_later(const std::string& id, std::int64_t number) {
  of(id).on_its_way = number;
}

void KafkaCluster::abort(const std::string& id) {
  if (!of(id).on_its_way) of(id).open.clear();
}

void KafkaCluster::time_out(const std::string& id) {
  of(id).open.clear();
  of(id).on_its_way.reset();
  ++of(id).epoch;
}

void KafkaCluster::deliver_late_commits() {
  for (auto& [id, producer] : producers_) {
    const auto on_its_way = std::exchange(producer.on_its_way, std::nullopt);
    if (on_its_way) commit(id, *on_its_way);
  }
}

namespace {

Error no_answer(std::string_view what) {
  return {.code = ErrorCode::unavailable,
          .message = "no broker answers when asked to " + std::string(what),
          .why = "a simulated fault"};
}

/// What every call has to go through.
class Wire {
 public:
  Wire(KafkaCluster& the_cluster, StorageFaults& faults, Tape& the_tape, Trace& trace,
       Mutant the_mutant)
      : cluster(the_cluster), tape(the_tape), mutant(the_mutant), faults_(faults), trace_(trace) {}

  /// Before a request has any effect.
  Result<void> reach(std::string_view what, const std::string& id) {
    if (!faults_.is_dead) faults_.pause();
    if (faults_.is_dead) return no_answer(what);
    trace_.fold(what);
    trace_.fold(id);
    if (faults_.steps_to_death && (*faults_.steps_to_death)-- == 0) {
      faults_.is_dead = true;
      faults_.die();
      return no_answer(what);
    }
    if (fails()) return no_answer(what);
    if (tape.one_in(kLateCommits)) cluster.deliver_late_commits();
    return {};
  }
  /// Whether a fault comes now. Faults of the brokers come as often as those of the disk.
  bool fails() {
    if (!tape.one_in(faults_.write_error_one_in)) return false;
    ++faults_.write_errors;
    return true;
  }

  KafkaCluster& cluster;
  Tape& tape;
  const Mutant mutant;

 private:
  static constexpr std::uint64_t kLateCommits = 4;

  StorageFaults& faults_;
  Trace& trace_;
};

class SimTransactions final : public KafkaTransactions {
 public:
  SimTransactions(std::shared_ptr<Wire> wire, std::string topic, std::string id)
      : wire_(std::move(wire)), topic_(std::move(topic)), id_(std::move(id)) {}

  Result<void> take_over(Duration) override {
    SR_TRY(wire_->reach("take over", id_));
    epoch_ = wire_->cluster.take_over(id_, wire_->tape.flip());
    return answered("take over");
  }
  Result<std::optional<std::int64_t>> recorded(Duration) override {
    SR_TRY(wire_->reach("tell the number", id_));
    SR_TRY(answered("tell the number"));
    return wire_->cluster.recorded(id_);
  }
  Result<void> begin() override { return {}; }
  void abort(Duration) override {
    if (wire_->reach("abort", id_) && check()) wire_->cluster.abort(id_);
  }
  Result<void> send(const std::vector<KafkaRecordView>& records) override {
    SR_TRY(wire_->reach("take records", id_));
    SR_TRY(check());
    for (const KafkaRecordView& record : records)
      wire_->cluster.send(id_, topic_, std::string(record.value.value_or("")));
    if (records.empty() || !wire_->fails()) return {};
    // The last one was not taken.
    wire_->cluster.forget_last(id_);
    if (wire_->mutant == Mutant::swallows_delivery_errors) return {};
    return no_answer("take records");
  }
  Result<void> commit(std::int64_t number, Duration) override {
    SR_TRY(wire_->reach("commit", id_));
    SR_TRY(check());
    if (wire_->fails()) {
      wire_->cluster.time_out(id_);
      return check();
    }
    if (wire_->fails()) {
      wire_->cluster.commit_later(id_, number);
      return no_answer("commit");
    }
    wire_->cluster.commit(id_, number);
    return answered("commit");
  }

 private:
  /// Whether the client hears of what has been done.
  Result<void> answered(std::string_view what) {
    if (wire_->fails()) return no_answer(what);
    return {};
  }
  Result<void> check() const {
    if (wire_->cluster.has(id_, epoch_)) return {};
    return Error{.code = ErrorCode::job_failed,
                 .message = "the transaction was ended, or the id taken over",
                 .where = id_};
  }

  const std::shared_ptr<Wire> wire_;
  const std::string topic_;
  const std::string id_;
  std::uint64_t epoch_ = 0;
};

class SimKafka final : public KafkaClient {
 public:
  explicit SimKafka(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  Result<std::unique_ptr<KafkaAdmin>> make_admin(const KafkaSettings&) override {
    return no_answer("be read");
  }
  Result<std::unique_ptr<KafkaConsumer>> make_consumer(const KafkaSettings&,
                                                       std::function<void()>) override {
    return no_answer("be read");
  }
  Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings&,
                                                       const std::string&) override {
    return no_answer("be written without transactions");
  }
  Result<std::unique_ptr<KafkaTransactions>> make_transactions(const KafkaSettings&,
                                                               const std::string& topic,
                                                               const std::string& id) override {
    SR_TRY(wire_->reach("find the topic", topic));
    return std::unique_ptr<KafkaTransactions>(std::make_unique<SimTransactions>(wire_, topic, id));
  }

 private:
  const std::shared_ptr<Wire> wire_;
};

}  // namespace

std::shared_ptr<KafkaClient> sim_kafka(KafkaCluster& cluster, StorageFaults& faults, Tape& tape,
                                       Trace& trace, Mutant mutant) {
  return std::make_shared<SimKafka>(std::make_shared<Wire>(cluster, faults, tape, trace, mutant));
}

}  // namespace streamrun::sim
