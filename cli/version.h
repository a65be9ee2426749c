#pragma once

#include <string_view>

namespace streamrun {

/// `0.1.0`, as the build has it.
extern const std::string_view kVersion;

}  // namespace streamrun
