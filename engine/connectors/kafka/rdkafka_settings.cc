#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "rdkafka.h"

namespace streamrun::rdkafka {
namespace {

using namespace std::chrono_literals;

struct CloseSettings {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Settings = std::unique_ptr<rd_kafka_conf_t, CloseSettings>;
using Properties = std::vector<std::pair<std::string, std::string>>;

/// A property that is a connector's own business, and what says the same.
using Own = std::pair<std::string_view, std::string_view>;
constexpr std::array<Own, 6> kConsumersOwn = {{
    {"bootstrap.servers", "the brokers of the source"},
    {"metadata.broker.list", "the brokers of the source"},
    {"group.id", "the group id of the source"},
    {"auto.offset.reset", "where the source starts; an offset that is gone is never reset"},
    {"enable.auto.commit", "offsets are in checkpoints, and committed when one is complete"},
    {"enable.partition.eof", "the source needs it"},
}};
constexpr std::array<Own, 4> kProducersOwn = {{
    {"bootstrap.servers", "the brokers of the sink"},
    {"metadata.broker.list", "the brokers of the sink"},
    {"transactional.id", "the prefix of transactional ids of the sink"},
    {"delivery.report.only.error", "the sink needs it"},
}};

Error refused(const std::string& name, std::string why) {
  return {.code = ErrorCode::usage,
          // Not what it is set to: that may be a secret, whatever the name.
          .message = "the Kafka property " + name + " can't be set so",
          .where = "property " + name,
          .why = std::move(why),
          .retry = Retry::no};
}

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  const rd_kafka_conf_res_t result =
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size());
  if (result == RD_KAFKA_CONF_OK) return {};
  return refused(name, why.data());
}

void note_complaint(rd_kafka_t*, int code, const char* reason, void* opaque) {
  auto& complaints = *static_cast<Complaints*>(opaque);
  const std::lock_guard lock(complaints.mutex);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    complaints.all_down = true;
    if (!complaints.last.empty()) return;  // which says more
  }
  complaints.last = reason;
  complaints.is_about_rights = is_about_rights(code);
}

void say_nothing(const rd_kafka_t*, int, const char*, const char*) {}

/// What the user says goes before what is `ours`, but for what is a connector's own business.
Result<Settings> settings_of(const KafkaSettings& given, Complaints& complaints,
                             std::span<const Own> own, const Properties& ours) {
  Settings conf(rd_kafka_conf_new());
  SR_TRY(set(conf.get(), "client.id", "streamrun"));
  // A connection that hangs is one that is gone.
  const auto patience = std::clamp<Duration>(given.connection_timeout, 10s, 300s);
  SR_TRY(set(conf.get(), "socket.timeout.ms", std::to_string(milliseconds(patience))));
  for (const auto& [name, value] : ours) SR_TRY(set(conf.get(), name, value));
  for (const auto& [name, value] : given.properties) {
    const auto* const said =
        std::find_if(own.data(), own.data() + own.size(),
                     [&, key = &name](const Own& row) { return row.first == *key; });
    if (said != own.data() + own.size())
      return refused(name, "this says it: " + std::string(said->second));
    SR_TRY(set(conf.get(), name, value));
  }
  SR_TRY(set(conf.get(), "bootstrap.servers", given.brokers));
  rd_kafka_conf_set_opaque(conf.get(), &complaints);
  rd_kafka_conf_set_error_cb(conf.get(), note_complaint);
  rd_kafka_conf_set_log_cb(conf.get(), say_nothing);
  return conf;
}

Result<std::shared_ptr<Handle>> open(const KafkaSettings& settings, std::shared_ptr<Handle> handle,
                                     rd_kafka_type_t type, Settings conf) {
  std::array<char, 512> why{};
  handle->client.reset(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (handle->client == nullptr) {
    return Error{.code = ErrorCode::usage,
                 .message = "no client of Kafka can be made with these properties",
                 .where = settings.brokers,
                 .why = why.data(),
                 .retry = Retry::no};
  }
  (void)conf.release();  // the client owns it
  return handle;
}

std::shared_ptr<Handle> handle_of(const KafkaSettings& settings) {
  auto handle = std::make_shared<Handle>();
  handle->brokers = settings.brokers;
  return handle;
}

void note_undelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  Undelivered& told = static_cast<Complaints*>(opaque)->undelivered;
  if (told.count++ == 0) told.first = message->err;
}

}  // namespace

Result<std::shared_ptr<Handle>> open_consumer(const KafkaSettings& settings) {
  const std::shared_ptr<Handle> handle = handle_of(settings);
  // What may wait in memory for a task that is held up.
  Settings conf = SR_TRY(
      settings_of(settings, *handle->complaints, kConsumersOwn,
                  {{"queued.max.messages.kbytes", "16384"}, {"queued.min.messages", "10000000"}}));
  if (!settings.group_id.empty()) SR_TRY(set(conf.get(), "group.id", settings.group_id));
  SR_TRY(set(conf.get(), "auto.offset.reset", "error"));
  SR_TRY(set(conf.get(), "enable.auto.commit", "false"));
  SR_TRY(set(conf.get(), "auto.commit.enable", "false"));
  SR_TRY(set(conf.get(), "enable.auto.offset.store", "false"));
  SR_TRY(set(conf.get(), "enable.partition.eof", "true"));
  return open(settings, handle, RD_KAFKA_CONSUMER, std::move(conf));
}

Result<std::shared_ptr<Handle>> open_producer(const KafkaSettings& settings,
                                              const std::string& transactional_id) {
  const std::shared_ptr<Handle> handle = handle_of(settings);
  const std::string patience = std::to_string(milliseconds(settings.connection_timeout));
  Properties ours = {
      {"partitioner", "murmur2_random"},  // Kafka's own clients'
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes", "65536"},
  };
  if (transactional_id.empty()) {
    ours.push_back({"message.timeout.ms", patience});
  } else {
    // The time it takes to send what came between two checkpoints; brokers allow 15 min.
    ours.push_back({"transaction.timeout.ms", "300000"});
  }
  Settings conf = SR_TRY(settings_of(settings, *handle->complaints, kProducersOwn, ours));
  if (!transactional_id.empty()) SR_TRY(set(conf.get(), "transactional.id", transactional_id));
  SR_TRY(set(conf.get(), "delivery.report.only.error", "true"));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), note_undelivered);
  return open(settings, handle, RD_KAFKA_PRODUCER, std::move(conf));
}

bool is_about_rights(int code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

Error no_answer(const Handle& handle, rd_kafka_resp_err_t code, const std::string& question) {
  const std::lock_guard lock(handle.complaints->mutex);
  const bool refuses = is_about_rights(code) || handle.complaints->is_about_rights;
  const std::string& last = handle.complaints->last;
  return {.code = refuses ? ErrorCode::permission : ErrorCode::unavailable,
          .message = refuses ? "Kafka refuses to tell " + question
                             : "Kafka did not answer when it was asked for " + question,
          .where = handle.brokers,
          .why = last.empty() || is_about_rights(code) ? rd_kafka_err2str(code) : last,
          .tries = {list_command(handle.brokers) + "  # whether it answers others"},
          .retry = refuses ? Retry::no : Retry::yes};
}

std::string list_command(const std::string& brokers) {
  return "kcat -L -b " + brokers;
}

int milliseconds(Duration time) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

}  // namespace streamrun::rdkafka
