#pragma once

#include <string>
#include <string_view>

namespace streamrun {

/// What a person is shown of an answer that makes no sense: its first bytes, at most 200, what
/// can't be printed replaced; "an empty body" if there are none.
std::string first_bytes(std::string_view body);

}  // namespace streamrun
