#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace streamrun::test {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A connection as hostile as a test wants it. Calls block, at most 30 seconds.
class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  static RawSocket connect(std::uint16_t port) {
    RawSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = loopback(port);
    REQUIRE(::connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return socket;
  }
  /// Whether all bytes went out.
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Nothing more comes from this side.
  void finish() const { ::shutdown(descriptor_, SHUT_WR); }
  /// What came up to the end of `mark`, or all that came before the other side closed.
  std::string read_until(std::string_view mark) const {
    std::string bytes;
    char byte = 0;
    while ((mark.empty() || !bytes.ends_with(mark)) && ::recv(descriptor_, &byte, 1, 0) == 1)
      bytes += byte;
    return bytes;
  }
  std::string read_all() const { return read_until(""); }

 private:
  int descriptor_;
};

/// Listens on a free port of 127.0.0.1.
class RawListener {
 public:
  RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const named = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(descriptor_, named, size) == 0);
    REQUIRE(::listen(descriptor_, 16) == 0);
    REQUIRE(::getsockname(descriptor_, named, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~RawListener() { ::close(descriptor_); }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  std::uint16_t port() const { return port_; }
  RawSocket accept() const { return RawSocket(::accept(descriptor_, nullptr, nullptr)); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace streamrun::test
