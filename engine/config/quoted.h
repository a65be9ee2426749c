#pragma once

#include <streamrun/base/error.h>

#include <string>
#include <string_view>

namespace streamrun {

/// A value in single quotes for an error message: cut to 64 bytes, control characters as `?`.
std::string quoted(std::string_view text);

/// E-CONF: `text` is not `what`; `accepted` becomes the reason.
Error bad_value(std::string_view text, std::string_view what, std::string_view accepted);

}  // namespace streamrun
