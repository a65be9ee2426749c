#include <streamrun/base/assert.h>
#include <streamrun/config/values.h>
#include <streamrun/rest/http_client.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include <event2/buffer.h>
#include <netdb.h>

#include "libevent.h"

namespace streamrun {
namespace {

Error no_address(std::string_view text, std::string why) {
  return {.code = ErrorCode::usage,
          .message = "no address of a running job: " + std::string(text.substr(0, 200)),
          .why = std::move(why),
          .tries = {"-m localhost:8081"},
          .retry = Retry::no};
}

std::string with_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string HttpAddress::url() const {
  return "http://" + with_brackets(host) + ":" + std::to_string(port) + path;
}

Result<HttpAddress> parse_http_address(std::string_view text) {
  std::string_view rest = text;
  constexpr std::string_view kScheme = "http://";
  if (rest.starts_with("https:")) return no_address(text, "TLS is not supported");
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  HttpAddress address;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) address.path = rest.substr(slash);
  while (address.path.ends_with('/')) address.path.pop_back();
  rest = rest.substr(0, slash);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return no_address(text, "it has the form host:port");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]") != std::string_view::npos)
    return no_address(text, "it has the form host:port");
  const Result<std::uint16_t> port = parse_port(rest.substr(colon + 1));
  if (!port) return no_address(text, "a port is a number from 1 to 65535");
  for (const std::string_view part : {host, std::string_view(address.path)}) {
    for (const char c : part) {
      if (c <= 0x20 || c >= 0x7f) return no_address(text, "it has a character that no address has");
    }
  }
  address.host = host;
  address.port = *port;
  return address;
}

