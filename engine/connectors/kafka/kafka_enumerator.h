#pragma once

#include <streamrun/connectors/kafka/kafka_selection.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kafka_split.h"

namespace streamrun {

/// Finds partitions and gives each to its owner, once that has asked. Positions are numbers before
/// a reader learns them, so that from the first checkpoint on each attempt begins where it left
/// off.
class KafkaEnumerator final : public SplitEnumerator {
 public:
  KafkaEnumerator(std::shared_ptr<KafkaClient> client, KafkaSelection selection);

  void start(Context context, const std::string& restored,
             std::vector<std::string> unread) override;
  void handle_request(int subtask) override;
  std::optional<Instant> next_deadline() const override { return next_look_; }
  void on_time() override;
  std::string snapshot() const override;
  bool has_found_input() const override { return found_; }

  /// Instead of `start`: whether the brokers answer and have what is to be read. Blocks.
  Result<void> check_input(const std::string& restored, const std::vector<std::string>& unread);

 private:
  class Search;
  Result<void> restore(const std::string& bytes, const std::vector<std::string>& unread);
  Search make_search(bool is_first) const;
  void look();
  void add_found(Result<std::vector<KafkaSplit>> found);
  void add(KafkaSplit split);
  void serve();
  bool is_bounded() const { return selection_.stop_at.has_value(); }

  // Constant after `start`.
  const std::shared_ptr<KafkaClient> client_;
  const KafkaSelection selection_;
  std::unique_ptr<Context> context_;

  /// Used by one I/O job at a time.
  std::shared_ptr<std::unique_ptr<KafkaAdmin>> admin_ =
      std::make_shared<std::unique_ptr<KafkaAdmin>>();

  // Owned by the JobMaster's thread.
  std::map<KafkaPartition, std::optional<std::int64_t>> known_;  // each with where it stops
  std::vector<KafkaSplit> unassigned_;
  std::set<int> readers_;       // that asked
  std::set<int> told_no_more_;  // of them
  bool fresh_ = true;           // no partitions were looked for yet, in this attempt or before
  bool complete_ = false;       // bounded, and all partitions are known
  bool found_ = false;
  bool looking_ = false;
  std::optional<Instant> give_up_at_;  // since when there is no good answer, and a time more
  std::optional<Instant> next_look_;
  std::shared_ptr<const bool> alive_ =
      std::make_shared<const bool>(true);  // for mail that comes too late
};

}  // namespace streamrun
