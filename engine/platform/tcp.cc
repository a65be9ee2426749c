#include <streamrun/base/assert.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace streamrun {
namespace {

/// How long `accept` waits when the process has no descriptor left for a connection.
constexpr int kPauseMilliseconds = 100;
constexpr std::size_t kMostReadAway = std::size_t{64} << 10U;
constexpr int kBacklog = 16;

Error unavailable(std::string message, std::string why) {
  return {.code = ErrorCode::unavailable, .message = std::move(message), .why = std::move(why)};
}

Error failed(const char* call) {
  return unavailable(std::string("the connection broke: ") + call, std::strerror(errno));
}

int milliseconds_until(Instant deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - RealClock().now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0)
    return unavailable("no address of " + host + " is known", ::gai_strerror(status));
  return Addresses(found);
}

OwnDescriptor socket_for(const addrinfo& address) {
  return OwnDescriptor(::socket(
      address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
}

void answer_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

OwnDescriptor make_event() {
  OwnDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  SR_ASSERT(event.get() >= 0, "the kernel gives an eventfd");
  return event;
}

void set_event(int event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

}  // namespace

OwnDescriptor::~OwnDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

OwnDescriptor::OwnDescriptor(OwnDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnDescriptor& OwnDescriptor::operator=(OwnDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Result<TcpStream> TcpStream::connect(const std::string& host, std::uint16_t port,
                                     Duration timeout) {
  const Addresses addresses = SR_TRY(resolve(host, port, 0));
  const std::string where = host + ":" + std::to_string(port);
  Error last = unavailable("cannot connect to " + where, "no address");
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    TcpStream stream(socket_for(*each), -1);
    stream.expire_after(timeout);
    const int socket = stream.socket_.get();
    int reason = 0;
    if (::connect(socket, each->ai_addr, each->ai_addrlen) != 0) {
      reason = errno;
      if (reason == EINPROGRESS) {
        socklen_t size = sizeof reason;
        if (!stream.wait_for(POLLOUT)) {
          reason = ETIMEDOUT;
        } else if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size) != 0) {
          reason = errno;
        }
      }
    }
    if (reason == 0) {
      answer_at_once(socket);
      return stream;
    }
    last.why = std::strerror(reason);
  }
  return last;
}

void TcpStream::expire_after(Duration time) {
  deadline_ = RealClock().now() + time;
}

Result<void> TcpStream::wait_for(short events) {
  while (true) {
    std::array<pollfd, 2> watched = {pollfd{.fd = socket_.get(), .events = events, .revents = 0},
                                     pollfd{.fd = abort_, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(watched.data(), watched.size(), milliseconds_until(deadline_));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return failed("poll");
    if (ready == 0) return unavailable("the other side did not answer in its time", "");
    if (watched[1].revents != 0) return unavailable("the connection was given up", "");
    return {};
  }
}

Result<std::size_t> TcpStream::read(char* into, std::size_t size) {
  while (true) {
    SR_TRY(wait_for(POLLIN));
    const ssize_t count = ::recv(socket_.get(), into, size, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) return failed("recv");
  }
}

Result<void> TcpStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    SR_TRY(wait_for(POLLOUT));
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return failed("send");
    }
  }
  return {};
}

void TcpStream::finish() {
  ::shutdown(socket_.get(), SHUT_WR);
  std::array<char, 4096> unread{};
  std::size_t total = 0;
  while (total < kMostReadAway) {
    const Result<std::size_t> count = read(unread.data(), unread.size());
    if (!count || *count == 0) return;
    total += *count;
  }
}

Result<TcpListener> TcpListener::bind(const std::string& address, std::uint16_t port) {
  const Addresses addresses = SR_TRY(resolve(address, port, AI_PASSIVE));
  const addrinfo& first = *addresses;
  TcpListener listener;
  listener.socket_ = socket_for(first);
  const int socket = listener.socket_.get();
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket, first.ai_addr, first.ai_addrlen) != 0 || ::listen(socket, kBacklog) != 0) {
    return unavailable("cannot listen on " + address + ":" + std::to_string(port),
                       std::strerror(errno));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  auto* const named =
      reinterpret_cast<sockaddr*>(&bound);  // NOLINT: that is the sockets' interface
  if (::getsockname(socket, named, &size) != 0 ||
      ::getnameinfo(named, size, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return unavailable("the address of a socket is not known", std::strerror(errno));
  }
  listener.address_ = host.data();
  listener.port_ = static_cast<std::uint16_t>(std::stoi(service.data()));
  listener.closed_ = make_event();
  listener.aborted_ = make_event();
  return listener;
}

std::optional<TcpStream> TcpListener::accept() {
  while (true) {
    std::array<pollfd, 2> watched = {pollfd{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                                     pollfd{.fd = closed_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return std::nullopt;
    OwnDescriptor accepted(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (accepted.get() >= 0) {
      answer_at_once(accepted.get());
      return TcpStream(std::move(accepted), aborted_.get());
    }
    const bool lacks_resources =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (lacks_resources) ::poll(&watched[1], 1, kPauseMilliseconds);
  }
}

void TcpListener::close() const {
  set_event(closed_.get());
}

void TcpListener::abort() const {
  set_event(closed_.get());
  set_event(aborted_.get());
}

}  // namespace streamrun
