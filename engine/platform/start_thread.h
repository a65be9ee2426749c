#pragma once

#include <streamrun/base/unique_function.h>

#include <string>
#include <thread>

namespace streamrun {

/// Starts a thread that runs `body` under `name` (at most 15 bytes are kept). Signals meant for the
/// process are blocked in it, so that they reach the thread that waits for them. An exception that
/// escapes `body` is our bug. Throws `ErrorException` with E-UNAVAILABLE when the system gives no
/// more threads.
std::thread start_thread(const std::string& name, UniqueFunction<void()> body);

}  // namespace streamrun
