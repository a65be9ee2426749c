// KafkaConsumer on librdkafka: partitions are read one by one into a queue, without a group, so
// that nobody else decides who reads what.
#include <deque>
#include <utility>

#include "rdkafka.h"

namespace streamrun::rdkafka {
namespace {

/// A topic with the numbers of its partitions.
struct Topic {
  rd_kafka_topic_t* handle = nullptr;
  std::vector<std::size_t> numbers;
};

std::vector<KafkaMessage::Header> read_headers(const void* source) {
  rd_kafka_headers_t* headers = nullptr;
  std::vector<KafkaMessage::Header> list;
  const auto* const message = static_cast<const rd_kafka_message_t*>(source);
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return list;
  const char* name = nullptr;
  const void* bytes = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    std::optional<std::string_view> value;
    if (bytes != nullptr) value = std::string_view(static_cast<const char*>(bytes), size);
    list.emplace_back(name, value);
  }
  return list;
}

std::optional<std::string_view> text_of(const void* bytes, std::size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string_view(static_cast<const char*>(bytes), size);
}

class Consumer final : public KafkaConsumer {
 public:
  Consumer(std::shared_ptr<Handle> handle, std::function<void()> woken)
      : handle_(std::move(handle)),
        woken_(std::move(woken)),
        queue_(rd_kafka_queue_new(handle_->get())) {
    rd_kafka_queue_t* const main = rd_kafka_queue_get_main(handle_->get());
    rd_kafka_queue_forward(main, queue_);
    rd_kafka_queue_destroy(main);
    rd_kafka_queue_cb_event_enable(
        queue_, [](rd_kafka_t*, void* self) { static_cast<Consumer*>(self)->woken_(); }, this);
  }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer() override {
    rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
    give_back();
    for (const Place& place : places_) end(place);
    for (auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic->handle);
    rd_kafka_queue_t* const main = rd_kafka_queue_get_main(handle_->get());
    rd_kafka_queue_forward(main, nullptr);
    rd_kafka_queue_destroy(main);
    rd_kafka_queue_destroy(queue_);
  }

  void add(std::size_t number, const KafkaPartition& partition, std::int64_t offset) override {
    Topic& topic = topic_of(partition.topic);
    const auto index = static_cast<std::size_t>(partition.partition);
    if (topic.numbers.size() <= index) topic.numbers.resize(index + 1);
    topic.numbers[index] = number;
    if (places_.size() <= number) places_.resize(number + 1);
    if (rd_kafka_consume_start_queue(topic.handle, partition.partition, offset, queue_) != 0) {
      throw_error({.code = ErrorCode::unavailable,
                   .message = "partition " + partition.text() + " can't be read",
                   .where = handle_->brokers,
                   .why = rd_kafka_err2str(rd_kafka_last_error())});
    }
    places_[number] = {.topic = topic.handle, .partition = partition.partition};
  }

  void stop(std::size_t number) override {
    if (number >= places_.size()) return;
    end(std::exchange(places_[number], {}));
  }

  const std::vector<KafkaMessage>& poll(std::size_t limit) override {
    give_back();
    raw_.resize(limit);
    const ssize_t count = rd_kafka_consume_batch_queue(queue_, 0, raw_.data(), limit);
    raw_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (!raw_.empty()) handle_->complaints->forget();
    messages_.reserve(limit + 1);
    for (const rd_kafka_message_t* const raw : raw_) take(*raw);
    if (bytes_since_nudge_ >= kNudgeBytes) nudge();
    if (raw_.empty() && was_down()) messages_.push_back({.kind = KafkaMessage::Kind::down});
    return messages_;
  }

  std::function<Result<void>(Duration)> make_probe() override {
    return [handle = handle_](Duration time) -> Result<void> {
      const rd_kafka_metadata_t* metadata = nullptr;
      const rd_kafka_resp_err_t failed =
          rd_kafka_metadata(handle->get(), 0, nullptr, &metadata, milliseconds(time));
      if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(*handle, failed, "its brokers");
      rd_kafka_metadata_destroy(metadata);
      return {};
    };
  }

 private:
  struct Place {
    rd_kafka_topic_t* topic = nullptr;  ///< null: not being read
    std::int32_t partition = 0;
  };

