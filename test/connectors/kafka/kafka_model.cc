#include "kafka_model.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

namespace streamrun::test {
namespace {

Error is_down() {
  return {.code = ErrorCode::unavailable, .message = "the model is down", .where = "model:1"};
}

class ModelAdmin final : public KafkaAdmin {
 public:
  explicit ModelAdmin(KafkaModel& model) : model_(model) {}

  Result<std::vector<KafkaPartition>> partitions_of(const std::vector<std::string>& topics,
                                                    Duration) override {
    if (!model_.is_up) return is_down();
    std::vector<KafkaPartition> found;
    for (const std::string& topic : topics) {
      const std::size_t before = found.size();
      for (const auto& [partition, log] : model_.partitions) {
        if (partition.topic == topic) found.push_back(partition);
      }
      if (found.size() == before)
        return Error{.code = ErrorCode::path, .message = "topic " + topic + " not found"};
    }
    return found;
  }
  Result<std::vector<std::string>> topics(Duration) override {
    if (!model_.is_up) return is_down();
    std::set<std::string> names;
    for (const auto& [partition, log] : model_.partitions) names.insert(partition.topic);
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<Range> range_of(const KafkaPartition& partition, Duration) override {
    const KafkaModel::Log& log = model_.partitions.at(partition);
    return Range{.earliest = log.earliest, .latest = log.next};
  }
  /// Records have their offsets as times.
  Result<std::optional<std::int64_t>> offset_at(const KafkaPartition& partition, Timestamp at,
                                                Duration) override {
    const KafkaModel::Log& log = model_.partitions.at(partition);
    return at < log.next ? std::optional(std::max(at, log.earliest)) : std::nullopt;
  }
  Result<std::optional<std::int64_t>> committed(const KafkaPartition& partition,
                                                Duration) override {
    const auto found = model_.committed.find(partition);
    return found == model_.committed.end() ? std::nullopt : std::optional(found->second);
  }
  Result<void> commit(const std::map<KafkaPartition, std::int64_t>& offsets, Duration) override {
    if (!model_.is_up) return is_down();
    for (const auto& [partition, offset] : offsets) model_.committed[partition] = offset;
    return {};
  }

 private:
  KafkaModel& model_;
};

class ModelConsumer final : public KafkaConsumer {
 public:
  ModelConsumer(KafkaModel& model, Random& random) : model_(model), random_(random) {}

  void add(std::size_t number, const KafkaPartition& partition, std::int64_t offset) override {
    places_[number] = {.partition = partition, .next = offset, .told_end = false};
  }
  void stop(std::size_t number) override { places_.erase(number); }

  const std::vector<KafkaMessage>& poll(std::size_t limit) override {
    messages_.clear();
    failures_.clear();
    if (!model_.is_up) {
      if (!told_down_) messages_.push_back({.kind = KafkaMessage::Kind::down});
      told_down_ = true;
      return messages_;
    }
    told_down_ = false;
    for (auto& [number, place] : places_) take(number, place, std::min<std::size_t>(limit, 20));
    return messages_;
  }
  std::function<Result<void>(Duration)> make_probe() override {
    return [this](Duration) -> Result<void> {
      if (!model_.is_up) return is_down();
      return {};
    };
  }

 private:
  struct Place {
    KafkaPartition partition;
    std::int64_t next = 0;
    bool told_end = false;
  };
  void take(std::size_t number, Place& place, std::size_t limit) {
    const KafkaModel::Log& log = model_.partitions.at(place.partition);
    if (place.next < log.earliest || place.next > log.next) {
      failures_.push_back({.code = ErrorCode::source_lost, .message = "out of range"});
      messages_.push_back({.kind = KafkaMessage::Kind::error,
                           .number = number,
                           .offset = place.next,
                           .failure = &failures_.back()});
      return;
    }
    std::uint64_t left = random_.below(limit);
    for (const KafkaModel::Record& record : log.records) {
      if (record.offset < place.next) continue;
      if (left-- == 0) return;
      place.next = record.offset + 1;
      place.told_end = false;
      messages_.push_back({.number = number,
                           .offset = record.offset,
                           .timestamp = record.offset,
                           .value = record.value});
    }
    place.next = log.next;
    if (!std::exchange(place.told_end, true)) {
      messages_.push_back({.kind = KafkaMessage::Kind::end, .number = number, .offset = log.next});
    }
  }

