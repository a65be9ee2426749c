#include <streamrun/base/strings.h>
#include <streamrun/connectors/file/part_commit.h>
#include <streamrun/connectors/kafka/kafka_output.h>
#include <streamrun/connectors/kafka/kafka_selection.h>

#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "kafka_committer.h"

namespace streamrun {
namespace {

/// Sends each block at once. With the end of what a checkpoint covers everything is acknowledged.
class ProducerStream final : public BlockStream {
 public:
  explicit ProducerStream(std::unique_ptr<KafkaProducer> producer)
      : producer_(std::move(producer)) {}

  Result<void> append(std::string_view block) override {
    std::size_t used = 0;
    records_.clear();
    SR_TRY(read_records(block, records_, used));
    return producer_->send(records_);
  }
  Result<std::vector<std::string>> finish() override {
    SR_TRY(producer_->flush());
    return std::vector<std::string>();
  }

 private:
  const std::unique_ptr<KafkaProducer> producer_;
  std::vector<KafkaRecordView> records_;
};

/// Of librdkafka, unless the user says otherwise.
Result<std::size_t> most_record_bytes_of(const KafkaSettings& settings) {
  constexpr std::size_t kDefault = 1000000;
  const auto found = settings.properties.find("message.max.bytes");
  if (found == settings.properties.end()) return kDefault;
  std::size_t bytes = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [stop, error] = std::from_chars(found->second.data(), end, bytes);
  if (error == std::errc() && stop == end) return bytes;
  return Error{.code = ErrorCode::usage,
               .message = "message.max.bytes is a number of bytes",
               .retry = Retry::no};
}

Result<PartCommittable> part_of(std::string_view bytes) {
  return SR_TRY(decode_kafka_committable(bytes)).part;
}

}  // namespace

void KafkaTarget::check() const {
  constexpr std::size_t kMostPrefixBytes = 30000;  // of 32,767 that the protocol has for it all
  if (settings.brokers.empty())
    refuse_kafka("a Kafka sink needs the address of a broker", "brokers");
  if (topic.empty()) refuse_kafka("a Kafka sink needs a topic", settings.brokers);
  if (delivery_guarantee != DeliveryGuarantee::exactly_once) return;
  if (transactional_id_prefix.empty())
    refuse_kafka("exactly-once needs a prefix of transactional ids", "topic " + topic);
  if (transactional_id_prefix.size() > kMostPrefixBytes) {
    refuse_kafka("the prefix of transactional ids is too long", "topic " + topic,
                 "it may have 30,000 bytes");
  }
}

KafkaOutput::KafkaOutput(std::shared_ptr<KafkaClient> client, KafkaTarget target)
    : client_(std::move(client)), target_(std::move(target)) {}
KafkaOutput::~KafkaOutput() = default;

void KafkaOutput::set_restored_committables(const std::vector<std::string>& committables) {
  restored_ = committables;
}

void KafkaOutput::open(const OperatorContext& context) {
  context_ = &context;
  most_record_bytes_ = value_or_throw(most_record_bytes_of(target_.settings));
  if (target_.delivery_guarantee == DeliveryGuarantee::exactly_once) return open_exactly_once();
  // A restored checkpoint of a sink that was exactly-once then.
  if (!restored_.empty()) open_committer();
  KafkaSettings settings = target_.settings;
  const bool is_safe = target_.delivery_guarantee == DeliveryGuarantee::at_least_once;
  // Kafka's own default; a property of the user's goes before it.
  settings.properties.emplace("enable.idempotence", is_safe ? "true" : "false");
  if (!is_safe) settings.properties.emplace("acks", "1");
  direct_.open(context, std::make_unique<ProducerStream>(
                            value_or_throw(client_->make_producer(settings, target_.topic))));
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
  if (context_->commits_only_on_request) {
    throw_error({.code = ErrorCode::config,
                 .message =
                     "exactly-once into Kafka needs a checkpoint interval, as the input does "
                     "not end",
                 .where = "sink " + context_->name,
                 .why = "records go to Kafka when their checkpoint is complete",
                 .tries = {"streamrun run -D execution.checkpointing.interval=1s …"},
                 .retry = Retry::no});
  }
  open_committer();
  parts_.emplace(context_->task_owned_folder);
  parts_->open(*context_);
  // Of this attempt alone: its numbers are its own, whatever becomes of its snapshots (E6).
  transactional_id_ =
      fmt::format("{}-{}-{}-{}-{}", target_.transactional_id_prefix, to_string(context_->job_id),
                  operator_prefix_of(context_->operator_id), context_->subtask, context_->attempt);
  value_or_throw(committer_->open(transactional_id_, target_.topic));
  refreshed_at_ = context_->environment.clock.now();
}

void KafkaOutput::open_committer() {
  committer_ =
      std::make_unique<KafkaCommitter>(client_, target_.settings, context_->file_systems,
                                       context_->environment.log, target_.on_unknown_commit);
}

void KafkaOutput::prepare(Prepared prepared) {
  if (!parts_) return direct_.prepare(std::move(prepared));
  refresh_if_due();
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

/// Kafka forgets what is not used for a week.
void KafkaOutput::refresh_if_due() {
  constexpr Duration kEvery = std::chrono::hours(24);
  const Instant now = context_->environment.clock.now();
  if (is_refreshing_ || now - refreshed_at_ < kEvery) return;
  is_refreshing_ = true;
  context_->environment.io.submit([this, post = context_->post] {
    Result<void> refreshed = committer_->refresh(transactional_id_);
    post([this, refreshed = std::move(refreshed)] {
      is_refreshing_ = false;
      if (!refreshed) throw_error(refreshed.error());
      refreshed_at_ = context_->environment.clock.now();
    });
  });
}

Result<void> KafkaOutput::commit(const std::vector<std::string>& committables) {
  for (const std::string& bytes : committables) {
    const KafkaCommittable committable = SR_TRY(decode_kafka_committable(bytes));
    SR_TRY(committer_->commit(committable, is_of_others(committable)));
  }
  return {};
}

/// Whether a run that may be alive, or is no relation, wrote it.
bool KafkaOutput::is_of_others(const KafkaCommittable& committable) const {
  const auto part = parse_finished_name(committable.part.finished_name);
  const Result<JobId> job = parse_job_id(part ? part->job_id : "");
  if (!job) return true;
  return *job != context_->job_id && context_->fate_of_run(*job) != RunFate::dead;
}

Result<void> KafkaOutput::remove_leftovers() {
  if (committer_ != nullptr) committer_->keep_only(transactional_id_);
  std::vector<std::string> folders = context_->earlier_task_owned_folders();
  if (!context_->task_owned_folder.empty()) folders.push_back(context_->task_owned_folder);
  for (const std::string& folder : folders) {
    const auto [path, store] =
        SR_TRY(context_->file_systems.place(folder, context_->working_directory));
    if (SR_TRY(store->exists(path)))
      SR_TRY(remove_part_leftovers(*context_, folder, restored_, part_of));
  }
  return {};
}

void KafkaOutput::refuse_record(const KafkaRecord& record, std::size_t encoded) const {
  throw_error({.code = ErrorCode::job_failed,
               .message = fmt::format("a record of {} bytes is larger than Kafka takes", encoded),
               .where = fmt::format("topic {}, key {}", target_.topic,
                                    record.has_key ? shortened(record.key) : "none"),
               .why = fmt::format("message.max.bytes is {}", most_record_bytes_),
               .tries = {"… --kafka-property message.max.bytes=BYTES   # if the brokers take more"},
               .retry = Retry::no});
}

}  // namespace streamrun
