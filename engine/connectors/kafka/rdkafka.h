#pragma once

#include <streamrun/base/result.h>
#include <streamrun/connectors/kafka/kafka_client.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <librdkafka/rdkafka.h>

/// What the two halves of librdkafka's client share.
namespace streamrun::rdkafka {

/// Gives a thing of librdkafka back by its own function.
template <auto kDestroy>
struct Destroy {
  template <typename T>
  void operator()(T* thing) const {
    kDestroy(thing);
  }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroy<rd_kafka_topic_partition_list_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;

/// Records that the brokers did not take.
struct Undelivered {
  std::uint64_t count = 0;
  rd_kafka_resp_err_t first = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/// What the client's threads said last, and whether no broker could be reached since it was asked.
struct Complaints {
  std::mutex mutex;
  std::string last;              ///< guarded by mutex
  bool is_about_rights = false;  ///< guarded by mutex: of `last`
  bool all_down = false;         ///< guarded by mutex
  Undelivered undelivered;       ///< of a producer; only the thread that polls it looks there

  /// Of `last`: whoever answers now has no reason to be complained about.
  void forget() {
    const std::lock_guard lock(mutex);
    last.clear();
    is_about_rights = false;
  }
};

struct CloseHandle {
  void operator()(rd_kafka_t* handle) const {
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
};

/// A client with its threads. What is made of it must be gone before.
struct Handle {
  std::shared_ptr<Complaints> complaints = std::make_shared<Complaints>();
  std::unique_ptr<rd_kafka_t, CloseHandle> client;
  std::string brokers;

  rd_kafka_t* get() const { return client.get(); }
};

/// A consumer that begins and commits nothing of itself. E-USAGE for a property that librdkafka
/// refuses.
Result<std::shared_ptr<Handle>> open_consumer(const KafkaSettings& settings);
/// A producer, of transactions if it has an id.
Result<std::shared_ptr<Handle>> open_producer(const KafkaSettings& settings,
                                              const std::string& transactional_id);

/// Changes nothing: a consumer's messages are its owner's to poll. Why a question came to nothing:
/// E-PERM if the brokers refused us, else E-UNAVAILABLE.
Error no_answer(const Handle& handle, rd_kafka_resp_err_t code, const std::string& question);

/// What a person types to see the topics that are there.
std::string list_command(const std::string& brokers);

int milliseconds(Duration time);
bool is_about_rights(int code);

Result<std::unique_ptr<KafkaConsumer>> make_consumer(std::shared_ptr<Handle> handle,
                                                     std::function<void()> woken);
Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings& settings,
                                                     const std::string& topic);
Result<std::unique_ptr<KafkaTransactions>> make_transactions(const KafkaSettings& settings,
                                                             const std::string& topic,
                                                             const std::string& id);

}  // namespace streamrun::rdkafka
