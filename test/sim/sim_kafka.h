#pragma once

#include <streamrun/connectors/kafka/kafka_client.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/mutant.h"
#include "sim/sim_file_system.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// The brokers, which outlive every simulated process: what was committed, and what is known of
/// each transactional id and of the group of its name.
class KafkaCluster {
 public:
  /// Committed lines, in order, by topic.
  const std::map<std::string, std::vector<std::string>>& topics() const { return topics_; }

  /// Who had the id can't do anything with it any more. A commit that is on its way may still come
  /// first (`comes_first`), or never.
  std::uint64_t take_over(const std::string& id, bool comes_first);
  bool has(const std::string& id, std::uint64_t epoch) { return of(id).epoch == epoch; }
  std::optional<std::int64_t> recorded(const std::string& id) { return of(id).recorded; }
  void send(const std::string& id, const std::string& topic, std::string line);
  void forget_last(const std::string& id);
  void commit(const std::string& id, std::int64_t number);
  /// It will be committed, unless somebody takes the id over before.
  void commit_later(const std::string& id, std::int64_t number);
  /// Ends the transaction, unless a commit of it is on its way.
  void abort(const std::string& id);
  /// Its time is over: the broker aborts the transaction, and fences whoever had begun it.
  void time_out(const std::string& id);
  /// What is on its way arrives.
  void deliver_late_commits();

 private:
  struct Producer {
    std::uint64_t epoch = 0;
    std::vector<std::pair<std::string, std::string>> open;  // topic, line
    std::optional<std::int64_t> recorded;
    std::optional<std::int64_t> on_its_way;  // the number of a commit
  };
  Producer& of(const std::string& id) { return producers_[id]; }

  std::map<std::string, Producer> producers_;
  std::map<std::string, std::vector<std::string>> topics_;
};

/// Kafka as one simulated process sees it: every call may fail before it has any effect, or after,
/// or be the last thing that the process does.
std::shared_ptr<KafkaClient> sim_kafka(KafkaCluster& cluster, StorageFaults& faults, Tape& tape,
                                       Trace& trace, Mutant mutant);

}  // namespace streamrun::sim
