// KafkaProducer and KafkaTransactions on librdkafka.
#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "rdkafka.h"

namespace streamrun::rdkafka {
namespace {

using namespace std::chrono_literals;

constexpr int kSliceMilliseconds = 100;
/// Of what the client does for us with many requests.
constexpr int kLongSliceMilliseconds = 1000;

using Failure = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using Group = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                              Destroy<rd_kafka_consumer_group_metadata_destroy>>;
using Question = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                 Destroy<rd_kafka_ListConsumerGroupOffsets_destroy>>;

/// How often something may be waited for in slices of a time, which the client measures.
class Patience {
 public:
  Patience(Duration time, int slice_milliseconds)
      : slices_(std::max(1, milliseconds(time) / slice_milliseconds)) {}
  /// After a slice; false once there were too many in which `left`, which goes down as work is
  /// done, stayed the same.
  bool lasts(int left = 0) {
    waited_ = left == left_ ? waited_ + 1 : 1;
    left_ = left;
    return waited_ < slices_;
  }

 private:
  const int slices_;
  int waited_ = 0;
  int left_ = 0;
};

bool is_fenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
         code == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE ||
         code == RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING;
}

bool is_about_time(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

/// What every producer has: a topic, and records on their way to it.
class Sender {
 public:
  Sender(std::shared_ptr<Handle> handle, std::string topic, Duration patience,
         bool is_transactional)
      : handle_(std::move(handle)),
        name_(std::move(topic)),
        patience_(patience),
        is_transactional_(is_transactional),
        topic_(rd_kafka_topic_new(handle_->get(), name_.c_str(), nullptr)) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() {
    topic_.reset();
    // What was not flushed is wanted by nobody; waiting for it would only hold up who is leaving.
    rd_kafka_purge(
        get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }

  rd_kafka_t* get() const { return handle_->get(); }
  const std::string& topic() const { return name_; }

  /// E-PATH if there is no such topic, once brokers that make topics when asked have had the time.
  Result<void> check_topic() const {
    Patience to_be_made(5s, kSliceMilliseconds);
    for (;;) {
      const rd_kafka_metadata_t* raw = nullptr;
      const rd_kafka_resp_err_t failed =
          rd_kafka_metadata(get(), 0, topic_.get(), &raw, milliseconds(patience_));
      if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
        return no_answer(*handle_, failed, "topic " + name_);
      const Metadata metadata(raw);
      const rd_kafka_metadata_topic_t* const found =
          metadata->topic_cnt > 0 ? metadata->topics : nullptr;
      if (found != nullptr && found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partition_cnt > 0)
        return {};
      const rd_kafka_resp_err_t why =
          found != nullptr ? found->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
      if (is_about_rights(why)) return no_answer(*handle_, why, "topic " + name_);
      rd_kafka_poll(get(), kSliceMilliseconds);
      if (to_be_made.lasts()) continue;
      return Error{.code = ErrorCode::path,
                   .message = "topic " + name_ + " does not exist",
                   .where = handle_->brokers,
                   .why = rd_kafka_err2str(why),
                   .tries = {list_command(handle_->brokers) + "  # the topics that are there"},
                   .retry = Retry::no};
    }
  }

  Result<void> send(const std::vector<KafkaRecordView>& records) {
    Patience patience(patience_, kSliceMilliseconds);
    for (const KafkaRecordView& record : records) {
      for (;;) {
        const Failure failure = produce(record);
        if (failure == nullptr) break;
        const rd_kafka_resp_err_t code = rd_kafka_error_code(failure.get());
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
          return failed(code, rd_kafka_error_string(failure.get()), "a record");
        rd_kafka_poll(get(), kSliceMilliseconds);
        SR_TRY(check_delivered());
        if (!patience.lasts(rd_kafka_outq_len(get()))) return no_acknowledgement();
      }
    }
    rd_kafka_poll(get(), 0);
    return check_delivered();
  }

  Result<void> flush() {
    Patience patience(patience_, kSliceMilliseconds);
    while (rd_kafka_flush(get(), kSliceMilliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      SR_TRY(check_delivered());
      if (!patience.lasts(rd_kafka_outq_len(get()))) return no_acknowledgement();
    }
    return check_delivered();
  }

  /// `work`, which gets a time in milliseconds, again while that may help.
  template <typename F>
  Result<void> until_done(Duration time, const std::string& what, F&& work) const {
    Patience patience(time, kLongSliceMilliseconds);
    for (;;) {
      const Failure failure(work(kLongSliceMilliseconds));
      if (failure == nullptr) return {};
      const bool again = rd_kafka_error_is_retriable(failure.get()) != 0 && patience.lasts();
      if (!again) {
        return failed(rd_kafka_error_code(failure.get()), rd_kafka_error_string(failure.get()),
                      what);
      }
      rd_kafka_poll(get(), kSliceMilliseconds);
    }
  }

  Error failed(rd_kafka_resp_err_t code, const std::string& why, const std::string& what) const {
    Error error{.code = ErrorCode::job_failed,
                .message = "Kafka did not take " + what,
                .where = fmt::format("topic {} of {}", name_, handle_->brokers),
                .why = why};
    if (is_about_rights(code)) {
      error.code = ErrorCode::permission;
      error.retry = Retry::no;
    } else if (code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
      error.code = ErrorCode::usage;
      error.message = "the brokers allow no transaction.timeout.ms that long";
      error.why = "their transaction.max.timeout.ms is shorter; the sink asks for 300000 by itself";
      error.tries = {"… --kafka-property transaction.timeout.ms=MILLISECONDS   # as they allow"};
      error.retry = Retry::no;
    } else if (is_fenced(code)) {
      error.message = "Kafka ended a transaction of this sink";
      error.why = why +
                  "; another run commits the same checkpoint, or sending what came between "
                  "two checkpoints took longer than transaction.timeout.ms";
    } else if (is_about_time(code)) {
      error.code = ErrorCode::unavailable;
      error.message = "Kafka did not answer about " + what;
    } else if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
               code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
               code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
               code == RD_KAFKA_RESP_ERR_INVALID_RECORD) {
      error.retry = Retry::no;
    }
    return error;
  }

 private:
  Failure produce(const KafkaRecordView& record) {
    arguments_.clear();
    const auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
      arguments_.push_back({});
      arguments_.back().vtype = type;
      return arguments_.back();
    };
    const auto add_bytes = [&](rd_kafka_vtype_t type, std::string_view bytes) {
      rd_kafka_vu_t& argument = add(type);
      // Not null: that would be no value at all.
      argument.u.mem.ptr = const_cast<char*>(bytes.empty() ? "" : bytes.data());
      argument.u.mem.size = bytes.size();
    };
    add(RD_KAFKA_VTYPE_RKT).u.rkt = topic_.get();
    add(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition;
    add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
    if (record.key) add_bytes(RD_KAFKA_VTYPE_KEY, *record.key);
    if (record.value) add_bytes(RD_KAFKA_VTYPE_VALUE, *record.value);
    if (record.timestamp) add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = *record.timestamp;
    names_.clear();
    for (const auto& [name, value] : record.headers) names_.emplace_back(name);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::string_view value = record.headers[i].second;
      rd_kafka_vu_t& argument = add(RD_KAFKA_VTYPE_HEADER);
      argument.u.header.name = names_[i].c_str();
      argument.u.header.val = value.empty() ? "" : value.data();
      argument.u.header.size = static_cast<ssize_t>(value.size());
    }
    return Failure(rd_kafka_produceva(get(), arguments_.data(), arguments_.size()));
  }

  Result<void> check_delivered() const {
    const Undelivered& undelivered = handle_->complaints->undelivered;
    if (undelivered.count == 0) return {};
    const std::string what = fmt::format("{} record(s)", undelivered.count);
    const bool was_purged = undelivered.first == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                            undelivered.first == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (!was_purged) return failed(undelivered.first, rd_kafka_err2str(undelivered.first), what);
    // A consequence: what the client had queued when something else went wrong.
    std::array<char, 512> why{};
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(get(), why.data(), why.size());
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(fatal, why.data(), what);
    if (is_transactional_) {
      // It can't work any more, and says why.
      const Failure failure(rd_kafka_commit_transaction(get(), kSliceMilliseconds));
      if (failure != nullptr) {
        return failed(rd_kafka_error_code(failure.get()), rd_kafka_error_string(failure.get()),
                      what);
      }
    }
    return failed(undelivered.first, rd_kafka_err2str(undelivered.first), what);
  }

  Error no_acknowledgement() const {
    const std::lock_guard lock(handle_->complaints->mutex);
    const std::string& last = handle_->complaints->last;
    return {.code = ErrorCode::unavailable,
            .message = "no broker acknowledges records of topic " + name_,
            .where = handle_->brokers,
            .why = last.empty() ? fmt::format("for {} s", milliseconds(patience_) / 1000) : last,
            .tries = {list_command(handle_->brokers) + "  # whether it answers others"}};
  }

  const std::shared_ptr<Handle> handle_;
  const std::string name_;
  const Duration patience_;
  const bool is_transactional_;
  TopicHandle topic_;
  std::vector<rd_kafka_vu_t> arguments_;  // of one record; kept for its memory
  std::vector<std::string> names_;        // of its headers
};

class Producer final : public KafkaProducer {
 public:
  explicit Producer(std::unique_ptr<Sender> sender) : sender_(std::move(sender)) {}
  Result<void> send(const std::vector<KafkaRecordView>& records) override {
    return sender_->send(records);
  }
  Result<void> flush() override { return sender_->flush(); }

 private:
  const std::unique_ptr<Sender> sender_;
};

class Transactions final : public KafkaTransactions {
 public:
  Transactions(std::unique_ptr<Sender> sender, std::string id)
      : sender_(std::move(sender)), id_(std::move(id)) {}

  Result<void> take_over(Duration time) override {
    return sender_->until_done(time, "the transactional id " + id_, [&](int limit) {
      return rd_kafka_init_transactions(sender_->get(), limit);
    });
  }

  Result<std::optional<std::int64_t>> recorded(Duration time) override {
    Patience patience(time, kSliceMilliseconds);
    for (;;) {
      std::optional<std::int64_t> offset;
      const rd_kafka_resp_err_t code = ask_for_recorded(time, offset);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return offset;
      if (!is_passing(code) || !patience.lasts())
        return sender_->failed(code, rd_kafka_err2str(code), "the question about group " + id_);
      rd_kafka_poll(sender_->get(), kSliceMilliseconds);
    }
  }

  Result<void> begin() override {
    const Failure failure(rd_kafka_begin_transaction(sender_->get()));
    if (failure == nullptr) return {};
    return sender_->failed(rd_kafka_error_code(failure.get()), rd_kafka_error_string(failure.get()),
                           "a transaction");
  }

  Result<void> send(const std::vector<KafkaRecordView>& records) override {
    return sender_->send(records);
  }

  void abort(Duration time) override {
    const Failure ignored(rd_kafka_abort_transaction(sender_->get(), milliseconds(time)));
  }

  Result<void> commit(std::int64_t number, Duration time) override {
    SR_TRY(sender_->flush());
    const PartitionList offsets = place();
    offsets->elems[0].offset = number;
    const Group group(rd_kafka_consumer_group_metadata_new(id_.c_str()));
    // In one piece: what this call has begun is not taken up again by another one.
    SR_TRY(sender_->until_done(Duration(0), "the number of a transaction", [&](int) {
      return rd_kafka_send_offsets_to_transaction(sender_->get(), offsets.get(), group.get(),
                                                  milliseconds(time));
    }));
    return sender_->until_done(time, "the commit of a transaction", [&](int limit) {
      return rd_kafka_commit_transaction(sender_->get(), limit);
    });
  }

 private:
  /// Where the numbers are: every topic has this partition.
  PartitionList place() const {
    PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), sender_->topic().c_str(), 0);
    return list;
  }

