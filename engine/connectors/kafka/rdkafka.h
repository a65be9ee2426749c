#pragma once

#include <streamrun/base/result.h>
#include <streamrun/connectors/kafka/kafka_client.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <librdkafka/rdkafka.h>

/// What the two halves of librdkafka's client share.
namespace streamrun::rdkafka {

/// What the client's threads said last, and whether no broker could be reached since it was asked.
struct Complaints {
  std::mutex mutex;
  std::string last;              ///< guarded by mutex
  bool is_about_rights = false;  ///< guarded by mutex: of `last`
  bool all_down = false;         ///< guarded by mutex

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
Result<std::shared_ptr<Handle>> open(const KafkaSettings& settings);

/// Changes nothing: a consumer's messages are its owner's to poll. Why a question came to nothing:
/// E-PERM if the brokers refused us, else E-UNAVAILABLE.
Error no_answer(const Handle& handle, rd_kafka_resp_err_t code, const std::string& question);

/// What a person types to see the topics that are there.
std::string list_command(const std::string& brokers);

int milliseconds(Duration time);

Result<std::unique_ptr<KafkaConsumer>> make_consumer(std::shared_ptr<Handle> handle,
                                                     std::function<void()> woken);

}  // namespace streamrun::rdkafka
