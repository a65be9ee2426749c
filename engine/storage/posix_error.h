#pragma once

#include <streamrun/base/result.h>

#include <string>
#include <string_view>

namespace streamrun {

/// The `Error` of a failed system call: its code by `errno_value`, `why` as the system words it.
Error posix_error(int errno_value, std::string_view what, const std::string& path);

/// E-PATH for a path with a NUL byte: the system would silently take what stands before it.
Result<void> check_path(const std::string& path);

}  // namespace streamrun
