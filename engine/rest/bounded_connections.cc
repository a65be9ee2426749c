#include "bounded_connections.h"

#include <streamrun/base/assert.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

/// What a client has sent and nobody has read yet: more than the largest request, less than would
/// matter when it sends on while it is answered.
constexpr std::size_t kMostUnreadBytes = std::size_t{128} << 10U;

/// evhttp takes its callbacks away from what it lets go of.
bool is_used(bufferevent* socket) {
  bufferevent_event_cb on_event = nullptr;
  bufferevent_getcb(socket, nullptr, nullptr, &on_event, nullptr);
  return on_event != nullptr;
}

}  // namespace

BoundedConnections::BoundedConnections(event_base* base, std::size_t most, Duration time_to_ask)
    : base_(base), most_(most), time_to_ask_(time_to_ask) {}

BoundedConnections::~BoundedConnections() {
  SR_ASSERT(sweep() == 0, "evhttp has let go of all connections");
}

bufferevent* BoundedConnections::open() {
  const std::size_t others = sweep();
  bufferevent* const socket = bufferevent_socket_new(base_, -1, 0);
  if (socket == nullptr) return nullptr;
  bufferevent_setwatermark(socket, EV_READ, 0, kMostUnreadBytes);
  bufferevent_incref(socket);
  Connection& added = connections_.emplace_back(Connection{.socket = socket, .deadline = nullptr});
  added.deadline.reset(evtimer_new(base_, &BoundedConnections::expire, &added));
  SR_ASSERT(added.deadline != nullptr, "there is memory for a timer");
  expire_after(socket, others < most_ ? time_to_ask_ : Duration::zero());
  return socket;
}

void BoundedConnections::expire(evutil_socket_t, short, void* connection) {
  bufferevent* const socket = static_cast<Connection*>(connection)->socket;
  if (is_used(socket)) bufferevent_trigger_event(socket, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
}

BoundedConnections::Connection* BoundedConnections::find(bufferevent* connection) {
  const auto found =
      std::find_if(connections_.begin(), connections_.end(),
                   [&](const Connection& each) { return each.socket == connection; });
  return found == connections_.end() ? nullptr : &*found;
}

void BoundedConnections::expire_after(bufferevent* connection, Duration time) {
  const timeval wait = timeval_of(time);
  if (const Connection* const found = find(connection)) evtimer_add(found->deadline.get(), &wait);
}

void BoundedConnections::never_expire(bufferevent* connection) {
  if (const Connection* const found = find(connection)) evtimer_del(found->deadline.get());
}

std::size_t BoundedConnections::sweep() {
  connections_.remove_if([](const Connection& each) {
    if (is_used(each.socket)) return false;
    bufferevent_decref(each.socket);
    return true;
  });
  return connections_.size();
}

}  // namespace streamrun
