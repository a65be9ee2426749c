#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/transport.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace streamrun {

/// HTTP/1.1 as far as the running job needs it: one request and one answer a connection, bodies of
/// a declared length. Written here because the libraries that there are read a request of any size
/// from a client of any slowness, and load the whole of OpenSSL at each start of the program.

/// What a client may send: more is refused before it is kept.
constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 10U;
constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxRequestBodyBytes = std::size_t{64} << 10U;
/// What a server may answer.
constexpr std::size_t kMaxResponseBytes = std::size_t{8} << 20U;

/// A request as a server sees it.
struct ReceivedRequest {
  std::string method;   ///< upper case
  std::string path;     ///< begins with `/`, as it was written
  std::string query;    ///< what follows `?`, as it was written
  HttpHeaders headers;  ///< names in lower case
  std::string body;

  /// The value of a header that was sent once; empty if there is none.
  std::string header(std::string_view lower_case_name) const;
  /// The value of `name=value` in the query; empty if there is none.
  std::string parameter(std::string_view name) const;
};

/// Takes the bytes of one request in any portions. Bytes after its end are ignored.
class RequestParser {
 public:
  enum class State { incomplete, complete, refused };
  /// After `complete` or `refused` it takes nothing more.
  State take(std::string_view bytes);
  const ReceivedRequest& request() const { return request_; }  ///< once complete
  int status() const { return status_; }                       ///< of the answer, once refused
  const std::string& why() const { return why_; }              ///< once refused

 private:
  State parse_head(std::string_view head);
  State parse_request_line(std::string_view line);
  State refuse(int status, std::string why);

  std::string bytes_;
  ReceivedRequest request_;
  bool has_head_ = false;
  std::size_t body_bytes_ = 0;
  State state_ = State::incomplete;
  int status_ = 0;
  std::string why_;
};

/// The bytes of an answer that ends its connection; `body` is JSON.
std::string response_bytes(int status, std::string_view body);

/// The bytes of a request to `host`; `target` is path and query.
std::string request_bytes(const HttpRequest& request, std::string_view host,
                          std::string_view target);

/// A whole answer: all that came until the server closed the connection. E-UNAVAILABLE if it is cut
/// short or is not HTTP.
Result<HttpResponse> parse_response(std::string_view bytes);

}  // namespace streamrun
