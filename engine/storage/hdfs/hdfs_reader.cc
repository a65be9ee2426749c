#include "hdfs_reader.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "name_nodes.h"
#include "webhdfs_error.h"

namespace streamrun {
namespace {

constexpr std::size_t kWindowBytes = std::size_t{8} << 20U;
constexpr std::size_t kWindows = 2;
/// The least that is fetched at once: a footer and the index in front of it, or a file's head.
constexpr std::size_t kLeastBytes = std::size_t{64} << 10U;
/// A read of so much is one of several in a row.
constexpr std::size_t kLargeBytes = std::size_t{256} << 10U;
/// How far from the end of the last read the next one in a row may begin: readers of lines look at
/// a little more than they use.
constexpr std::uint64_t kSlackBytes = std::uint64_t{16} << 10U;
/// Reads elsewhere after which a window is given up.
constexpr int kMostMisses = 8;

/// Ranges of one file: each from the data node that served the last one, or from that which the
/// name node names. Thread-safe.
class HdfsRanges {
 public:
  HdfsRanges(HdfsName name, const WebHdfsStatus& status)
      : name_(std::move(name)), block_bytes_(status.block_size), size_(status.length) {}

  const std::string& where() const { return name_.where; }
  std::uint64_t size() const { return size_; }

  /// Begins to fetch, if it takes no question to the name node; else null.
  std::unique_ptr<HttpExchange> start(std::uint64_t offset, std::size_t length) {
    const std::string server = known_server(offset);
    if (server.empty()) return nullptr;
    return name_.nodes->transport().start(request_of(server, offset, length),
                                          name_.nodes->settings().request_timeout);
  }

  /// The bytes, by way of what was started, if that went well.
  Result<std::string> fetch(std::uint64_t offset, std::size_t length,
                            std::unique_ptr<HttpExchange> started) {
    NameNodes& nodes = *name_.nodes;
    Backoff backoff = nodes.backoff();
    Fate fate = Fate::unknown;
    std::set<std::string> dead;
    if (started == nullptr) started = start(offset, length);
    if (started != nullptr) {  // its failure only says to ask the name node again
      Result<std::string> bytes = bytes_of(started->wait(), "the data node", length, fate);
      if (bytes) return bytes;
      forget_server();
    }
    while (true) {
      const std::string url = SR_TRY(nodes.data_node_for(
          {.op = "OPEN", .path = name_.path, .query = range(offset, length), .where = name_.where},
          dead));
      Result<std::string> bytes =
          bytes_of(nodes.transport().exchange(
                       {.url = url, .most_response_bytes = std::max(length, kLeastBytes)},
                       nodes.settings().request_timeout),
                   url, length, fate);
      if (bytes) remember_server(url, offset);
      if (bytes || bytes.error().code == ErrorCode::path) return bytes;
      dead.insert(host_of(url));
      const bool is_more =
          is_undone(fate) ? backoff.again_undone(nodes.patience()) : backoff.again();
      if (!is_more) return bytes;
    }
  }

 private:
  static std::string range(std::uint64_t offset, std::size_t length) {
    return "&offset=" + std::to_string(offset) + "&length=" + std::to_string(length);
  }
  static HttpRequest request_of(const std::string& url, std::uint64_t offset, std::size_t length) {
    return {.url = url + range(offset, length),
            .most_response_bytes = std::max(length, kLeastBytes)};
  }

  Result<std::string> bytes_of(Result<HttpResponse> response, const std::string& url,
                               std::size_t length, Fate& fate) const {
    fate = Fate::unknown;
    if (response && response->status == 200) {
      if (response->body.size() == length) return std::move(response->body);
      return Error{.code = ErrorCode::unavailable,
                   .message = server_of(url) + " sends " + std::to_string(response->body.size()) +
                              " bytes of " + std::to_string(length),
                   .where = name_.where};
    }
    JudgedAnswer judged = judge(std::move(response), url, name_.where);
    fate = judged.fate;
    if (judged.fate != Fate::answered) return std::move(judged.error);
    if (judged.answer.exception) return error_of(*judged.answer.exception, name_.where);
    return Error{.code = ErrorCode::unavailable,
                 .message = server_of(url) + " sends on what the name node has sent to it",
                 .where = name_.where};
  }

  std::string known_server(std::uint64_t offset) {
    const std::lock_guard lock(mutex_);
    return offset >= server_begin_ && offset < server_end_ ? server_ : std::string();
  }
  void forget_server() {
    const std::lock_guard lock(mutex_);
    server_.clear();
  }
  /// Good for the block that it was asked for: another one may lie elsewhere.
  void remember_server(const std::string& url, std::uint64_t offset) {
    const std::size_t query = url.find('?');
    if (query == std::string::npos) return;
    std::string kept = url.substr(0, query);
    char separator = '?';
    for (const std::string& parameter : split(url.substr(query + 1), '&')) {
      if (parameter.starts_with("offset=") || parameter.starts_with("length=")) continue;
      kept += separator + parameter;
      separator = '&';
    }
    const std::uint64_t block = block_bytes_ == 0 ? kWindowBytes : block_bytes_;
    const std::lock_guard lock(mutex_);
    server_ = std::move(kept);
    server_begin_ = offset - offset % block;
    server_end_ = server_begin_ + block;
  }

