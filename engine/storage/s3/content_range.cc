#include "content_range.h"

#include <charconv>
#include <string_view>

namespace streamrun {

std::optional<ContentRange> parse_content_range(const std::string& text) {
  constexpr std::string_view kUnit = "bytes ";
  ContentRange range;
  std::uint64_t last = 0;
  if (!text.starts_with(kUnit)) return std::nullopt;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data() + kUnit.size(), end, range.begin);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, last);
  if (second.ec != std::errc() || second.ptr == end || *second.ptr != '/') return std::nullopt;
  const auto third = std::from_chars(second.ptr + 1, end, range.size);
  if (third.ec != std::errc() || third.ptr != end) return std::nullopt;
  if (last < range.begin || last >= range.size) return std::nullopt;
  return range;
}

}  // namespace streamrun
