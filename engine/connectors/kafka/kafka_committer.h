#pragma once

#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/connectors/kafka/kafka_delivery.h>
#include <streamrun/platform/log.h>
#include <streamrun/storage/file_systems.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "kafka_committable.h"

namespace streamrun {

/// Sends prepared records to Kafka, each transaction once: what Kafka has recorded for a
/// transactional id says which of its committables are there already (E2, E3). Calls block;
/// thread-safe.
class KafkaCommitter {
 public:
  KafkaCommitter(std::shared_ptr<KafkaClient> client, KafkaSettings settings,
                 FileSystems& file_systems, Log& log, UnknownCommit on_unknown);

  /// Takes a new id, and records 0 for it: an id without a number is one that Kafka has forgotten.
  Result<void> open(const std::string& transactional_id, const std::string& topic);
  /// In the order of their numbers. `keeps_file`: others may need the file.
  Result<void> commit(const KafkaCommittable& committable, bool keeps_file);
  /// Records the number of an id once more, so that Kafka does not forget it.
  Result<void> refresh(const std::string& transactional_id);
  /// Lets all other ids go.
  void keep_only(const std::string& transactional_id);

 private:
  struct Session {
    std::unique_ptr<KafkaTransactions> transactions;
    std::string topic;
    std::int64_t recorded = 0;  ///< the last one
    bool is_forgotten = false;  ///< Kafka had no number for the id
  };
  Result<Session*> session_of(const std::string& transactional_id, const std::string& topic);
  Result<void> try_to_commit(const KafkaCommittable& committable, FileSystem& store);
  Result<void> send(Session& session, const KafkaCommittable& committable, FileSystem& store) const;
  Result<bool> is_committed(const Session& session, const KafkaCommittable& committable) const;
  void drop_session(const std::string& transactional_id);
  void remove_file(const KafkaCommittable& committable, FileSystem& store) const;

  const std::shared_ptr<KafkaClient> client_;
  const KafkaSettings settings_;
  FileSystems& file_systems_;
  Log& log_;
  const UnknownCommit on_unknown_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;   ///< guarded by mutex_; by transactional id
  std::map<std::string, std::int64_t> done_;  ///< guarded by mutex_; by transactional id
};

}  // namespace streamrun
