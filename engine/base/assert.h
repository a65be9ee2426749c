#pragma once

namespace streamrun {

/// Called with the failed condition, its text and place. The binary installs one that prints
/// `E-BUG` and ends with status 70; without one the process aborts. Must not return.
using AssertionHandler = void (*)(const char* condition, const char* text, const char* file,
                                  int line);
void set_assertion_handler(AssertionHandler handler);
[[noreturn]] void assertion_failed(const char* condition, const char* text, const char* file,
                                   int line);

}  // namespace streamrun

/// An invariant: on in every build. Never for what the outside world can cause.
#define SR_ASSERT(condition, text)                                           \
  do {                                                                       \
    if (!(condition)) [[unlikely]] {                                         \
      ::streamrun::assertion_failed(#condition, (text), __FILE__, __LINE__); \
    }                                                                        \
  } while (false)
