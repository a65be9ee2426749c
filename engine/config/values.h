#pragma once

#include <streamrun/base/result.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Flink's grammars of configuration values, as pure functions. Blanks around a value are ignored.
/// Every error is E-CONF: its message quotes the value, its `why` names the accepted forms.

/// A number of bytes, as a type of its own so that it is not read as a count.
struct MemorySize {
  std::uint64_t bytes = 0;
  auto operator<=>(const MemorySize&) const = default;
};

/// The ports `first` to `last`, both included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;
};

/// Digits and a unit (`10 s`, `5min`), without a unit milliseconds; or ISO-8601 (`PT10S`). Never
/// negative; at most what 63 bits of nanoseconds hold (292 years), above which it is refused.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Digits and a unit (`64 mb`), in powers of 1024, without a unit bytes; below 2^63. Returns bytes.
Result<std::uint64_t> parse_memory_size(std::string_view text);

/// `true` or `false`, in any case.
Result<bool> parse_bool(std::string_view text);
/// A decimal number of 32 bits.
Result<std::int32_t> parse_int(std::string_view text);
/// A decimal number of 64 bits.
Result<std::int64_t> parse_long(std::string_view text);
/// A finite decimal number, with or without exponent.
Result<double> parse_double(std::string_view text);

/// `[a, b]` as YAML, or `a;b` where `'` or `"` quote and a doubled quote stands for one.
Result<std::vector<std::string>> parse_list(std::string_view text);
/// `{k: v}` as YAML, or `k1:v1,k2:v2` with the quoting of lists. A key given twice is refused.
Result<std::map<std::string, std::string>> parse_map(std::string_view text);
/// A port from 1 to 65535.
Result<std::uint16_t> parse_port(std::string_view text);
/// Ports and ranges to try in turn: `8081`, `8081-8099`, `8081,9000-9010`; or `0` alone for any
/// free port.
Result<std::vector<PortRange>> parse_port_ranges(std::string_view text);

/// The error for a text that is none of `names`; which case a name is written in does not matter.
Error not_a_choice(std::string_view text, const std::vector<std::string_view>& names);
/// Whether two ASCII texts differ at most in case: enums are compared so, and `-` is not `_`.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// In the largest unit that loses nothing, with small counts in the next smaller: `60 s`, `10 min`,
/// `250 ms`. `parse_duration` reads it back. Requires a duration that is not negative.
std::string format_duration(std::chrono::nanoseconds duration);
/// In the largest power of 1024 that loses nothing: `20 kb`, `1000 bytes`. `parse_memory_size`
/// reads it back.
std::string format_memory_size(std::uint64_t bytes);

}  // namespace streamrun
