#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace streamrun {

/// `bytes 0-9/100`: where the piece begins, and the size of the whole.
struct ContentRange {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

/// The header `Content-Range` (RFC 9110); nothing for a text of another form.
std::optional<ContentRange> parse_content_range(const std::string& text);

}  // namespace streamrun
