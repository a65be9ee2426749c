#include "libevent.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>

namespace streamrun {

OwnEventBase make_event_base() {
  // Both are the same for all loops of the process.
  event_set_log_callback([](int, const char*) {});
  event_set_fatal_callback([](int) { SR_ASSERT(false, "libevent met an impossible state"); });
  OwnEventBase base(event_base_new());
  SR_ASSERT(base != nullptr, "the kernel gives a descriptor to wait for events with");
  return base;
}

Result<OwnAddresses> resolve(const std::string& host, std::uint16_t port, int flags) {
  evutil_addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | EVUTIL_AI_NUMERICSERV;
  evutil_addrinfo* found = nullptr;
  const int status = evutil_getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) {
    return Error{.code = ErrorCode::unavailable,
                 .message = "no address of " + host + " is known",
                 .why = evutil_gai_strerror(status)};
  }
  return OwnAddresses(found);
}

timeval timeval_of(Duration duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  const auto rest = std::chrono::ceil<std::chrono::microseconds>(duration - seconds);
  return {.tv_sec = static_cast<time_t>(seconds.count()),
          .tv_usec = static_cast<suseconds_t>(rest.count())};
}

HttpHeaders headers_of(evhttp_request* request) {
  HttpHeaders headers;
  const evkeyvalq* const all = evhttp_request_get_input_headers(request);
  for (const evkeyval* each = all->tqh_first; each != nullptr; each = each->next.tqe_next)
    headers.emplace_back(to_lower_ascii(each->key), each->value);
  return headers;
}

std::string take_body(evhttp_request* request) {
  evbuffer* const buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_remove(buffer, body.data(), body.size());
  return body;
}

}  // namespace streamrun