namespace {

constexpr std::size_t kMaxResponseHeadBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxResponseBytes = std::size_t{8} << 20U;

/// libevent writes without MSG_NOSIGNAL; a server that closes early must not end the process.
class BrokenPipeBlocked {
 public:
  BrokenPipeBlocked() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~BrokenPipeBlocked() {
    const timespec at_once{.tv_sec = 0, .tv_nsec = 0};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  BrokenPipeBlocked(const BrokenPipeBlocked&) = delete;
  BrokenPipeBlocked& operator=(const BrokenPipeBlocked&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

using OwnConnection = std::unique_ptr<evhttp_connection, Release<evhttp_connection_free>>;

std::optional<evhttp_cmd_type> type_of(std::string_view method) {
  if (method == "GET") return EVHTTP_REQ_GET;
  if (method == "POST") return EVHTTP_REQ_POST;
  if (method == "PATCH") return EVHTTP_REQ_PATCH;
  if (method == "DELETE") return EVHTTP_REQ_DELETE;
  if (method == "PUT") return EVHTTP_REQ_PUT;
  if (method == "HEAD") return EVHTTP_REQ_HEAD;
  return std::nullopt;
}

Error unavailable(std::string message, std::string why) {
  return {.code = ErrorCode::unavailable, .message = std::move(message), .why = std::move(why)};
}

Error not_a_job(const char* why) {
  return unavailable("what answers there is not a running job", why);
}

/// One request to one address. evhttp calls back, at the latest when the connection is freed.
struct Attempt {
  event_base* base;
  bool was_sent = false;  // its first byte; until then the server has not acted
  bool is_over = false;
  int reason = ECONNREFUSED;  // evhttp tells of no other by calling back without an error
  std::optional<evhttp_request_error> failure = {};
  std::optional<HttpResponse> response = {};

  static void done(evhttp_request* request, void* of) {
    auto& self = *static_cast<Attempt*>(of);
    self.is_over = true;
    event_base_loopbreak(self.base);
    if (request == nullptr) return;
    const int status = evhttp_request_get_response_code(request);
    if (status == 0) return;
    self.response = {.status = status, .headers = headers_of(request), .body = take_body(request)};
  }
  static void failed(evhttp_request_error failure, void* of) {
    auto& self = *static_cast<Attempt*>(of);
    self.reason = errno;
    self.failure = failure;
  }
  static void sent(evbuffer*, const evbuffer_cb_info* info, void* of) {
    if (info->n_added > 0) static_cast<Attempt*>(of)->was_sent = true;
  }

  Error error(const std::string& where) const;
};

Error Attempt::error(const std::string& where) const {
  if (!is_over || failure == EVREQ_HTTP_TIMEOUT) {
    return was_sent ? unavailable("the other side did not answer in its time", "")
                    : unavailable("cannot connect to " + where, std::strerror(ETIMEDOUT));
  }
  if (!was_sent) return unavailable("cannot connect to " + where, std::strerror(reason));
  if (failure == EVREQ_HTTP_INVALID_HEADER) return not_a_job("its answer is not HTTP");
  if (failure == EVREQ_HTTP_DATA_TOO_LONG) return not_a_job("its answer is longer than 8 MiB");
  return not_a_job("its answer is cut short");
}

std::string numeric(const evutil_addrinfo& address) {
  std::array<char, NI_MAXHOST> host{};
  const int status = ::getnameinfo(address.ai_addr, address.ai_addrlen, host.data(), host.size(),
                                   nullptr, 0, NI_NUMERICHOST);
  return status == 0 ? host.data() : "";
}

evhttp_request* make_request(const HttpRequest& request, const std::string& host,
                             Attempt& attempt) {
  evhttp_request* const made = evhttp_request_new(&Attempt::done, &attempt);
  SR_ASSERT(made != nullptr, "there is memory for a request");
  evhttp_request_set_error_cb(made, &Attempt::failed);
  evkeyvalq* const headers = evhttp_request_get_output_headers(made);
  evhttp_add_header(headers, "Host", host.c_str());
  for (const auto& [name, value] : request.headers)
    evhttp_add_header(headers, name.c_str(), value.c_str());
  evhttp_add_header(headers, "Content-Length", std::to_string(request.body.size()).c_str());
  evhttp_add_header(headers, "Connection", "close");
  evbuffer_add(evhttp_request_get_output_buffer(made), request.body.data(), request.body.size());
  return made;
}

}  // namespace

Result<HttpResponse> HttpClient::exchange(const HttpRequest& request, Duration timeout) {
  HttpAddress address = SR_TRY(parse_http_address(request.url));
  if (address.path.empty()) address.path = "/";
  const auto type = type_of(request.method);
  if (!type) {
    return Error{.code = ErrorCode::usage,
                 .message = "HTTP has no method " + request.method.substr(0, 20),
                 .retry = Retry::no};
  }
  const std::string where = address.host + ":" + std::to_string(address.port);
  const std::string host = with_brackets(address.host) + ":" + std::to_string(address.port);
  const OwnAddresses found = SR_TRY(resolve(address.host, address.port, 0));
  const BrokenPipeBlocked blocked;
  const OwnEventBase base = make_event_base();
  // The deadline of all attempts together.
  const auto give_up = [](evutil_socket_t, short, void* of) {
    event_base_loopbreak(static_cast<event_base*>(of));
  };
  const OwnEvent deadline(evtimer_new(base.get(), give_up, base.get()));
  const timeval wait = timeval_of(timeout);
  SR_ASSERT(deadline != nullptr && evtimer_add(deadline.get(), &wait) == 0, "a timer is set");
  for (const evutil_addrinfo* each = found.get();; each = each->ai_next) {
    Attempt attempt{.base = base.get()};
    const OwnConnection connection(
        evhttp_connection_base_new(base.get(), nullptr, numeric(*each).c_str(), address.port));
    SR_ASSERT(connection != nullptr, "there is memory for a connection");
    evhttp_connection_set_timeout_tv(connection.get(), &wait);
    evhttp_connection_set_max_headers_size(connection.get(), kMaxResponseHeadBytes);
    evhttp_connection_set_max_body_size(connection.get(), kMaxResponseBytes);
    evbuffer_add_cb(bufferevent_get_output(evhttp_connection_get_bufferevent(connection.get())),
                    &Attempt::sent, &attempt);
    evhttp_make_request(connection.get(), make_request(request, host, attempt), *type,
                        address.path.c_str());
    // A connection can fail before the loop runs.
    if (!attempt.is_over) event_base_dispatch(base.get());
    if (attempt.response) return *std::move(attempt.response);
    const bool has_time = evtimer_pending(deadline.get(), nullptr) != 0;
    if (attempt.was_sent || !has_time || each->ai_next == nullptr) return attempt.error(where);
  }
}

}  // namespace streamrun
