#include "s3_reader.h"

#include <algorithm>
#include <deque>
#include <list>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "content_range.h"

namespace streamrun {
namespace {

/// What the first exchange brings: all of most files, and the beginning of the others.
constexpr std::size_t kFirstBytes = std::size_t{1} << 20U;
constexpr std::size_t kWindowBytes = std::size_t{8} << 20U;
/// Around a place that is not read on from another: an index, one block of it.
constexpr std::size_t kSingleBytes = std::size_t{256} << 10U;
/// Threads that share a file ask a little out of order.
constexpr std::size_t kMostLoaded = 2;
/// On their way at the same time, for who reads on and on: one connection has less than the
/// network.
constexpr std::size_t kMostAhead = 4;
/// Room for the text of an error.
constexpr std::size_t kErrorBytes = std::size_t{64} << 10U;

/// A piece of the object in memory, or on its way.
struct Window {
  std::uint64_t begin = 0;
  std::string bytes;
  TransferBudget::Lease lease;

  std::uint64_t end() const { return begin + bytes.size(); }
  bool holds(std::uint64_t offset) const { return offset >= begin && offset < end(); }
};

struct Ahead {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  S3Request request;
  std::unique_ptr<HttpExchange> exchange;
  TransferBudget::Lease lease;
};

S3Request range_request(const S3Place& place, std::uint64_t begin, std::uint64_t end) {
  return {.what = "read the object",
          .where = place.path,
          .bucket = place.bucket,
          .key = place.key,
          .headers = {{"range", fmt::format("bytes={}-{}", begin, end - 1)}},
          .most_response_bytes = static_cast<std::size_t>(end - begin) + kErrorBytes,
          .moved_bytes = end - begin};
}

Error other_bytes(const S3Place& place, const S3Client& client) {
  return {.code = ErrorCode::unavailable,
          .message = fmt::format("cannot read the object: {} sent other bytes than those asked for",
                                 client.host_of(place.bucket)),
          .where = place.path};
}

Error changed(const S3Place& place) {
  return {.code = ErrorCode::store_io,
          .message = "the object was replaced while it was read",
          .where = place.path,
          .retry = Retry::no};
}

class S3Reader final : public ReadableFile {
 public:
  S3Reader(S3Objects& objects, TransferBudget& budget, S3Place place, std::string etag,
           std::uint64_t size, std::string first)
      : client_(objects.client()),
        budget_(budget),
        place_(std::move(place)),
        etag_(std::move(etag)),
        size_(size) {
    loaded_.push_front({.begin = 0, .bytes = std::move(first), .lease = {}});
  }

  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    const std::lock_guard lock(mutex_);
    std::size_t filled = 0;
    while (filled < length && offset + filled < size_) {
      const Window* window = find(offset + filled);
      if (window == nullptr) window = SR_TRY(load(offset + filled, length - filled));
      filled += copy(*window, offset + filled, into + filled, length - filled);
    }
    return filled;
  }

  bool read_now(std::uint64_t offset, char* into, std::size_t length) override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return false;  // somebody waits for the network there
    std::size_t filled = 0;
    while (filled < length) {
      const Window* const window = find(offset + filled);
      if (window == nullptr) return false;
      filled += copy(*window, offset + filled, into + filled, length - filled);
    }
    return true;
  }

  std::uint64_t size() const override { return size_; }

 private:
  static std::size_t copy(const Window& window, std::uint64_t offset, char* into,
                          std::size_t length) {
    const auto at = static_cast<std::size_t>(offset - window.begin);
    const std::size_t count = std::min(length, window.bytes.size() - at);
    return window.bytes.copy(into, count, at);
  }

  const Window* find(std::uint64_t offset) {
    for (auto window = loaded_.begin(); window != loaded_.end(); ++window) {
      if (!window->holds(offset)) continue;
      loaded_.splice(loaded_.begin(), loaded_, window);  // the last to be forgotten
      return &loaded_.front();
    }
    return nullptr;
  }