  KafkaModel& model_;
  Random& random_;
  std::map<std::size_t, Place> places_;
  std::vector<KafkaMessage> messages_;
  std::deque<Error> failures_;
  bool told_down_ = false;
};

/// Records go to partition 0, or to the one they name.
void append_all(KafkaModel& model,
                const std::vector<std::pair<KafkaPartition, std::string>>& records) {
  for (const auto& [partition, value] : records) model.append(partition, value);
}
std::pair<KafkaPartition, std::string> placed(const std::string& topic,
                                              const KafkaRecordView& record) {
  return {{topic, std::max(0, record.partition)}, std::string(record.value.value_or(""))};
}

class ModelProducer final : public KafkaProducer {
 public:
  ModelProducer(KafkaModel& model, std::string topic) : model_(model), topic_(std::move(topic)) {}
  Result<void> send(const std::vector<KafkaRecordView>& records) override {
    for (const KafkaRecordView& record : records) sent_.push_back(placed(topic_, record));
    return {};
  }
  Result<void> flush() override {
    if (!model_.is_up) return is_down();
    append_all(model_, std::exchange(sent_, {}));
    return {};
  }

 private:
  KafkaModel& model_;
  const std::string topic_;
  std::vector<std::pair<KafkaPartition, std::string>> sent_;
};

class ModelTransactions final : public KafkaTransactions {
 public:
  ModelTransactions(KafkaModel& model, std::string topic, std::string id)
      : model_(model), topic_(std::move(topic)), id_(std::move(id)) {}

  Result<void> take_over(Duration) override {
    if (!model_.is_up) return is_down();
    epoch_ = ++producer().epoch;
    producer().open.clear();
    return {};
  }
  Result<std::optional<std::int64_t>> recorded(Duration) override {
    if (!model_.is_up) return is_down();
    return producer().recorded;
  }
  Result<void> begin() override { return {}; }
  void abort(Duration) override {
    if (check()) producer().open.clear();
  }
  Result<void> send(const std::vector<KafkaRecordView>& records) override {
    SR_TRY(check());
    for (const KafkaRecordView& record : records) producer().open.push_back(placed(topic_, record));
    return {};
  }
  Result<void> commit(std::int64_t number, Duration) override {
    SR_TRY(check());
    const auto trouble = std::exchange(model_.trouble, KafkaModel::Trouble::none);
    if (trouble == KafkaModel::Trouble::refuses || trouble == KafkaModel::Trouble::fails) {
      producer().open.clear();
      ++producer().epoch;
      return Error{.code = ErrorCode::job_failed,
                   .message = "the model ended the transaction",
                   .retry = trouble == KafkaModel::Trouble::fails ? Retry::yes : Retry::no};
    }
    append_all(model_, std::exchange(producer().open, {}));
    producer().recorded = number;
    ++model_.commits;
    if (trouble == KafkaModel::Trouble::answer_lost)
      return Error{.code = ErrorCode::unavailable, .message = "the model did not answer"};
    return {};
  }

 private:
  KafkaModel::Producer& producer() { return model_.producers[id_]; }
  Result<void> check() {
    if (!model_.is_up) return is_down();
    if (producer().epoch == epoch_) return {};
    return Error{.code = ErrorCode::job_failed, .message = "the model fenced the producer"};
  }

  KafkaModel& model_;
  const std::string topic_;
  const std::string id_;
  int epoch_ = 0;
};

class ModelClient final : public KafkaClient {
 public:
  ModelClient(KafkaModel& model, Random& random) : model_(model), random_(random) {}
  Result<std::unique_ptr<KafkaAdmin>> make_admin(const KafkaSettings&) override {
    return std::unique_ptr<KafkaAdmin>(std::make_unique<ModelAdmin>(model_));
  }
  Result<std::unique_ptr<KafkaConsumer>> make_consumer(const KafkaSettings&,
                                                       std::function<void()>) override {
    return std::unique_ptr<KafkaConsumer>(std::make_unique<ModelConsumer>(model_, random_));
  }
  Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings&,
                                                       const std::string& topic) override {
    if (!model_.is_up) return is_down();
    return std::unique_ptr<KafkaProducer>(std::make_unique<ModelProducer>(model_, topic));
  }
  Result<std::unique_ptr<KafkaTransactions>> make_transactions(const KafkaSettings&,
                                                               const std::string& topic,
                                                               const std::string& id) override {
    if (!model_.is_up) return is_down();
    return std::unique_ptr<KafkaTransactions>(
        std::make_unique<ModelTransactions>(model_, topic, id));
  }

 private:
  KafkaModel& model_;
  Random& random_;
};

}  // namespace

std::shared_ptr<KafkaClient> client_of(KafkaModel& model, Random& random) {
  return std::make_shared<ModelClient>(model, random);
}

}  // namespace streamrun::test
