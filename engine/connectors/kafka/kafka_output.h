#pragma once

#include <streamrun/connectors/file/part_writer.h>
#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/connectors/kafka/kafka_delivery.h>
#include <streamrun/stream/block_writer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

class KafkaCommitter;
struct KafkaCommittable;

/// What a Kafka sink was told.
struct KafkaTarget {
  KafkaSettings settings;
  std::string topic;
  DeliveryGuarantee delivery_guarantee = DeliveryGuarantee::none;
  std::string transactional_id_prefix;
  UnknownCommit on_unknown_commit = UnknownCommit::fail;

  /// Throws E-USAGE.
  void check() const;
};

/// A Kafka sink's writer without the type of its records: takes blocks of encoded ones. As
/// `SinkWriter` has it. With exactly-once the blocks go to files of the job's `taskowned` folder,
/// and from there to Kafka when their checkpoint is complete; else at once.
class KafkaOutput {
 public:
  using Prepared = BlockWriter::Prepared;

  KafkaOutput(std::shared_ptr<KafkaClient> client, KafkaTarget target);
  ~KafkaOutput();

  void set_restored_committables(const std::vector<std::string>& committables);
  void open(const OperatorContext& context);

  bool ready() const { return blocks().ready(); }
  void throw_if_failed() const { blocks().throw_if_failed(); }
  /// Where encoded records are to be appended.
  std::string& buffer() { return blocks().buffer(); }
  void hand_over_if_full() { blocks().hand_over_if_full(); }
  /// Throws if Kafka would refuse a record of that size: what is prepared has to be taken later.
  void check_size(const KafkaRecord& record, std::size_t encoded) const {
    if (encoded > most_record_bytes_) [[unlikely]]
      refuse_record(record, encoded);
  }
  /// After a batch: what need not wait for a checkpoint goes on.
  void batch_written() {
    if (!parts_) direct_.hand_over_if_idle();
  }
  void prepare(Prepared prepared);
  Result<void> commit(const std::vector<std::string>& committables);
  Result<void> remove_leftovers();

 private:
  [[noreturn]] void refuse_record(const KafkaRecord& record, std::size_t encoded) const;
  BlockWriter& blocks() { return parts_ ? parts_->blocks() : direct_; }
  const BlockWriter& blocks() const { return parts_ ? parts_->blocks() : direct_; }
  void open_exactly_once();
  void open_committer();
  bool is_of_others(const KafkaCommittable& committable) const;
  void refresh_if_due();

  const std::shared_ptr<KafkaClient> client_;
  const KafkaTarget target_;
  const OperatorContext* context_ = nullptr;
  std::vector<std::string> restored_;

  BlockWriter direct_;
  // With exactly-once, or after it:
  std::string transactional_id_;
  std::unique_ptr<KafkaCommitter> committer_;
  std::optional<PartWriter> parts_;  ///< instead of `direct_`
  std::int64_t last_number_ = 0;     ///< owned by the task
  Instant refreshed_at_{};           ///< owned by the task
  bool is_refreshing_ = false;       ///< owned by the task
  std::size_t most_record_bytes_ = 0;
};

}  // namespace streamrun
