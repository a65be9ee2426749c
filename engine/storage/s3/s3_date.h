#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace streamrun {

/// Milliseconds since 1970 of a header's date, `Wed, 12 Oct 2009 17:50:00 GMT` (RFC 9110), or of
/// XML's, `2009-10-12T17:50:30.000Z`; nothing for any other text.
std::optional<std::int64_t> parse_s3_date(std::string_view text);

}  // namespace streamrun
