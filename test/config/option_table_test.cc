#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>
#include <streamrun/config/options.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

const OptionInfo& info_called(std::string_view key) {
  for (const OptionInfo& option : all_options()) {
    if (option.key == key) return option;
  }
  FAIL("no option " << key);
  return all_options().front();
}

TEST_CASE("option table: it is sorted and each key is there once", "[config]") {
  const auto& table = all_options();
  CHECK(table.size() > 150);
  for (std::size_t i = 1; i < table.size(); ++i) {
    INFO(table[i].key);
    CHECK(table[i - 1].key < table[i].key);
  }
}

TEST_CASE("option table: every default is a value of its option, and everything is described",
          "[config]") {
  for (const OptionInfo& option : all_options()) {
    INFO(option.key);
    CHECK((option.default_text.empty() || option.check(option.default_text).has_value()));
    CHECK_FALSE(option.description.empty());
    CHECK(option.description.back() == '.');
    CHECK_FALSE(option.type.empty());
    CHECK((option.type == "enum") == !option.choices.empty());
  }
}

TEST_CASE("option table: every listed choice is accepted and another is not", "[config]") {
  for (const OptionInfo& option : all_options()) {
    INFO(option.key);
    for (const std::string_view choice : option.choices) CHECK(option.check(choice).has_value());
    if (!option.choices.empty()) CHECK_FALSE(option.check("no-such-choice").has_value());
  }
}

TEST_CASE("option table: older names lead to the option, and only known ones to two", "[config]") {
  CHECK(options_called("state.checkpoints.dir").at(0)->key == "execution.checkpointing.dir");
  CHECK(options_called("state.backend.fs.checkpointdir").at(0)->key ==
        "execution.checkpointing.dir");
  CHECK(options_called("state.backend").at(0)->key == "state.backend.type");
  CHECK(options_called("restart-strategy").at(0)->key == "restart-strategy.type");
  CHECK(options_called("nothing").empty());
  std::set<std::string> shared;
  for (const OptionInfo& option : all_options()) {
    if (options_called(option.key).size() > 1) shared.emplace(option.key);
    for (const std::string& other : option.other_keys) {
      if (options_called(other).size() > 1) shared.insert(other);
    }
  }
  CHECK(shared == std::set<std::string>{"rest.port", "state.backend.local-recovery"});
}

TEST_CASE("option table: no two options share an environment variable", "[config]") {
  std::map<std::string, std::string> keys;
  const auto check = [&](std::string_view key) {
    const auto [present, is_new] = keys.emplace(environment_name(key), key);
    INFO(key << " and " << present->second);
    CHECK((is_new || options_called(present->second) == options_called(key)));
  };
  for (const OptionInfo& option : all_options()) {
    check(option.key);
    for (const std::string& other : option.other_keys) check(other);
  }
}

TEST_CASE("option table: defaults that differ from Flink's say so", "[config]") {
  CHECK(info_called("execution.checkpointing.num-retained").default_text == "3");
  CHECK(info_called("execution.checkpointing.num-retained").flink_default == "1");
  CHECK(info_called("execution.checkpointing.externalized-checkpoint-retention").default_text ==
        "RETAIN_ON_CANCELLATION");
  CHECK(info_called("execution.checkpointing.externalized-checkpoint-retention").flink_default ==
        "NO_EXTERNALIZED_CHECKPOINTS");
}

TEST_CASE("option table: only S3's two keys are secrets among the known ones", "[config]") {
  std::set<std::string> secrets;
  for (const OptionInfo& option : all_options()) {
    if (is_secret_key(option.key)) secrets.emplace(option.key);
  }
  CHECK(secrets == std::set<std::string>{"s3.access-key", "s3.secret-key", "s3.session.token"});
}

TEST_CASE("enums: every value has a name that reads back", "[config]") {
  for (const auto value : {ClaimMode::claim, ClaimMode::no_claim, ClaimMode::legacy}) {
    CHECK(*parse_choice<ClaimMode>(choice_name(value)) == value);
  }
  CHECK(choice_name(RestartStrategyType::fixed_delay) == "fixed-delay");
  CHECK(choice_name(StateBackendType::hashmap) == "hashmap");
}

}  // namespace
}  // namespace streamrun
