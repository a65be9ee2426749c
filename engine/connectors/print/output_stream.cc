#include <streamrun/connectors/print/output_stream.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>

#include <poll.h>
#include <unistd.h>

namespace streamrun {
namespace {

Error write_error(int reason) {
  if (reason == EPIPE) {
    return {
        .code = ErrorCode::cancelled, .message = "standard output was closed", .retry = Retry::no};
  }
  return {.code = reason == ENOSPC ? ErrorCode::store_full : ErrorCode::store_io,
          .message = "cannot write to standard output",
          .why = std::generic_category().message(reason),
          .retry = Retry::no};
}

/// Standard output may have been made non-blocking by whoever is at its other end.
void wait_until_writable(int descriptor) {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  ::poll(&wanted, 1, -1);
}

class StandardOutput final : public OutputStream {
 public:
  Result<void> write(std::string_view bytes) override {
    // Held by I/O threads only, so that lines of two subtasks do not mix.
    const std::lock_guard lock(mutex_);
    while (!bytes.empty()) {
      const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (count == 0) {
        return write_error(EIO);  // no progress and no reason
      } else if (errno == EAGAIN) {
        wait_until_writable(STDOUT_FILENO);
      } else if (errno != EINTR) {
        return write_error(errno);
      }
    }
    return {};
  }

 private:
  std::mutex mutex_;
};

}  // namespace

OutputStream& standard_output() {
  static StandardOutput output;
  return output;
}

}  // namespace streamrun
