#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>
#include <streamrun/platform/transport.h>

#include <cstdint>
#include <memory>
#include <string>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>

namespace streamrun {

/// libevent's objects with their owners, and what its server and its client both need of it.

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
using OwnEventBase = std::unique_ptr<event_base, Release<event_base_free>>;
using OwnEvent = std::unique_ptr<event, Release<event_free>>;
using OwnAddresses = std::unique_ptr<evutil_addrinfo, Release<evutil_freeaddrinfo>>;

/// A loop of its own, for one thread. What libevent would print is not printed: a failed call says
/// it again; what it holds to be impossible ends the process as our own assertions do.
OwnEventBase make_event_base();

/// The addresses of `host`, a name or a numeric address; never empty. Blocks as long as the
/// resolver does. E-UNAVAILABLE.
Result<OwnAddresses> resolve(const std::string& host, std::uint16_t port, int flags);

timeval timeval_of(Duration duration);

/// All headers of a message, names in lower case.
HttpHeaders headers_of(evhttp_request* request);
/// Takes the body out of a message.
std::string take_body(evhttp_request* request);

}  // namespace streamrun
