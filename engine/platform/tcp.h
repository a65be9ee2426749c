#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace streamrun {

/// A file descriptor that is closed with it.
class OwnDescriptor {
 public:
  explicit OwnDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~OwnDescriptor();
  OwnDescriptor(OwnDescriptor&& other) noexcept;
  OwnDescriptor& operator=(OwnDescriptor&& other) noexcept;
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// One TCP connection, for one thread at a time. Calls block, never longer than `expire_after`
/// allows: a peer that is slow on purpose gains nothing. Errors are E-UNAVAILABLE.
class TcpStream {
 public:
  /// The first address of `host` (a name or an address) that answers within `timeout`, which is
  /// also how long all later calls may take together.
  static Result<TcpStream> connect(const std::string& host, std::uint16_t port, Duration timeout);

  /// All reads and writes from now on may take this long together.
  void expire_after(Duration time);
  /// At least one byte, at most `size`; 0: the peer has sent everything.
  Result<std::size_t> read(char* into, std::size_t size);
  Result<void> write(std::string_view bytes);
  /// Says that nothing more comes, and reads away up to 64 KiB that the peer still sends: to close
  /// with unread bytes would be a reset, which can take from the peer what was written before.
  void finish();

 private:
  friend class TcpListener;
  /// With `abort`, a descriptor that becomes readable when all calls are to fail; -1: none.
  TcpStream(OwnDescriptor socket, int abort) : socket_(std::move(socket)), abort_(abort) {}
  Result<void> wait_for(short events);

  OwnDescriptor socket_;
  int abort_;
  Instant deadline_{};
};

/// A listening socket.
class TcpListener {
 public:
  /// `address` is a numeric address or a name; port 0 takes any free one. E-UNAVAILABLE with the
  /// system's reason when that one is taken or is none of this machine's.
  static Result<TcpListener> bind(const std::string& address, std::uint16_t port);

  std::uint16_t port() const { return port_; }
  /// The address bound, numeric.
  const std::string& address() const { return address_; }
  /// Waits for the next connection; nothing once `close` was called. One thread.
  std::optional<TcpStream> accept();
  /// No connection is accepted any more; those that there are go on. Any thread.
  void close() const;
  /// `accept` and all calls of accepted streams end at once. Any thread. The listener must outlive
  /// its streams.
  void abort() const;

 private:
  TcpListener() = default;
  OwnDescriptor socket_;
  OwnDescriptor closed_;   // an eventfd, readable from `close` on
  OwnDescriptor aborted_;  // an eventfd, readable from `abort` on
  std::uint16_t port_ = 0;
  std::string address_;
};

}  // namespace streamrun
