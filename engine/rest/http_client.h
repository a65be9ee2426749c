#pragma once

#include <streamrun/platform/transport.h>

#include <string>
#include <string_view>

namespace streamrun {

/// Plain HTTP over TCP (libevent's evhttp), a connection for each exchange: what commands talk to a
/// running job with. Tries the addresses of a name in turn until one takes the connection. `https`,
/// and a method that HTTP does not have, are E-USAGE; an answer of more than 8 MiB is
/// E-UNAVAILABLE.
class HttpClient final : public Transport {
 public:
  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override;
};

/// Where a server is.
struct HttpAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string path;  ///< what stands before every path, without a slash at its end; often empty

  /// `http://host:port/path`
  std::string url() const;
};

/// `host:port`, `http://host:port` or that with a path. E-USAGE, also for `https`.
Result<HttpAddress> parse_http_address(std::string_view text);

}  // namespace streamrun
