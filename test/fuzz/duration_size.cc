// Values of configuration keys and flags: each grammar gets the same text.
#include <streamrun/config/values.h>

#include <cmath>

#include "fuzz_target.h"

using namespace streamrun;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto duration = parse_duration(text)) {
    fuzz::require(duration->count() >= 0, "a duration is not negative");
    const auto again = parse_duration(format_duration(*duration));
    fuzz::require(again && *again == *duration, "a duration is written and read the same");
  }
  if (const auto bytes = parse_memory_size(text)) {
    fuzz::require(*bytes < std::uint64_t{1} << 63U, "a size is below 2^63");
    const auto again = parse_memory_size(format_memory_size(*bytes));
    fuzz::require(again && *again == *bytes, "a size is written and read the same");
  }
  if (const auto number = parse_double(text)) {
    fuzz::require(std::isfinite(*number), "a number is finite");
  }
  if (const auto ranges = parse_port_ranges(text)) {
    fuzz::require(!ranges->empty(), "there is a port to try");
    for (const PortRange& range : *ranges) {
      fuzz::require(range.first <= range.last, "a range goes up");
    }
  }
  if (const auto number = parse_int(text)) {
    const auto wider = parse_long(text);
    fuzz::require(wider && *wider == *number, "a number of 32 bits is one of 64");
  }
  for (const bool ok : {parse_bool(text).has_value(), parse_port(text).has_value(),
                        parse_list(text).has_value(), parse_map(text).has_value()}) {
    static_cast<void>(ok);
  }
  return 0;
}
