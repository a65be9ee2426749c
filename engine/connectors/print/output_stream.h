#pragma once

#include <streamrun/base/result.h>

#include <string_view>

namespace streamrun {

/// A stream of bytes that people or programs read as it is written.
class OutputStream {
 public:
  virtual ~OutputStream() = default;
  /// Writes all of it, and nothing of another caller in between. May block for as long as the
  /// reader likes; thread-safe. E-CANCELLED, "standard output was closed", if nobody reads any
  /// more.
  virtual Result<void> write(std::string_view bytes) = 0;
};

/// The process's standard output. SIGPIPE must be ignored by whoever owns the process.
OutputStream& standard_output();

}  // namespace streamrun