  const HdfsName name_;
  const std::uint64_t block_bytes_;
  const std::uint64_t size_;
  // guarded by mutex_
  std::mutex mutex_;
  std::string server_;  ///< a URL without offset and length; empty: not known
  std::uint64_t server_begin_ = 0;
  std::uint64_t server_end_ = 0;
};

/// A piece of the file that is fetched once. Its first reader waits for the network, others for it.
class Window {
 public:
  Window(std::uint64_t offset, std::size_t length, std::unique_ptr<HttpExchange> started)
      : offset_(offset), length_(length), started_(std::move(started)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t end() const { return offset_ + length_; }
  bool holds(std::uint64_t at) const { return at >= offset_ && at < end(); }

  /// Copies what it has from `at` on; the count.
  Result<std::size_t> copy(HdfsRanges& ranges, std::uint64_t at, char* into, std::size_t length) {
    const std::lock_guard lock(mutex_);
    if (!is_there_) {
      bytes_ = SR_TRY(ranges.fetch(offset_, length_, std::move(started_)));
      is_there_ = true;
    }
    return bytes_.copy(into, length, at - offset_);
  }

 private:
  const std::uint64_t offset_;
  const std::size_t length_;
  // guarded by mutex_
  std::mutex mutex_;
  std::unique_ptr<HttpExchange> started_;
  std::string bytes_;
  bool is_there_ = false;
};

class HdfsReadableFile final : public ReadableFile {
 public:
  HdfsReadableFile(HdfsName name, const WebHdfsStatus& status) : ranges_(std::move(name), status) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    if (offset >= size()) return std::size_t{0};
    length = static_cast<std::size_t>(std::min<std::uint64_t>(length, size() - offset));
    std::size_t filled = 0;
    while (filled < length) {
      const std::uint64_t at = offset + filled;
      const std::shared_ptr<Window> window = window_for(at, length - filled);
      filled += SR_TRY(window->copy(ranges_, at, into + filled, length - filled));
    }
    return filled;
  }
  std::uint64_t size() const override { return ranges_.size(); }

 private:
  /// Windows live as long as somebody reads in them, also when they are no longer kept.
  struct Kept {
    std::shared_ptr<Window> window;
    std::uint64_t used = 0;  ///< the end of what was read of it
    int misses = 0;          ///< reads elsewhere since
  };

  std::shared_ptr<Window> window_for(std::uint64_t at, std::size_t length) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t end = at + length;
    const bool in_a_row = at + kSlackBytes >= last_end_ && at <= last_end_ + kSlackBytes;
    last_end_ = end;
    for (Kept& kept : windows_) {
      if (!kept.window->holds(at)) continue;
      kept.used = std::max(kept.used, std::min(end, kept.window->end()));
      kept.misses = 0;
      std::shared_ptr<Window> window = kept.window;
      // The end of the window before is read until then: lines begin there.
      if (kept.used - window->offset() > kSlackBytes) read_ahead(window->end());
      return window;
    }
    if (small_ != nullptr && small_->holds(at)) return small_;
    for (Kept& kept : windows_) ++kept.misses;
    if (size() > kLeastBytes && (length >= kLargeBytes || in_a_row) && make_room()) {
      windows_.push_back({.window = make_window(at, kWindowBytes), .used = end, .misses = 0});
      return windows_.back().window;
    }
    if (length > kLeastBytes) return make_window(at, length);
    // Near the end the bytes in front of it are the ones that are asked for next.
    const std::uint64_t begin =
        std::min<std::uint64_t>(at, size() - std::min<std::uint64_t>(size(), kLeastBytes));
    return small_ = make_window(begin, kLeastBytes);
  }

  std::shared_ptr<Window> make_window(std::uint64_t begin, std::size_t most) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(most, size() - begin));
    return std::make_shared<Window>(begin, length, nullptr);
  }

  void read_ahead(std::uint64_t begin) {
    if (begin >= size()) return;
    for (const Kept& kept : windows_) {
      if (kept.window->holds(begin)) return;
    }
    if (windows_.size() == kWindows && !make_room()) return;
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, size() - begin));
    std::unique_ptr<HttpExchange> started = ranges_.start(begin, length);
    if (started == nullptr) return;
    windows_.push_back(
        {.window = std::make_shared<Window>(begin, length, std::move(started)), .used = begin});
  }

  /// Gives up a window that is read to its end or forgotten; false if both are in use.
  bool make_room() {
    if (windows_.size() < kWindows) return true;
    for (auto it = windows_.begin(); it != windows_.end(); ++it) {
      if (it->used < it->window->end() && it->misses < kMostMisses) continue;
      windows_.erase(it);
      return true;
    }
    return false;
  }

  HdfsRanges ranges_;
  // guarded by mutex_
  std::mutex mutex_;
  std::vector<Kept> windows_;
  std::shared_ptr<Window> small_;
  std::uint64_t last_end_ = UINT64_MAX / 2;  ///< of the last read; nothing is near it
};

}  // namespace

std::unique_ptr<ReadableFile> open_hdfs_file(const HdfsName& name, const WebHdfsStatus& status) {
  return std::make_unique<HdfsReadableFile>(name, status);
}

}  // namespace streamrun
