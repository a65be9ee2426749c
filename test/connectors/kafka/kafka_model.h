#pragma once

#include <streamrun/connectors/kafka/kafka_source.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/connector_harness.h"

namespace streamrun::test {

/// Kafka as one thread sees it: partitions with records, some of whose offsets no record has.
struct KafkaModel {
  struct Record {
    std::int64_t offset = 0;
    std::string value;
  };
  struct Log {
    std::int64_t earliest = 0;
    std::int64_t next = 0;
    std::vector<Record> records;
  };

  /// A transactional id, and the group of its name.
  struct Producer {
    int epoch = 0;
    std::vector<std::pair<KafkaPartition, std::string>> open;
    std::optional<std::int64_t> recorded;
  };
  /// What becomes of the next commit, if not what should.
  enum class Trouble {
    none,
    fails,        ///< before anything is committed; the broker ends the transaction
    answer_lost,  ///< it is committed, and nobody hears of it
    refuses,      ///< a record is not taken
  };

  std::map<KafkaPartition, Log> partitions;
  std::map<std::string, Producer> producers;
  Trouble trouble = Trouble::none;
  int commits = 0;
  std::map<KafkaPartition, std::int64_t> committed;
  bool is_up = true;

  void make_topic(const std::string& topic, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) partitions[{topic, i}];
  }
  void append(const KafkaPartition& partition, std::string value) {
    Log& log = partitions.at(partition);
    log.records.push_back({.offset = log.next++, .value = std::move(value)});
  }
  /// The end of a transaction takes an offset and is no record.
  void append_marker(const KafkaPartition& partition) { ++partitions.at(partition).next; }
  void delete_before(const KafkaPartition& partition, std::int64_t offset) {
    partitions.at(partition).earliest = offset;
  }
};

/// A client that looks into `model`. Each of its consumers answers with as many messages at once as
/// `random` says.
std::shared_ptr<KafkaClient> client_of(KafkaModel& model, Random& random);

inline void run_for(SourceRun<std::string>& run, int steps) {
  for (int i = 0; i < steps && !run.failure; ++i) run.step();
}

}  // namespace streamrun::test