  static bool is_passing(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT ||
           code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__WAIT_COORD;
  }

  rd_kafka_resp_err_t ask_for_recorded(Duration time, std::optional<std::int64_t>& offset) const {
    rd_kafka_t* const client = sender_->get();
    const Queue queue(rd_kafka_queue_new(client));
    const AdminOptions options(
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
    std::array<char, 256> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(time), why.data(),
                                              why.size());
    // What a commit is about to record is waited for.
    const Failure unset(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
    const PartitionList partitions = place();
    const Question question(rd_kafka_ListConsumerGroupOffsets_new(id_.c_str(), partitions.get()));
    rd_kafka_ListConsumerGroupOffsets_t* questions = question.get();
    rd_kafka_ListConsumerGroupOffsets(client, &questions, 1, options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), milliseconds(time) + 1000));
    if (event == nullptr) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (const auto failed = rd_kafka_event_error(event.get()); failed != RD_KAFKA_RESP_ERR_NO_ERROR)
      return failed;
    std::size_t count = 0;
    const rd_kafka_group_result_t** const groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
    if (count == 0) return RD_KAFKA_RESP_ERR__BAD_MSG;
    if (const rd_kafka_error_t* const failed = rd_kafka_group_result_error(groups[0]))
      return rd_kafka_error_code(failed);
    const rd_kafka_topic_partition_list_t* const found =
        rd_kafka_group_result_partitions(groups[0]);
    if (found == nullptr || found->cnt == 0) return RD_KAFKA_RESP_ERR__BAD_MSG;
    if (found->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return found->elems[0].err;
    if (found->elems[0].offset >= 0) offset = found->elems[0].offset;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  const std::unique_ptr<Sender> sender_;
  const std::string id_;
};

Result<std::unique_ptr<Sender>> make_sender(const KafkaSettings& settings, const std::string& topic,
                                            const std::string& id) {
  auto sender = std::make_unique<Sender>(SR_TRY(open_producer(settings, id)), topic,
                                         settings.connection_timeout, !id.empty());
  SR_TRY(sender->check_topic());
  return sender;
}

}  // namespace

Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings& settings,
                                                     const std::string& topic) {
  return std::unique_ptr<KafkaProducer>(
      std::make_unique<Producer>(SR_TRY(make_sender(settings, topic, {}))));
}

Result<std::unique_ptr<KafkaTransactions>> make_transactions(const KafkaSettings& settings,
                                                             const std::string& topic,
                                                             const std::string& id) {
  return std::unique_ptr<KafkaTransactions>(
      std::make_unique<Transactions>(SR_TRY(make_sender(settings, topic, id)), id));
}

}  // namespace streamrun::rdkafka
