#pragma once

#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/connectors/kafka/kafka_delivery.h>
#include <streamrun/storage/file_systems.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kafka_committable.h"

namespace streamrun {

/// Sends prepared records to Kafka, each transaction once: what Kafka has recorded for a
/// transactional id says which of its committables are there already (E2, E3). Calls block;
/// thread-safe.
class KafkaCommitter {
 public:
  KafkaCommitter(std::shared_ptr<KafkaClient> client, KafkaSettings settings,
                 FileSystems& file_systems, UnknownCommit on_unknown);

  /// Takes the id over, and makes sure that Kafka has a number for it. Returns that.
  Result<std::int64_t> open(const std::string& transactional_id, const std::string& topic);
  /// In the order of their numbers.
  Result<void> commit(const KafkaCommittable& committable);
  /// Lets all other ids go.
  void keep_only(const std::string& transactional_id);

 private:
  struct Session {
    std::unique_ptr<KafkaTransactions> transactions;
    std::string topic;
    std::optional<std::int64_t> recorded;  ///< the last one, as far as Kafka remembers
  };
  Result<Session*> session_of(const std::string& transactional_id, const std::string& topic);
  Result<void> try_to_commit(const KafkaCommittable& committable, FileSystem& store);
  Result<void> send(Session& session, const KafkaCommittable& committable, FileSystem& store) const;
  Result<void> decide_if_unknown(Session& session, const KafkaCommittable& committable,
                                 FileSystem& store) const;

  const std::shared_ptr<KafkaClient> client_;
  const KafkaSettings settings_;
  FileSystems& file_systems_;
  const UnknownCommit on_unknown_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;   ///< guarded by mutex_; by transactional id
  std::map<std::string, std::int64_t> done_;  ///< guarded by mutex_; by transactional id
};

}  // namespace streamrun
