// KafkaAdmin on librdkafka, and the way to both halves.
#include <algorithm>
#include <array>
#include <utility>

#include "rdkafka.h"

namespace streamrun {
namespace rdkafka {
namespace {

using Offsets = std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t,
                                Destroy<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

PartitionList list_of(const KafkaPartition& partition) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  return list;
}

class Admin final : public KafkaAdmin {
 public:
  Admin(std::shared_ptr<Handle> handle, std::string group)
      : handle_(std::move(handle)), group_(std::move(group)) {}

  Result<std::vector<KafkaPartition>> partitions_of(const std::vector<std::string>& topics,
                                                    Duration time) override {
    std::vector<KafkaPartition> partitions;
    for (const std::string& topic : topics) {
      const TopicHandle name(rd_kafka_topic_new(handle_->get(), topic.c_str(), nullptr));
      if (name == nullptr) return unknown(topic, "this can't be the name of a topic");
      const Metadata metadata = SR_TRY(ask(name.get(), "the partitions of topic " + topic, time));
      if (metadata->topic_cnt != 1) return unknown(topic, "the answer is of another topic");
      const rd_kafka_metadata_topic& found = metadata->topics[0];
      if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
          found.err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
          found.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return unknown(topic, rd_kafka_err2str(found.err));
      if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refusal(found.err, "the partitions of topic " + topic);
      for (int i = 0; i < found.partition_cnt; ++i)
        partitions.push_back({.topic = topic, .partition = found.partitions[i].id});
    }
    std::sort(partitions.begin(), partitions.end());
    partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
    return partitions;
  }

  Result<std::vector<std::string>> topics(Duration time) override {
    const Metadata metadata = SR_TRY(ask(nullptr, "its topics", time));
    std::vector<std::string> names;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const std::string name = metadata->topics[i].topic;
      if (name.rfind("__", 0) != 0) names.push_back(name);
    }
    return names;
  }

  Result<Range> range_of(const KafkaPartition& partition, Duration time) override {
    Range range;
    const rd_kafka_resp_err_t failed = rd_kafka_query_watermark_offsets(
        handle_->get(), partition.topic.c_str(), partition.partition, &range.earliest,
        &range.latest, milliseconds(time));
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return range;
    return refusal(failed, "the offsets of partition " + partition.text());
  }

  Result<std::optional<std::int64_t>> offset_at(const KafkaPartition& partition, Timestamp at,
                                                Duration time) override {
    const PartitionList list = list_of(partition);
    list->elems[0].offset = at;
    rd_kafka_resp_err_t failed =
        rd_kafka_offsets_for_times(handle_->get(), list.get(), milliseconds(time));
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) failed = list->elems[0].err;
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
      return refusal(failed, "the offset at a time in partition " + partition.text());
    return offset_in(*list);
  }

  Result<std::optional<std::int64_t>> committed(const KafkaPartition& partition,
                                                Duration time) override {
    const PartitionList list = list_of(partition);
    rd_kafka_resp_err_t failed = rd_kafka_committed(handle_->get(), list.get(), milliseconds(time));
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) failed = list->elems[0].err;
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
      return refusal(failed, "the committed offset of partition " + partition.text());
    return offset_in(*list);
  }

  Result<void> commit(const std::map<KafkaPartition, std::int64_t>& offsets,
                      Duration time) override {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
    for (const auto& [partition, offset] : offsets) {
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
          ->offset = offset;
    }
    rd_kafka_t* const client = handle_->get();
    const Queue queue(rd_kafka_queue_new(client));
    const AdminOptions options(
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS));
    std::array<char, 256> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(time), why.data(),
                                              why.size());
    const Offsets wanted(rd_kafka_AlterConsumerGroupOffsets_new(group_.c_str(), list.get()));
    rd_kafka_AlterConsumerGroupOffsets_t* wants = wanted.get();
    rd_kafka_AlterConsumerGroupOffsets(client, &wants, 1, options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), milliseconds(time) + 1000));
    const rd_kafka_resp_err_t failed =
        event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : outcome_of(event.get());
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return refusal(failed, "offsets of group " + group_ + " to be kept");
  }

 private:
  /// The first thing that went wrong.
  static rd_kafka_resp_err_t outcome_of(rd_kafka_event_t* event) {
    if (const auto failed = rd_kafka_event_error(event); failed != RD_KAFKA_RESP_ERR_NO_ERROR)
      return failed;
    std::size_t count = 0;
    const rd_kafka_group_result_t** const groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    if (count == 0) return RD_KAFKA_RESP_ERR__BAD_MSG;
    if (const rd_kafka_error_t* const failed = rd_kafka_group_result_error(groups[0]))
      return rd_kafka_error_code(failed);
    const rd_kafka_topic_partition_list_t* const list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
      if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return list->elems[i].err;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  Error refusal(rd_kafka_resp_err_t code, const std::string& question) {
    rd_kafka_poll(handle_->get(), 0);  // for complaints that wait
    Error error = no_answer(*handle_, code, question);
    handle_->complaints->forget();
    return error;
  }
  Result<Metadata> ask(rd_kafka_topic_t* topic, const std::string& question, Duration time) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t failed = rd_kafka_metadata(handle_->get(), topic == nullptr ? 1 : 0,
                                                         topic, &metadata, milliseconds(time));
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return refusal(failed, question);
    return Metadata(metadata);
  }
  /// Logical offsets, below 0, say that there is none.
  static std::optional<std::int64_t> offset_in(const rd_kafka_topic_partition_list_t& list) {
    const std::int64_t offset = list.elems[0].offset;
    return offset >= 0 ? std::optional(offset) : std::nullopt;
  }
  Error unknown(const std::string& topic, std::string why) const {
    return {.code = ErrorCode::path,
            .message = "topic " + topic + " not found",
            .where = handle_->brokers,
            .why = std::move(why),
            .tries = {list_command(handle_->brokers) + "  # the topics that are there"},
            .retry = Retry::no};
  }

  const std::shared_ptr<Handle> handle_;
  const std::string group_;
};

class Client final : public KafkaClient {
 public:
  Result<std::unique_ptr<KafkaAdmin>> make_admin(const KafkaSettings& settings) override {
    return std::unique_ptr<KafkaAdmin>(
        std::make_unique<Admin>(SR_TRY(open_consumer(settings)), settings.group_id));
  }
  Result<std::unique_ptr<KafkaConsumer>> make_consumer(const KafkaSettings& settings,
                                                       std::function<void()> woken) override {
    return rdkafka::make_consumer(SR_TRY(open_consumer(settings)), std::move(woken));
  }
  Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings& settings,
                                                       const std::string& topic) override {
    return rdkafka::make_producer(settings, topic);
  }
  Result<std::unique_ptr<KafkaTransactions>> make_transactions(const KafkaSettings& settings,
                                                               const std::string& topic,
                                                               const std::string& id) override {
    return rdkafka::make_transactions(settings, topic, id);
  }
};

}  // namespace
}  // namespace rdkafka

std::shared_ptr<KafkaClient> librdkafka() {
  return std::make_shared<rdkafka::Client>();
}

}  // namespace streamrun
