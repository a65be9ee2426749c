#include "s3_client.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "s3_date.h"
#include "s3_error.h"
#include "s3_xml.h"

namespace streamrun {
namespace {

/// What a slow connection is taken to move.
constexpr std::uint64_t kSlowBytesPerSecond = std::uint64_t{256} << 10U;
/// What a store is taken to copy inside of itself at least: 1 GiB in a minute.
constexpr std::uint64_t kSlowCopiedBytesPerSecond = (std::uint64_t{1} << 30U) / 60;
constexpr Duration kMostCopyTime = std::chrono::minutes(10);
/// S3 refuses requests whose time differs by more than 15 minutes.
constexpr std::int64_t kTrustedSkewMilliseconds = std::int64_t{5} * 60 * 1000;

bool is_number_address(std::string_view authority) {
  const std::string_view host = authority.substr(0, authority.rfind(':'));
  const bool is_v4 = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.';
  });
  return is_v4 || authority.front() == '[';
}

std::string without_own_port(std::string authority, bool is_tls) {
  const std::string_view own = is_tls ? ":443" : ":80";
  if (authority.ends_with(own)) authority.resize(authority.size() - own.size());
  return authority;
}

}  // namespace

S3Client::S3Client(S3Settings settings, StoreTransport& transport, Random& random,
                   const Clock& clock)
    : settings_(std::move(settings)), transport_(transport), random_(random), clock_(clock) {
  std::string endpoint = settings_.endpoint;
  if (endpoint.empty()) endpoint = "https://s3." + settings_.region + ".amazonaws.com";
  if (endpoint.find("://") == std::string::npos) endpoint = "https://" + endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const std::size_t host = endpoint.find("://") + 3;
  const std::size_t path = std::min(endpoint.find('/', host), endpoint.size());
  scheme_ = to_lower_ascii(endpoint.substr(0, host));
  authority_ = without_own_port(endpoint.substr(host, path - host), scheme_ == "https://");
  path_prefix_ = endpoint.substr(path);
}

bool S3Client::is_path_style(const std::string& bucket) const {
  // No certificate is for two names below the host's.
  const bool breaks_tls = scheme_ == "https://" && bucket.find('.') != std::string::npos;
  return settings_.path_style || authority_.empty() || breaks_tls || is_number_address(authority_);
}

std::string S3Client::host_of(const std::string& bucket) const {
  return is_path_style(bucket) ? authority_ : bucket + "." + authority_;
}

HttpRequest S3Client::signed_request(S3Request& request) const {
  if (request.payload_sha256.empty()) request.payload_sha256 = sha256_hex(request.body);
  const std::int64_t now = clock_.unix_milliseconds() + skew_milliseconds_.load();
  const std::string host = host_of(request.bucket);
  std::string path = path_prefix_ + "/";
  if (is_path_style(request.bucket)) {
    path += request.bucket;
    if (!request.key.empty()) path += '/';
  }
  path += percent_encoded(request.key, true);

  HttpHeaders headers = request.headers;
  headers.emplace_back("x-amz-date", amz_date(now));
  headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  if (!settings_.credentials.session_token.empty())
    headers.emplace_back("x-amz-security-token", settings_.credentials.session_token);
  // The transport sends it by itself, from the URL.
  headers.emplace_back("host", host);
  const std::string authorization =
      authorization_of({.method = request.method,
                        .path = path,
                        .query = request.query,
                        .headers = headers,
                        .payload_sha256 = request.payload_sha256},
                       settings_.credentials, {.region = settings_.region}, now);
  headers.back() = {"authorization", authorization};
  std::string url = scheme_ + host + path;
  if (!request.query.empty()) url += "?" + query_text(request.query);
  return {.method = request.method,
          .url = std::move(url),
          .headers = std::move(headers),
          .most_response_bytes = request.most_response_bytes};
}

Duration S3Client::timeout_of(const S3Request& request) const {
  const std::uint64_t bytes = request.body.size() + request.moved_bytes;
  const Duration moving = settings_.timeout + std::chrono::seconds(bytes / kSlowBytesPerSecond);
  // No byte of these comes by here: they say little of the network.
  const std::uint64_t copying = request.copied_bytes / kSlowCopiedBytesPerSecond;
  return std::min(moving + std::chrono::seconds(copying), std::max(moving, kMostCopyTime));
}

Error S3Client::no_answer(const Error& cause, const S3Request& request) const {
  if (cause.code != ErrorCode::unavailable) return cause;
  return {
      .code = ErrorCode::unavailable,
      .message = fmt::format("cannot {}: {} did not answer", request.what, host_of(request.bucket)),
      .where = request.where,
      .why = cause.message + (cause.why.empty() ? "" : ": " + cause.why)};
}

bool S3Client::corrects_clock(const HttpResponse& response, const S3Request& request) {
  if (response.status != 403) return false;
  // The answer to a HEAD has no body that would tell.
  const auto complaint = parse_complaint(response.body);
  const bool is_told = complaint && complaint->code == "RequestTimeTooSkewed";
  if (!is_told && request.method != "HEAD") return false;
  const auto server = parse_s3_date(header_of(response, "date"));
  if (!server) return false;
  const std::int64_t skew = *server - clock_.unix_milliseconds();
  const std::int64_t change = skew - skew_milliseconds_.load();
  if (std::abs(change) < kTrustedSkewMilliseconds) return false;
  skew_milliseconds_.store(skew);
  return true;
}

Result<HttpResponse> S3Client::once(S3Request& request) {
  for (bool is_first = true;; is_first = false) {
    HttpRequest http = signed_request(request);
    const Duration timeout = timeout_of(request);  // by the body's length
    http.body = std::move(request.body);           // lent: it may be large
    Result<HttpResponse> response = transport_.exchange(http, timeout);
    request.body = std::move(http.body);
    if (!response) return no_answer(response.error(), request);
    if (!is_first || !corrects_clock(*response, request)) return response;
  }
}

Result<HttpResponse> S3Client::attempt(S3Request& request) {
  Result<HttpResponse> response = once(request);
  if (response && response->status / 100 != 2) return error_of(*response, request);
  return response;
}

std::unique_ptr<HttpExchange> S3Client::start(S3Request& request) {
  HttpRequest http = signed_request(request);
  const Duration timeout = timeout_of(request);
  http.body = std::move(request.body);
  return transport_.start(std::move(http), timeout);
}

Result<HttpResponse> S3Client::finish(HttpExchange& exchange, S3Request& request) {
  Result<HttpResponse> response = exchange.wait();
  request.body = exchange.take_body();
  if (!response) return no_answer(response.error(), request);
  if (response->status / 100 != 2) return error_of(*response, request);
  return response;
}

Error S3Client::error_of(const HttpResponse& response, const S3Request& request) const {
  return s3_error(response, {.what = request.what,
                             .where = request.where,
                             .method = request.method,
                             .bucket = request.bucket,
                             .host = host_of(request.bucket),
                             .region = settings_.region});
}

void S3Client::pause_after(int attempts_made) {
  Duration pause = settings_.first_pause;
  for (int i = 1; i < attempts_made && pause < settings_.longest_pause; ++i) pause *= 2;
  pause = std::min(pause, settings_.longest_pause);
  // Half of it by chance, so that those who failed together do not come again together.
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  transport_.pause(Duration(static_cast<Duration::rep>(half + random_.below(half + 1))));
}

bool may_have_arrived(const Error& error) {
  return !error.why.starts_with(kServerNotReached);
}

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [found, value] : response.headers) {
    if (found == name) return value;
  }
  return {};
}

}  // namespace streamrun