  Result<const Window*> load(std::uint64_t offset, std::size_t length) {
    const auto ahead = std::find_if(ahead_.begin(), ahead_.end(), [&](const Ahead& piece) {
      return offset >= piece.begin && offset < piece.end;
    });
    if (ahead != ahead_.end()) {
      Ahead piece = std::move(*ahead);
      ahead_.erase(ahead);
      // Another thread may come for the one just before; who skips more does not come back.
      while (!ahead_.empty() && ahead_.front().end < piece.begin) ahead_.pop_front();
      most_ahead_ = std::min(most_ahead_ + 1, kMostAhead);
      read_on(piece.end);
      keep(SR_TRY(take(std::move(piece))));
      return &loaded_.front();
    }
    const std::optional<std::uint64_t> sequential = end_before(offset);
    if (!sequential) {
      keep(SR_TRY(fetch_single(offset, length)));
      return &loaded_.front();
    }
    ahead_.clear();  // of another place
    most_ahead_ = 1;
    const std::uint64_t end = std::min(size_, *sequential + kWindowBytes);
    TransferBudget::Lease lease = budget_.try_take(static_cast<std::size_t>(end - *sequential));
    if (!lease) {
      keep(SR_TRY(fetch_single(offset, std::max(length, kFirstBytes))));
      return &loaded_.front();
    }
    keep(SR_TRY(fetch(*sequential, end, std::move(lease))));
    read_on(end);
    return &loaded_.front();
  }

  /// The end of a loaded window that `offset` goes on from.
  std::optional<std::uint64_t> end_before(std::uint64_t offset) const {
    for (const Window& window : loaded_) {
      if (offset >= window.end() && offset < window.end() + kWindowBytes / 2) return window.end();
    }
    return std::nullopt;
  }

  /// At least `length` bytes at `offset`, and what stands before them where the object ends.
  Result<Window> fetch_single(std::uint64_t offset, std::size_t length) {
    const std::uint64_t wanted = std::clamp<std::uint64_t>(length, kSingleBytes, kWindowBytes);
    const std::uint64_t end = std::min(size_, offset + wanted);
    const std::uint64_t begin = std::min(offset, end - std::min(end, wanted));
    return fetch(begin, end, {});
  }

  Result<Window> fetch(std::uint64_t begin, std::uint64_t end, TransferBudget::Lease lease) {
    S3Request request = request_of(begin, end);
    std::string bytes = SR_TRY(client_.repeat([&]() -> Result<std::string> {
      return checked(client_.once(request), request, begin, end);
    }));
    return Window{.begin = begin, .bytes = std::move(bytes), .lease = std::move(lease)};
  }

  Result<Window> take(Ahead ahead) {
    const Result<HttpResponse> answer = ahead.exchange->wait();
    ahead.exchange.reset();
    if (answer && answer->status == 206) {
      Result<std::string> bytes = checked(answer, ahead.request, ahead.begin, ahead.end);
      if (bytes) {
        return Window{
            .begin = ahead.begin, .bytes = *std::move(bytes), .lease = std::move(ahead.lease)};
      }
    }
    return fetch(ahead.begin, ahead.end, std::move(ahead.lease));
  }

  /// Begins to read what follows `begin`, and what is on its way from there, as far as there is
  /// memory for it.
  void read_on(std::uint64_t begin) {
    if (!ahead_.empty()) begin = ahead_.back().end;
    while (ahead_.size() < most_ahead_ && begin < size_) {
      const std::uint64_t end = std::min(size_, begin + kWindowBytes);
      TransferBudget::Lease lease = budget_.try_take(static_cast<std::size_t>(end - begin));
      if (!lease) return;
      ahead_.push_back({.begin = begin,
                        .end = end,
                        .request = request_of(begin, end),
                        .exchange = nullptr,
                        .lease = std::move(lease)});
      ahead_.back().exchange = client_.start(ahead_.back().request);
      begin = end;
    }
  }

  void keep(Window window) {
    loaded_.push_front(std::move(window));
    if (loaded_.size() > kMostLoaded) loaded_.pop_back();
  }

  S3Request request_of(std::uint64_t begin, std::uint64_t end) const {
    S3Request request = range_request(place_, begin, end);
    request.headers.emplace_back("if-match", etag_);
    return request;
  }