  /// A broker's thread whose records have filled the queue looks again after a second, or when it
  /// is given something to do: this makes it look as soon as there is room, without waiting.
  /// Without, a fast reader spends most of its time with an empty queue.
  void nudge() {
    bytes_since_nudge_ = 0;
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(handle_->get(), 0, nullptr, &metadata, 0) == RD_KAFKA_RESP_ERR_NO_ERROR)
      rd_kafka_metadata_destroy(metadata);
  }

  static void end(const Place& place) {
    if (place.topic != nullptr) rd_kafka_consume_stop(place.topic, place.partition);
  }

  Topic& topic_of(const std::string& name) {
    std::unique_ptr<Topic>& topic = topics_[name];
    if (topic != nullptr) return *topic;
    topic = std::make_unique<Topic>();
    rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle_->get());
    rd_kafka_topic_conf_set_opaque(conf, topic.get());
    topic->handle = rd_kafka_topic_new(handle_->get(), name.c_str(), conf);
    return *topic;
  }

  void take(const rd_kafka_message_t& raw) {
    if (raw.rkt == nullptr) return;  // not of a partition: `note_complaint` heard of it
    if (raw.rkt != last_handle_) {
      last_handle_ = raw.rkt;
      last_topic_ = static_cast<const Topic*>(rd_kafka_topic_opaque(raw.rkt));
    }
    const auto index = static_cast<std::size_t>(raw.partition);
    if (last_topic_ == nullptr || raw.partition < 0 || index >= last_topic_->numbers.size()) return;
    KafkaMessage message{.number = last_topic_->numbers[index], .offset = raw.offset};
    if (raw.err == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
      message.timestamp = rd_kafka_message_timestamp(&raw, nullptr);
      message.key = text_of(raw.key, raw.key_len);
      message.value = text_of(raw.payload, raw.len);
      bytes_since_nudge_ += raw.len + raw.key_len;
      message.source = &raw;
      message.read_headers = read_headers;
    } else if (raw.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      message.kind = KafkaMessage::Kind::end;
    } else {
      message.kind = KafkaMessage::Kind::error;
      failures_.push_back(failure_of(raw));
      message.failure = &failures_.back();
    }
    messages_.push_back(message);
  }

  static Error failure_of(const rd_kafka_message_t& raw) {
    std::string why(text_of(raw.payload, raw.len).value_or(rd_kafka_err2str(raw.err)));
    switch (raw.err) {
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return {.code = ErrorCode::source_lost,
                .message = "Kafka no longer has the records that come next",
                .why = std::move(why),
                .retry = Retry::no};
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return {.code = ErrorCode::source_lost,
                .message = "Kafka no longer has a partition that is being read",
                .why = std::move(why)};
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return {.code = ErrorCode::permission,
                .message = "Kafka refuses to let this user read a topic",
                .why = std::move(why),
                .retry = Retry::no};
      default:
        return {.code = ErrorCode::unavailable,
                .message = "Kafka could not be read on",
                .why = std::move(why)};
    }
  }

  bool was_down() {
    const std::lock_guard lock(handle_->complaints->mutex);
    return std::exchange(handle_->complaints->all_down, false);
  }

  void give_back() {
    for (rd_kafka_message_t* const raw : raw_) rd_kafka_message_destroy(raw);
    raw_.clear();
    messages_.clear();
    failures_.clear();
  }

  const std::shared_ptr<Handle> handle_;
  const std::function<void()> woken_;  // by librdkafka's threads
  rd_kafka_queue_t* const queue_;
  std::map<std::string, std::unique_ptr<Topic>> topics_;
  /// A quarter of what may wait in memory.
  static constexpr std::size_t kNudgeBytes = std::size_t{4} << 20U;

  std::vector<Place> places_;  // by number
  std::size_t bytes_since_nudge_ = 0;
  const rd_kafka_topic_t* last_handle_ = nullptr;
  const Topic* last_topic_ = nullptr;
  std::vector<rd_kafka_message_t*> raw_;  // what `messages_` look into
  std::vector<KafkaMessage> messages_;
  std::deque<Error> failures_;
};

}  // namespace

Result<std::unique_ptr<KafkaConsumer>> make_consumer(std::shared_ptr<Handle> handle,
                                                     std::function<void()> woken) {
  return std::unique_ptr<KafkaConsumer>(
      std::make_unique<Consumer>(std::move(handle), std::move(woken)));
}

}  // namespace streamrun::rdkafka
