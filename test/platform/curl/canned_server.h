#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace streamrun {

/// A server on loopback that treats one connection after another as `serve` says; `serve` closes
/// nothing.
class CannedServer {
 public:
  explicit CannedServer(std::function<void(int)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_, generic, length) == 0 && ::listen(listener_, 16) == 0 &&
                         ::getsockname(listener_, generic, &length) == 0;
    if (!listens) std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CannedServer() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }

 private:
  void run() {
    while (true) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (ending_ || connection < 0) return;
      ++connections_;
      serve_(connection);
      ::close(connection);
    }
  }

  const std::function<void(int)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

/// More of what comes; false at its end.
inline bool read_more(int connection, std::string& text) {
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(connection, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  text.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

inline void write_text(int connection, const std::string& text) {
  for (std::size_t from = 0; from < text.size();) {
    const ssize_t count = ::send(connection, text.data() + from, text.size() - from, MSG_NOSIGNAL);
    if (count <= 0) return;
    from += static_cast<std::size_t>(count);
  }
}

/// One request: its head, and the rest of what came with it. Empty at the end.
inline std::pair<std::string, std::string> read_head(int connection) {
  std::string text;
  while (text.find("\r\n\r\n") == std::string::npos) {
    if (!read_more(connection, text)) return {};
  }
  const std::size_t end = text.find("\r\n\r\n") + 4;
  return {text.substr(0, end), text.substr(end)};
}

}  // namespace streamrun