  /// The bytes of an answer, if they are those of the object that was opened.
  Result<std::string> checked(Result<HttpResponse> answer, const S3Request& request,
                              std::uint64_t begin, std::uint64_t end) const {
    HttpResponse response = SR_TRY(std::move(answer));
    if (response.status == 412) return changed(place_);
    if (response.status / 100 != 2) return client_.error_of(response, request);
    const auto range = parse_content_range(header_of(response, "content-range"));
    const bool is_asked = response.status == 206 && range && range->begin == begin &&
                          range->size == size_ && response.body.size() == end - begin;
    if (!is_asked) return other_bytes(place_, client_);
    if (header_of(response, "etag") != etag_) return changed(place_);
    return std::move(response.body);
  }

  S3Client& client_;
  TransferBudget& budget_;
  const S3Place place_;
  const std::string etag_;
  const std::uint64_t size_;

  std::mutex mutex_;  ///< held while a window is waited for, which all readers of the file need
  // guarded by mutex_
  std::list<Window> loaded_;  ///< the last used first
  std::deque<Ahead> ahead_;   ///< in a row
  std::size_t most_ahead_ = 1;
};

Error not_a_file(const S3Place& place) {
  return {.code = ErrorCode::store_io,
          .message = "not a regular file but a folder",
          .where = place.path,
          .retry = Retry::no};
}

/// The error of an object that is not there.
Error missing(S3Objects& objects, const S3Place& place, Error error) {
  const Result<S3Listing> below = objects.list(place, place.key + "/", 1);
  if (!below) return below.error();
  const bool is_folder = !below->objects.empty() || !below->common_prefixes.empty();
  return is_folder ? not_a_file(place) : std::move(error);
}

struct Opened {
  std::string etag;
  std::uint64_t size = 0;
  std::string first;
};

Result<Opened> opened_whole(HttpResponse response, const S3Place& place, const S3Client& client) {
  Opened opened{.etag = header_of(response, "etag"), .size = response.body.size(), .first = {}};
  if (header_of(response, "content-length") != std::to_string(opened.size))
    return other_bytes(place, client);
  opened.first = std::move(response.body);
  return opened;
}

/// One attempt. An object without bytes has no range that could be asked for.
Result<Opened> open_once(S3Objects& objects, const S3Place& place, S3Request& request) {
  S3Client& client = objects.client();
  HttpResponse response = SR_TRY(client.once(request));
  if (response.status == 416) {
    const std::optional<S3ObjectInfo> info = SR_TRY(objects.head_once(place));
    if (info && info->size == 0) return Opened{.etag = info->etag, .size = 0, .first = {}};
    return other_bytes(place, client);
  }
  if (response.status / 100 != 2) return client.error_of(response, request);
  SR_TRY(check_has_etag(response, client, request));
  // A range as large as the object may be answered as if none had been asked for.
  if (response.status == 200) return opened_whole(std::move(response), place, client);
  const auto range = parse_content_range(header_of(response, "content-range"));
  const bool is_asked = range && range->begin == 0 &&
                        response.body.size() == std::min<std::uint64_t>(range->size, kFirstBytes);
  if (!is_asked) return other_bytes(place, client);
  return Opened{
      .etag = header_of(response, "etag"), .size = range->size, .first = std::move(response.body)};
}

}  // namespace

Result<std::unique_ptr<ReadableFile>> open_s3_object(S3Objects& objects, TransferBudget& budget,
                                                     const S3Place& place) {
  S3Request request = range_request(place, 0, kFirstBytes);
  Result<Opened> opened =
      objects.client().repeat([&] { return open_once(objects, place, request); });
  if (!opened && opened.error().code == ErrorCode::path)
    return missing(objects, place, std::move(opened).error());
  if (!opened) return std::move(opened).error();
  return std::unique_ptr<ReadableFile>(std::make_unique<S3Reader>(
      objects, budget, place, std::move(opened->etag), opened->size, std::move(opened->first)));
}

}  // namespace streamrun
