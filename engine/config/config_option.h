#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Whether streamrun acts on an option yet. One of `later` is accepted and its type checked, and a
/// note says once that it changes nothing.
enum class OptionUse { now, later };

/// A configuration option under Flink's own key. A constant; `Configuration` turns it into a value.
template <typename T>
struct ConfigOption {
  using value_type = T;
  std::string_view key;
  std::string_view description;
  /// Text of the default in the grammar of `T`; empty if there is none.
  std::string_view default_text = {};
  /// Flink's default, where ours differs.
  std::string_view flink_default = {};
  /// Older names, strongest first. They are equal citizens: using one is never remarked upon.
  std::array<std::string_view, 3> other_keys = {};
  OptionUse use = OptionUse::now;
  /// Says something about one run rather than about the job: it is not recorded in checkpoints.
  bool of_one_run = false;
};

/// A spelling of an enum value. Several may stand for one value; the first is the one to show.
template <typename E>
struct Choice {
  std::string_view name;
  E value;
};

/// Specialised for every enum that an option may have: `static constexpr std::array<Choice<E>, N>
/// list`.
template <typename E>
struct Choices;

template <typename E>
std::vector<std::string_view> choice_names() {
  std::vector<std::string_view> names;
  for (const Choice<E>& choice : Choices<E>::list) names.push_back(choice.name);
  return names;
}

/// The enum value that `text` spells, in any case; blanks around it are ignored.
template <typename E>
Result<E> parse_choice(std::string_view text) {
  const std::string_view trimmed =
      text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = trimmed.substr(0, trimmed.find_last_not_of(" \t") + 1);
  for (const Choice<E>& choice : Choices<E>::list) {
    if (equals_ignoring_case(choice.name, word)) return choice.value;
  }
  return not_a_choice(text, choice_names<E>());
}

/// The name to show for an enum value.
template <typename E>
std::string_view choice_name(E value) {
  for (const Choice<E>& choice : Choices<E>::list) {
    if (choice.value == value) return choice.name;
  }
  SR_ASSERT(false, "an enum value without a name");
  return {};
}

/// How a type of option is called and read. The general case is an enum.
template <typename T>
struct OptionType {
  static constexpr std::string_view name = "enum";
  static Result<T> parse(std::string_view text) { return parse_choice<T>(text); }
  static std::vector<std::string_view> choices() { return choice_names<T>(); }
};

namespace internal {
template <typename T, Result<T> (*parse_text)(std::string_view)>
struct PlainOptionType {
  static Result<T> parse(std::string_view text) { return parse_text(text); }
  static std::vector<std::string_view> choices() { return {}; }
};
inline Result<MemorySize> parse_memory(std::string_view text) {
  return MemorySize{SR_TRY(parse_memory_size(text))};
}
inline Result<std::string> parse_text(std::string_view text) {
  return std::string(text);
}
Result<JobId> parse_configured_job_id(std::string_view text);
}  // namespace internal

template <>
struct OptionType<bool> : internal::PlainOptionType<bool, parse_bool> {
  static constexpr std::string_view name = "boolean";
};
template <>
struct OptionType<std::int32_t> : internal::PlainOptionType<std::int32_t, parse_int> {
  static constexpr std::string_view name = "integer";
};
template <>
struct OptionType<std::int64_t> : internal::PlainOptionType<std::int64_t, parse_long> {
  static constexpr std::string_view name = "long integer";
};
template <>
struct OptionType<double> : internal::PlainOptionType<double, parse_double> {
  static constexpr std::string_view name = "number";
};
template <>
struct OptionType<std::chrono::nanoseconds>
    : internal::PlainOptionType<std::chrono::nanoseconds, parse_duration> {
  static constexpr std::string_view name = "duration";
};
template <>
struct OptionType<MemorySize> : internal::PlainOptionType<MemorySize, internal::parse_memory> {
  static constexpr std::string_view name = "memory size";
};
template <>
struct OptionType<std::string> : internal::PlainOptionType<std::string, internal::parse_text> {
  static constexpr std::string_view name = "text";
};
template <>
struct OptionType<std::vector<std::string>>
    : internal::PlainOptionType<std::vector<std::string>, parse_list> {
  static constexpr std::string_view name = "list";
};
template <>
struct OptionType<std::map<std::string, std::string>>
    : internal::PlainOptionType<std::map<std::string, std::string>, parse_map> {
  static constexpr std::string_view name = "map";
};
template <>
struct OptionType<std::uint16_t> : internal::PlainOptionType<std::uint16_t, parse_port> {
  static constexpr std::string_view name = "port";
};
template <>
struct OptionType<std::vector<PortRange>>
    : internal::PlainOptionType<std::vector<PortRange>, parse_port_ranges> {
  static constexpr std::string_view name = "port range";
};
template <>
struct OptionType<JobId> : internal::PlainOptionType<JobId, internal::parse_configured_job_id> {
  static constexpr std::string_view name = "job id";
};

}  // namespace streamrun
