#include <streamrun/base/strings.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace streamrun {
namespace {

struct Family {
  std::string_view prefix;
  KeyStanding standing;
};

constexpr auto kFamilies = std::to_array<Family>({
    {"pipeline.global-job-parameters.", KeyStanding::member},
    {"fs.", KeyStanding::later},
    {"s3.", KeyStanding::later},
    {"flink.hadoop.", KeyStanding::file_systems},
    {"metrics.", KeyStanding::later},
    {"state.backend.rocksdb.metrics.", KeyStanding::later},
    {"state.backend.forst.", KeyStanding::later},
    {"execution.batch.", KeyStanding::later},
    {"traces.", KeyStanding::later},
    {"events.", KeyStanding::later},
    {"jobmanager.", KeyStanding::meaningless},
    {"taskmanager.", KeyStanding::meaningless},
    {"kubernetes.", KeyStanding::meaningless},
    {"yarn.", KeyStanding::meaningless},
    {"mesos.", KeyStanding::meaningless},
    {"high-availability", KeyStanding::meaningless},
    {"zookeeper.", KeyStanding::meaningless},
    {"security.", KeyStanding::meaningless},
    {"env.", KeyStanding::meaningless},
    {"akka.", KeyStanding::meaningless},
    {"pekko.", KeyStanding::meaningless},
    {"blob.", KeyStanding::meaningless},
    {"cluster.", KeyStanding::meaningless},
    {"classloader.", KeyStanding::meaningless},
    {"heartbeat.", KeyStanding::meaningless},
    {"historyserver.", KeyStanding::meaningless},
    {"resourcemanager.", KeyStanding::meaningless},
    {"slotmanager.", KeyStanding::meaningless},
    {"slot.", KeyStanding::meaningless},
    {"queryable-state.", KeyStanding::meaningless},
    {"containerized.", KeyStanding::meaningless},
    {"external-resource", KeyStanding::meaningless},
    {"job-autoscaler.", KeyStanding::meaningless},
    {"job-result-store.", KeyStanding::meaningless},
    {"scheduler-mode", KeyStanding::meaningless},
    {"user.artifacts.", KeyStanding::meaningless},
    {"python.", KeyStanding::meaningless},
    {"table.", KeyStanding::meaningless},
    {"sql-client.", KeyStanding::meaningless},
    {"sql-gateway.", KeyStanding::meaningless},
    {"plugin.", KeyStanding::meaningless},
});

constexpr std::array<std::string_view, 16> kSecretWords = {
    "password",   "secret",       "token",       "apikey",     "api-key",    "access.key",
    "access-key", "auth-params",  "service-key", "jaas",       "basic-auth", "account.key",
    "credential", "http-headers", "passphrase",  "private-key"};

constexpr std::array<std::string_view, 4> kSecretParameters = {
    "x-amz-signature=", "x-amz-credential=", "delegation=", "x-amz-security-token="};

/// Replaces `user:password@` after `://`, as far as the authority goes.
std::string without_user_info(std::string_view text) {
  std::string shown;
  while (true) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return shown.append(text);
    shown.append(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    const std::string_view authority = text.substr(0, text.find_first_of("/?#, ;"));
    const std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos) continue;
    shown.append(kMasked);
    text.remove_prefix(at);
  }
}

std::string without_parameter(std::string text, std::string_view parameter) {
  std::size_t at = to_lower_ascii(text).find(parameter);
  while (at != std::string::npos) {
    const std::size_t start = at + parameter.size();
    const std::size_t end = std::min(text.find_first_of("&# ", start), text.size());
    text.replace(start, end - start, kMasked);
    at = to_lower_ascii(text).find(parameter, start);
  }
  return text;
}

}  // namespace

KeyStanding standing_of(std::string_view key) {
  if (!options_called(key).empty()) return KeyStanding::known;
  for (const Family& family : kFamilies) {
    if (key.starts_with(family.prefix)) return family.standing;
  }
  return KeyStanding::unknown;
}

std::string nearest_key(std::string_view key) {
  std::vector<std::string> names;
  for (const OptionInfo& option : all_options()) {
    names.emplace_back(option.key);
    names.insert(names.end(), option.other_keys.begin(), option.other_keys.end());
  }
  return nearest_of(key, names);
}

bool is_secret_key(std::string_view key) {
  const std::string lower = to_lower_ascii(key);
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string displayed_value(std::string_view key, std::string_view value) {
  if (is_secret_key(key)) return std::string(kMasked);
  std::string shown = without_user_info(value);
  for (const std::string_view parameter : kSecretParameters)
    shown = without_parameter(std::move(shown), parameter);
  return shown;
}

std::string environment_name(std::string_view key) {
  std::string name = "STREAMRUN_";
  for (const char c : key) {
    name +=
        c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace streamrun
