#pragma once

#include <streamrun/platform/clock.h>

#include <cstddef>
#include <list>

#include "libevent.h"

namespace streamrun {

/// The connections of an evhttp server, bounded in number and in time: evhttp itself takes any
/// number, and waits anew for each byte of a slow client. All calls on the thread of the loop.
///
/// Each connection is kept alive here until `sweep` finds that evhttp has let go of it. So sweep
/// after each turn of the loop; `open` does it before the descriptor of the new one is watched,
/// which may be that of one just closed.
class BoundedConnections {
 public:
  /// A connection has `time_to_ask` for its request; one above `most` is closed at once.
  BoundedConnections(event_base* base, std::size_t most, Duration time_to_ask);
  /// evhttp must have gone before.
  ~BoundedConnections();
  BoundedConnections(const BoundedConnections&) = delete;
  BoundedConnections& operator=(const BoundedConnections&) = delete;

  /// What evhttp is to use for the connection that it has just accepted; null: no memory.
  bufferevent* open();
  /// It is closed at this time from now, whatever its state.
  void expire_after(bufferevent* connection, Duration time);
  /// It is not closed for its slowness until `expire_after` is called.
  void never_expire(bufferevent* connection);
  /// Forgets those that evhttp has closed; how many are left.
  std::size_t sweep();

 private:
  struct Connection {
    bufferevent* socket;
    OwnEvent deadline;
  };
  static void expire(evutil_socket_t, short, void* connection);
  Connection* find(bufferevent* connection);

  event_base* const base_;
  const std::size_t most_;
  const Duration time_to_ask_;
  std::list<Connection> connections_;
};

}  // namespace streamrun
