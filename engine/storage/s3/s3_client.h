#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/s3/s3_settings.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include "sigv4.h"

namespace streamrun {

/// One request, before it is signed.
struct S3Request {
  std::string what;   ///< "write the object": what can't be done if it fails
  std::string where;  ///< the path that errors name
  std::string method = "GET";
  std::string bucket;
  std::string key = {};  ///< empty: the bucket itself
  QueryParameters query = {};
  HttpHeaders headers = {};
  std::string body = {};
  std::size_t most_response_bytes = std::size_t{8} << 20U;
  std::uint64_t moved_bytes = 0;    ///< beside the body: what the server sends
  std::uint64_t copied_bytes = 0;   ///< what the server copies or joins inside of itself
  std::string payload_sha256 = {};  ///< of `body`; worked out once, when it is first sent
};

/// Signs, sends and repeats: S3's REST API (2006-03-01) below everything that knows of files.
/// Thread-safe; a request belongs to one thread.
class S3Client {
 public:
  S3Client(S3Settings settings, StoreTransport& transport, Random& random, const Clock& clock);

  const S3Settings& settings() const { return settings_; }
  Random& random() { return random_; }
  /// The host that requests for this bucket go to.
  std::string host_of(const std::string& bucket) const;

  /// How long one exchange may take.
  Duration timeout_of(const S3Request& request) const;
  /// When no attempt is begun any more of what begins now: after what is usual, or when a request
  /// that takes longer than that has been tried twice.
  Instant deadline_of(const S3Request& request) const {
    return clock_.now() + std::max(settings_.most_time, 2 * timeout_of(request));
  }
  Instant deadline_in(Duration time) const { return clock_.now() + time; }

  /// One exchange; every whole response is a value. Repeated once if only the clocks differed. The
  /// request is as before when this returns.
  Result<HttpResponse> once(S3Request& request);
  /// As `once`, where any status but 2xx is an error.
  Result<HttpResponse> attempt(S3Request& request);
  /// Begins one exchange, which has the body until `finish` gives it back.
  std::unique_ptr<HttpExchange> start(S3Request& request);
  /// What `start` has come to, as `attempt` would have answered.
  Result<HttpResponse> finish(HttpExchange& exchange, S3Request& request);

  /// The error that a response stands for. E-UNAVAILABLE is what may pass: nothing else is worth a
  /// repetition.
  Error error_of(const HttpResponse& response, const S3Request& request) const;

  /// Calls `attempt` until it answers something other than E-UNAVAILABLE, as often as the settings
  /// say and `more` times, with longer and longer pauses; none is begun after the deadline.
  template <typename Attempt>
  auto repeat_until(Instant deadline, const Attempt& attempt, int more = 0) -> decltype(attempt()) {
    for (int made = 1;; ++made) {
      auto result = attempt();
      const bool may_pass = !result && result.error().code == ErrorCode::unavailable;
      if (!may_pass || made >= settings_.attempts + more || clock_.now() >= deadline) return result;
      pause_after(made);
    }
  }
  template <typename Attempt>
  auto repeat(const Attempt& attempt) -> decltype(attempt()) {
    return repeat_until(deadline_in(settings_.most_time), attempt);
  }
  /// `attempt`, repeated.
  Result<HttpResponse> repeated(S3Request& request) {
    return repeat([&] { return attempt(request); });
  }

 private:
  HttpRequest signed_request(S3Request& request) const;
  bool corrects_clock(const HttpResponse& response, const S3Request& request);
  bool is_path_style(const std::string& bucket) const;
  Error no_answer(const Error& cause, const S3Request& request) const;
  void pause_after(int attempts_made);

  const S3Settings settings_;
  StoreTransport& transport_;
  Random& random_;
  const Clock& clock_;
  std::string scheme_;       ///< `https://`
  std::string authority_;    ///< host, and port unless it is the scheme's own
  std::string path_prefix_;  ///< of the endpoint, without a slash at its end
  /// The server's clock minus ours. Any thread.
  std::atomic<std::int64_t> skew_milliseconds_ = 0;
};

/// Whether something of a request whose `once` ended so may have come to the server.
bool may_have_arrived(const Error& error);

/// The value of the first header of that name (in lower case); empty if there is none.
std::string header_of(const HttpResponse& response, std::string_view name);

}  // namespace streamrun
