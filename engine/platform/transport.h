#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>

#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Name and value, in the order in which they are sent or came; a name may come more than once.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< absolute, with scheme, already percent-encoded
  HttpHeaders headers = {};
  std::string body = {};
  /// A response whose body is longer is broken off: E-UNAVAILABLE.
  std::size_t most_response_bytes = std::size_t{8} << 20U;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers = {};  ///< names in lower case
  std::string body = {};
};

/// HTTP, as the clients of object stores see it: the seam at which a simulated server takes the
/// place of the network. Thread-safe; calls block, so they run on I/O threads.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Sends one request and waits for the whole response, at most `timeout`. Follows no redirect and
  /// repeats nothing that was answered: the protocols above decide that (a kept connection that was
  /// closed meanwhile may have a request sent again). Every response that arrives whole is a
  /// value, whatever its status. E-UNAVAILABLE otherwise (no connection, time-out, half a
  /// response), and then the server may or may not have acted.
  virtual Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) = 0;
};

}  // namespace streamrun
