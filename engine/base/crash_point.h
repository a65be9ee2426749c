#pragma once

#include <cstdint>
#include <string_view>

namespace streamrun {

/// The environment variable that arms a mark.
constexpr const char* kCrashVariable = "STREAMRUN_CRASH";
/// Whether this build has marks, so that the variable means something.
#ifdef STREAMRUN_CRASHPOINTS
constexpr bool kHasCrashPoints = true;
#else
constexpr bool kHasCrashPoints = false;
#endif

/// Ends the process with SIGKILL if the environment has armed `name`: `STREAMRUN_CRASH=name:k` at
/// its k-th pass (from 1), `name:1/n:seed` at each pass with chance 1 in n, drawn from the seed.
/// Thread-safe.
void crash_point(const char* name);

/// Whether a pass (counted from 1) through `name` is one that `armed` asks to die at. A text that
/// can't be read arms nothing.
bool crash_is_due(std::string_view armed, std::string_view name, std::uint64_t pass);

}  // namespace streamrun

// A mark between two steps that must survive a kill; it costs nothing unless built with
// STREAMRUN_CRASHPOINTS.
#ifdef STREAMRUN_CRASHPOINTS
#define SR_CRASH(name) ::streamrun::crash_point(name)
#else
#define SR_CRASH(name) static_cast<void>(0)
#endif
