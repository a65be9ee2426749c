#include <streamrun/base/strings.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "quoted.h"

namespace streamrun {
namespace {

constexpr std::string_view kDurationForms =
    "accepted: digits and a unit (ns, µs, ms, s, min, h, d), such as 10 s; digits alone are "
    "milliseconds; or "
    "ISO-8601, such as PT10S; at most 292 years";
constexpr std::string_view kMemoryForms =
    "accepted: digits and a unit (b, kb, mb, gb, tb; powers of 1024), such as 64 mb; digits alone "
    "are bytes; "
    "below 2^63 bytes";

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kMicro = 1'000;
constexpr std::int64_t kMilli = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

constexpr std::array<Unit, 31> kTimeUnits = {{
    {"", kMilli},
    {"d", kDay},
    {"day", kDay},
    {"days", kDay},
    {"h", kHour},
    {"hour", kHour},
    {"hours", kHour},
    {"min", kMinute},
    {"m", kMinute},
    {"minute", kMinute},
    {"minutes", kMinute},
    {"s", kSecond},
    {"sec", kSecond},
    {"secs", kSecond},
    {"second", kSecond},
    {"seconds", kSecond},
    {"ms", kMilli},
    {"milli", kMilli},
    {"millis", kMilli},
    {"millisecond", kMilli},
    {"milliseconds", kMilli},
    {"\xC2\xB5s", kMicro},  // U+00B5, the micro sign
    {"micro", kMicro},
    {"micros", kMicro},
    {"microsecond", kMicro},
    {"microseconds", kMicro},
    {"ns", 1},
    {"nano", 1},
    {"nanos", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
}};

constexpr std::int64_t kKibi = 1024;
constexpr std::array<Unit, 15> kMemoryUnits = {{
    {"", 1},
    {"b", 1},
    {"bytes", 1},
    {"k", kKibi},
    {"kb", kKibi},
    {"kibibytes", kKibi},
    {"m", kKibi* kKibi},
    {"mb", kKibi* kKibi},
    {"mebibytes", kKibi* kKibi},
    {"g", kKibi* kKibi* kKibi},
    {"gb", kKibi* kKibi* kKibi},
    {"gibibytes", kKibi* kKibi* kKibi},
    {"t", kKibi* kKibi* kKibi* kKibi},
    {"tb", kKibi* kKibi* kKibi* kKibi},
    {"tebibytes", kKibi* kKibi* kKibi* kKibi},
}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits that `text` begins with; nothing if there are none or they overflow.
std::optional<std::int64_t> take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto length = static_cast<std::size_t>(end - text.begin());
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + length, value);
  if (length == 0 || read.ec != std::errc()) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

template <std::size_t N>
std::optional<std::int64_t> number_and_unit(std::string_view text,
                                            const std::array<Unit, N>& units) {
  const std::optional<std::int64_t> count = take_digits(text);
  if (!count) return std::nullopt;
  const std::string name = to_lower_ascii(trim(text));
  const auto* unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  std::int64_t product = 0;
  if (unit == units.end() || __builtin_mul_overflow(*count, unit->factor, &product))
    return std::nullopt;
  return product;
}

/// Adds `digits * factor` to `total`; false on overflow.
bool add_scaled(std::int64_t& total, std::int64_t digits, std::int64_t factor) {
  std::int64_t product = 0;
  return !__builtin_mul_overflow(digits, factor, &product) &&
         !__builtin_add_overflow(total, product, &total);
}

/// Takes `.123` after the seconds of an ISO-8601 duration; up to nine digits, returned as
/// nanoseconds.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (text.empty() || (text.front() != '.' && text.front() != ',')) return 0;
  text.remove_prefix(1);
  std::int64_t nanoseconds = 0;
  std::int64_t scale = kSecond;
  while (!text.empty() && is_digit(text.front())) {
    if (scale == 1) return std::nullopt;
    scale /= 10;
    nanoseconds += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return nanoseconds;
}

/// `PnDTnHnMn.nS`, unsigned, each part optional but at least one given, in this order.
std::optional<std::int64_t> iso_duration(std::string_view text) {
  const std::string upper_and_lower = to_lower_ascii(text);
  std::string_view rest = upper_and_lower;
  if (rest.empty() || rest.front() != 'p') return std::nullopt;
  rest.remove_prefix(1);
  constexpr std::array<Unit, 4> kParts = {
      {{"d", kDay}, {"h", kHour}, {"m", kMinute}, {"s", kSecond}}};
  std::int64_t total = 0;
  std::size_t next_part = 0;
  bool in_time = false;
  bool wants_part = true;
  while (!rest.empty()) {
    if (!in_time && rest.front() == 't') {
      in_time = true;
      wants_part = true;
      next_part = 1;
      rest.remove_prefix(1);
      continue;
    }
    const std::optional<std::int64_t> digits = take_digits(rest);
    const std::string_view after_digits = rest;
    const std::optional<std::int64_t> fraction = take_fraction(rest);
    if (!digits || !fraction || rest.empty()) return std::nullopt;
    const bool has_fraction = rest.size() != after_digits.size();
    std::size_t part = next_part;
    while (part < kParts.size() && kParts[part].name.front() != rest.front()) ++part;
    if (part == kParts.size() || (part > 0) != in_time || (has_fraction && part != 3))
      return std::nullopt;
    if (!add_scaled(total, *digits, kParts[part].factor) || !add_scaled(total, *fraction, 1))
      return std::nullopt;
    next_part = part + 1;
    wants_part = false;
    rest.remove_prefix(1);
  }
  if (wants_part) return std::nullopt;
  return total;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Error bad_value(std::string_view text, std::string_view what, std::string_view accepted) {
  return Error{.code = ErrorCode::config,
               .message = fmt::format("{} is not {}", quoted(text), what),
               .why = std::string(accepted),
               .retry = Retry::no};
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string shown = "'";
  for (const char c : text.substr(0, kShown))
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  // A character of several bytes must not be cut in two: the error would not be UTF-8.
  while (text.size() > kShown && (static_cast<unsigned char>(shown.back()) & 0xC0U) == 0x80U)
    shown.pop_back();
  if (text.size() > kShown && static_cast<unsigned char>(shown.back()) >= 0xC0U) shown.pop_back();
  if (text.size() > kShown) shown += "…";
  return shown + "'";
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const bool digits_first = !trimmed.empty() && is_digit(trimmed.front());
  const auto count = digits_first ? number_and_unit(trimmed, kTimeUnits) : iso_duration(trimmed);
  if (!count) return bad_value(text, "a duration", kDurationForms);
  return std::chrono::nanoseconds(*count);
}

Result<std::uint64_t> parse_memory_size(std::string_view text) {
  const auto bytes = number_and_unit(trim(text), kMemoryUnits);
  if (!bytes) return bad_value(text, "a memory size", kMemoryForms);
  return static_cast<std::uint64_t>(*bytes);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return to_lower_ascii(a) == to_lower_ascii(b);
}

Result<bool> parse_bool(std::string_view text) {
  if (equals_ignoring_case(trim(text), "true")) return true;
  if (equals_ignoring_case(trim(text), "false")) return false;
  return bad_value(text, "a boolean", "accepted: true, false");
}

Result<std::int32_t> parse_int(std::string_view text) {
  const auto value = whole_number<std::int32_t>(text);
  if (!value)
    return bad_value(text, "an integer", "accepted: digits, from -2147483648 to 2147483647");
  return *value;
}

Result<std::int64_t> parse_long(std::string_view text) {
  const auto value = whole_number<std::int64_t>(text);
  if (!value) return bad_value(text, "an integer", "accepted: digits, a number of 64 bits");
  return *value;
}

Result<double> parse_double(std::string_view text) {
  const auto value = whole_number<double>(text);
  if (!value || !std::isfinite(*value)) {
    return bad_value(text, "a number", "accepted: a decimal number, such as 0.5 or 1e3");
  }
  return *value;
}

Error not_a_choice(std::string_view text, const std::vector<std::string_view>& names) {
  std::string accepted = "accepted: ";
  for (const std::string_view name : names) accepted.append(name).append(", ");
  accepted.replace(accepted.size() - 2, 2, " (in any case)");
  return bad_value(text, "one of the values", accepted);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  SR_ASSERT(duration.count() >= 0, "format_duration of a negative duration");
  // From minutes on a count of one reads worse than the smaller unit: 60 s, 60 min, 24 h.
  struct Step {
    std::string_view name;
    std::int64_t factor;
    std::int64_t at_least;
  };
  constexpr std::array<Step, 6> kSteps = {{{"d", kDay, 2},
                                           {"h", kHour, 2},
                                           {"min", kMinute, 2},
                                           {"s", kSecond, 1},
                                           {"ms", kMilli, 1},
                                           {"µs", kMicro, 1}}};
  const std::int64_t count = duration.count();
  if (count == 0) return "0 ms";
  for (const Step& step : kSteps) {
    if (count % step.factor == 0 && count / step.factor >= step.at_least) {
      return fmt::format("{} {}", count / step.factor, step.name);
    }
  }
  return fmt::format("{} ns", count);
}

std::string format_memory_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"bytes", "kb", "mb", "gb", "tb"};
  std::size_t power = 0;
  while (power + 1 < kNames.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++power;
  }
  return fmt::format("{} {}", bytes, kNames[power]);
}

}  // namespace streamrun
