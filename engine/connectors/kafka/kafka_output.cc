#include <streamrun/connectors/file/part_commit.h>
#include <streamrun/connectors/kafka/kafka_output.h>

#include <algorithm>
#include <utility>

#include "kafka_committer.h"

namespace streamrun {
namespace {

[[noreturn]] void refuse_target(std::string message, std::string why = {}) {
  throw_error({.code = ErrorCode::usage,
               .message = std::move(message),
               .why = std::move(why),
               .retry = Retry::no});
}

/// Sends each block at once. With the end of what a checkpoint covers everything is acknowledged.
class ProducerStream final : public BlockStream {
 public:
  ProducerStream(std::unique_ptr<KafkaProducer> producer, Duration patience)
      : producer_(std::move(producer)), patience_(patience) {}

  Result<void> append(std::string_view block) override {
    std::size_t used = 0;
    records_.clear();
    SR_TRY(read_records(block, records_, used));
    return producer_->send(records_);
  }
  Result<std::vector<std::string>> finish() override {
    SR_TRY(producer_->flush(patience_));
    return std::vector<std::string>();
  }

 private:
  const std::unique_ptr<KafkaProducer> producer_;
  const Duration patience_;
  std::vector<KafkaRecordView> records_;
};

Result<PartCommittable> part_of(std::string_view bytes) {
  return SR_TRY(decode_kafka_committable(bytes)).part;
}

}  // namespace

void KafkaTarget::check() const {
  constexpr std::size_t kMostPrefixBytes = 64000;  // Flink's
  if (settings.brokers.empty()) refuse_target("a Kafka sink needs brokers");
  if (topic.empty()) refuse_target("a Kafka sink needs a topic");
  if (delivery_guarantee != DeliveryGuarantee::exactly_once) return;
  if (transactional_id_prefix.empty()) refuse_target("exactly-once needs a prefix of transactional ids");
  if (transactional_id_prefix.size() > kMostPrefixBytes)
    refuse_target("the prefix of transactional ids is too long", "it may have 64,000 bytes");
}

KafkaOutput::KafkaOutput(std::shared_ptr<KafkaClient> client, KafkaTarget target)
    : client_(std::move(client)), target_(std::move(target)) {}
KafkaOutput::~KafkaOutput() = default;

void KafkaOutput::set_restored_committables(const std::vector<std::string>& committables) {
  restored_ = committables;
}

void KafkaOutput::open(const OperatorContext& context) {
  context_ = &context;
  if (target_.delivery_guarantee == DeliveryGuarantee::exactly_once) return open_exactly_once();
  // A restored checkpoint of a sink that was exactly-once then.
  if (!restored_.empty()) open_committer();
  KafkaSettings settings = target_.settings;
  const bool is_safe = target_.delivery_guarantee == DeliveryGuarantee::at_least_once;
  // Kafka's own default; a property of the user's goes before it.
  settings.properties.emplace("enable.idempotence", is_safe ? "true" : "false");
  if (!is_safe) settings.properties.emplace("acks", "1");
  direct_.open(context, std::make_unique<ProducerStream>(
                            value_or_throw(client_->make_producer(settings, target_.topic)),
                            settings.connection_timeout));
}

void KafkaOutput::open_exactly_once() {
  if (context_->task_owned_folder.empty()) {
    throw_error({.code = ErrorCode::config,
                 .message = "exactly-once into Kafka needs a folder for checkpoints",
                 .where = "sink " + context_->name,
                 .why = "records wait there for the checkpoint that they belong to",
                 .tries = {"streamrun run -D state.checkpoints.dir=FOLDER …"},
                 .retry = Retry::no});
  }
  open_committer();
  parts_.emplace(context_->task_owned_folder);
  parts_->open(*context_);
  transactional_id_ = target_.transactional_id_prefix + "-" + to_string(context_->job_id) + "-" +
                      operator_prefix_of(context_->operator_id) + "-" +
                      std::to_string(context_->subtask);
  last_number_ = value_or_throw(committer_->open(transactional_id_, target_.topic));
  // What was restored is committed first.
  for (const std::string& bytes : restored_) {
    const KafkaCommittable committable = value_or_throw(decode_kafka_committable(bytes));
    if (committable.transactional_id == transactional_id_)
      last_number_ = std::max(last_number_, committable.number);
  }
}

void KafkaOutput::open_committer() {
  committer_ = std::make_unique<KafkaCommitter>(client_, target_.settings, context_->file_systems,
                                                target_.on_unknown_commit);
}

void KafkaOutput::prepare(Prepared prepared) {
  if (!parts_) return direct_.prepare(std::move(prepared));
  parts_->prepare([this, prepared = std::move(prepared)](Result<std::vector<std::string>> parts) {
    if (parts) {
      for (std::string& bytes : *parts) {
        const Result<PartCommittable> part = decode_committable(bytes);
        SR_ASSERT(part.has_value(), "a part's own committable can be read");
        bytes = encode_kafka_committable({.transactional_id = transactional_id_,
                                          .number = ++last_number_,
                                          .topic = target_.topic,
                                          .part = *part});
      }
    }
    prepared(std::move(parts));
  });
}

Result<void> KafkaOutput::commit(const std::vector<std::string>& committables) {
  for (const std::string& bytes : committables)
    SR_TRY(committer_->commit(SR_TRY(decode_kafka_committable(bytes))));
  return {};
}

Result<void> KafkaOutput::remove_leftovers() {
  if (committer_ != nullptr) committer_->keep_only(transactional_id_);
  if (!parts_) return {};
  SR_TRY(remove_part_leftovers(*context_, context_->task_owned_folder, restored_, part_of));
  for (const std::string& earlier : context_->earlier_task_owned_folders)
    SR_TRY(remove_part_leftovers(*context_, earlier, restored_, part_of));
  return {};
}

}  // namespace streamrun
