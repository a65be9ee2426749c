#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "rdkafka.h"

namespace streamrun::rdkafka {
namespace {

using namespace std::chrono_literals;

struct CloseSettings {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Settings = std::unique_ptr<rd_kafka_conf_t, CloseSettings>;

/// Properties that are the source's own business, and what says the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOwn = {{
    {"bootstrap.servers", "the brokers of the source"},
    {"metadata.broker.list", "the brokers of the source"},
    {"group.id", "the group id of the source"},
    {"auto.offset.reset", "where the source starts; an offset that is gone is never reset"},
    {"enable.auto.commit", "offsets are in checkpoints, and committed for no group"},
    {"enable.partition.eof", "the source needs it"},
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

bool is_about_rights(int code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
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

Result<Settings> settings_of(const KafkaSettings& given, Complaints& complaints) {
  Settings conf(rd_kafka_conf_new());
  SR_TRY(set(conf.get(), "client.id", "streamrun"));
  // What may wait in memory for a task that is held up.
  SR_TRY(set(conf.get(), "queued.max.messages.kbytes", "16384"));
  // A connection that hangs is one that is gone.
  const auto patience = std::clamp<Duration>(given.connection_timeout, 10s, 300s);
  SR_TRY(set(conf.get(), "socket.timeout.ms", std::to_string(milliseconds(patience))));
  for (const auto& [name, value] : given.properties) {
    const auto* const own = std::find_if(
        kOwn.begin(), kOwn.end(), [&, key = &name](const auto& row) { return row.first == *key; });
    if (own != kOwn.end()) return refused(name, "this says it: " + std::string(own->second));
    SR_TRY(set(conf.get(), name, value));
  }
  SR_TRY(set(conf.get(), "bootstrap.servers", given.brokers));
  if (!given.group_id.empty()) SR_TRY(set(conf.get(), "group.id", given.group_id));
  SR_TRY(set(conf.get(), "auto.offset.reset", "error"));
  SR_TRY(set(conf.get(), "enable.auto.commit", "false"));
  SR_TRY(set(conf.get(), "auto.commit.enable", "false"));
  SR_TRY(set(conf.get(), "enable.auto.offset.store", "false"));
  SR_TRY(set(conf.get(), "enable.partition.eof", "true"));
  rd_kafka_conf_set_opaque(conf.get(), &complaints);
  rd_kafka_conf_set_error_cb(conf.get(), note_complaint);
  rd_kafka_conf_set_log_cb(conf.get(), say_nothing);
  return conf;
}

}  // namespace

Result<std::shared_ptr<Handle>> open(const KafkaSettings& settings) {
  auto handle = std::make_shared<Handle>();
  handle->brokers = settings.brokers;
  Settings conf = SR_TRY(settings_of(settings, *handle->complaints));
  std::array<char, 512> why{};
  handle->client.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size()));
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
