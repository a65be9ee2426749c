#pragma once

#include <streamrun/platform/transport.h>

#include <memory>
#include <string>
#include <string_view>

namespace streamrun {

/// The message of the E-UNAVAILABLE that says that nobody took the connection: of the request
/// nothing was sent, so nothing was done. Any other E-UNAVAILABLE leaves that open.
inline constexpr std::string_view kServerNotReached = "the server cannot be reached";

/// A request that is under way. Owned by one thread. Destroyed before `wait` has returned it is
/// broken off, and the server may or may not have acted.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  /// Waits for the outcome, as `Transport::exchange` does. Once.
  virtual Result<HttpResponse> wait() = 0;
  /// The body that was sent, for who sends it again. Once, after `wait`.
  virtual std::string take_body() = 0;
};

/// A request whose body is handed over while it is sent (chunked). Owned by one thread. Destroyed
/// before `finish` it is broken off: the server gets a body that is cut short, not a whole one.
class HttpUpload {
 public:
  virtual ~HttpUpload() = default;
  /// Sends these bytes too; waits while more than a bounded amount (1 MiB) is not yet taken by the
  /// network. E-UNAVAILABLE when the connection is gone, nothing moves for the time-out, or the
  /// server answers before the body has ended: what it says then is in `why`, and `finish` has it.
  virtual Result<void> append(std::string_view bytes) = 0;
  /// Ends the body and waits for the response. Once.
  virtual Result<HttpResponse> finish() = 0;
};

/// What the clients of object stores need beyond single exchanges: several at a time, bodies larger
/// than memory, and pauses between attempts. Thread-safe; calls block, so they run on I/O threads.
class StoreTransport : public Transport {
 public:
  /// Begins an exchange and returns at once; each takes memory for its bodies until it is
  /// destroyed, so the caller bounds how many there are.
  virtual std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) = 0;
  /// Begins a request (its `body` is not looked at) whose body follows; `timeout` is how long
  /// nothing may move.
  virtual std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) = 0;
  /// Waits: what stands between one attempt and the next.
  virtual void pause(Duration duration) = 0;
};

}  // namespace streamrun
