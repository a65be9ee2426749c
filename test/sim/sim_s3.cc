#include "sim/sim_s3.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "s3_date.h"
#include "sigv4.h"
#include "sim/done_exchange.h"
#include "sim/sim_s3_answers.h"

namespace streamrun::sim {
namespace {

constexpr std::int64_t kMostSkewMilliseconds = std::int64_t{15} * 60 * 1000;

Error broken_connection() {
  return {.code = ErrorCode::unavailable, .message = "connection reset by peer"};
}

/// `Name=value` in the header `Authorization`.
std::string part_of(const std::string& authorization, const std::string& name) {
  const std::size_t begin = authorization.find(name + "=");
  if (begin == std::string::npos) return {};
  const std::size_t from = begin + name.size() + 1;
  return authorization.substr(from, authorization.find(',', from) - from);
}

}  // namespace

SimS3::SimS3(const Clock& clock, S3Credentials credentials, std::string region, std::string host)
    : clock_(clock),
      credentials_(std::move(credentials)),
      region_(std::move(region)),
      host_(std::move(host)) {}

std::unique_ptr<HttpExchange> SimS3::start(HttpRequest request, Duration timeout) {
  Result<HttpResponse> outcome = exchange(request, timeout);
  return std::make_unique<DoneExchange>(std::move(outcome), std::move(request.body));
}

std::unique_ptr<HttpUpload> SimS3::upload(HttpRequest, Duration) {
  return nullptr;  // S3 signs the hash of a body before it is sent
}

Result<HttpResponse> SimS3::exchange(const HttpRequest& request, Duration) {
  const std::lock_guard lock(mutex_);
  S3Seen seen = seen_of(request);
  log.push_back(seen.method + " " + seen.bucket + "/" + seen.key);
  for (const auto& [name, value] : seen.query) log.back() += "&" + name;
  const S3Fault now_wrong = fault ? fault(seen) : S3Fault::none;
  switch (now_wrong) {
    case S3Fault::slow_down:
      return s3_complaint(503, "SlowDown");
    case S3Fault::lost_request:
      return broken_connection();
    case S3Fault::error_in_success:
      return s3_complaint(200, "InternalError");
    case S3Fault::conflict:
      return s3_complaint(409, "ConditionalRequestConflict");
    case S3Fault::html:
      return HttpResponse{.status = 404,
                          .headers = {{"content-type", "text/html"}},
                          .body = "<html><body>Not here\x01</body></html>"};
    default:
      break;
  }
  HttpResponse response = answer(request, seen);
  if (after) after(seen);
  response.headers.emplace_back("x-amz-request-id", std::to_string(seen.number));
  if (now_wrong == S3Fault::lost_reply) return broken_connection();
  if (now_wrong == S3Fault::internal_error) return s3_complaint(500, "InternalError");
  if (now_wrong == S3Fault::half_body) response.body.resize(response.body.size() / 2);
  if (seen.method == "HEAD") response.body.clear();
  if (response.body.size() > request.most_response_bytes) return broken_connection();
  return response;
}

S3Seen SimS3::seen_of(const HttpRequest& request) {
  S3Seen seen;
  seen.number = ++requests;
  seen.method = request.method;
  seen.body = request.body;
  const std::size_t host = request.url.find("://") + 3;
  const std::size_t slash = std::min(request.url.find('/', host), request.url.size());
  const std::size_t mark = std::min(request.url.find('?'), request.url.size());
  const std::string authority = request.url.substr(host, slash - host);
  std::string path = request.url.substr(slash, mark - slash);
  seen.headers["host"] = authority;
  for (const auto& [name, value] : request.headers) seen.headers[to_lower_ascii(name)] = value;
  if (authority == host_) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    seen.bucket = path.substr(1, end - 1);
    path = path.substr(end);
  } else {
    seen.bucket = authority.substr(0, authority.find('.'));
  }
  seen.key = path.empty() ? "" : percent_decoded(path.substr(1));
  if (mark < request.url.size()) {
    for (const std::string& parameter : split(request.url.substr(mark + 1), '&')) {
      const std::size_t equals = parameter.find('=');
      seen.query[percent_decoded(parameter.substr(0, equals))] =
          percent_decoded(parameter.substr(equals + 1));
    }
  }
  return seen;
}

std::optional<HttpResponse> SimS3::refuse(const HttpRequest& request, const S3Seen& seen) {
  const auto header = [&seen](const std::string& name) {
    const auto found = seen.headers.find(name);
    return found == seen.headers.end() ? std::string() : found->second;
  };
  const std::string authorization = header("authorization");
  const std::vector<std::string> names = split(part_of(authorization, "SignedHeaders"), ';');
  HttpHeaders headers;
  for (const std::string& name : names) headers.emplace_back(name, header(name));
  for (const auto& [name, value] : seen.headers) {
    const bool must_be = name == "host" || name.starts_with("x-amz-");
    if (must_be && std::find(names.begin(), names.end(), name) == names.end())
      return s3_complaint(403, "AccessDenied", "a header is not signed: " + name);
  }
  const auto time = parse_amz_date(header("x-amz-date"));
  if (!time) return s3_complaint(403, "AccessDenied", "no time");
  if (std::abs(*time - now()) > kMostSkewMilliseconds) {
    HttpResponse response = s3_complaint(403, "RequestTimeTooSkewed");
    response.headers.emplace_back("date", http_date(now()));
    return response;
  }
  if (header("x-amz-content-sha256") != sha256_hex(request.body))
    return s3_complaint(400, "XAmzContentSHA256Mismatch");
  if (part_of(authorization, "AWS4-HMAC-SHA256 Credential")
          .substr(0, credentials_.access_key.size()) != credentials_.access_key)
    return s3_complaint(403, "InvalidAccessKeyId");
  const std::size_t slash = request.url.find('/', request.url.find("://") + 3);
  const std::string path = request.url.substr(slash, request.url.find('?') - slash);
  QueryParameters query(seen.query.begin(), seen.query.end());
  const std::string wanted = authorization_of({.method = seen.method,
                                               .path = path,
                                               .query = query,
                                               .headers = headers,
                                               .payload_sha256 = header("x-amz-content-sha256")},
                                              credentials_, {.region = region_}, *time);
  if (authorization != wanted) return s3_complaint(403, "SignatureDoesNotMatch");
  return std::nullopt;
}

HttpResponse SimS3::answer(const HttpRequest& request, S3Seen& seen) {
  if (const auto refused = refuse(request, seen)) return *refused;
  if (!knows_conditions && seen.headers.count("if-none-match") > 0)
    return s3_complaint(501, "NotImplemented");
  if (buckets.find(seen.bucket) == buckets.end()) return s3_complaint(404, "NoSuchBucket");
  const bool is_write = seen.method != "GET" && seen.method != "HEAD";
  if (is_write && list_is_stale) before_ = buckets;
  return act(seen);
}

HttpResponse SimS3::act(const S3Seen& seen) {
  S3Bucket& bucket = buckets.at(seen.bucket);
  const bool of_upload = seen.query.count("uploadId") > 0;
  if (seen.method == "GET" && seen.query.count("list-type") > 0)
    return list(list_is_stale ? before_[seen.bucket] : bucket, seen);
  if (seen.method == "HEAD" && seen.key.empty()) return {.status = 200};
  if (seen.method == "GET" || seen.method == "HEAD") return get(bucket, seen);
  if (seen.method == "POST" && seen.query.count("uploads") > 0) return begin_upload(bucket, seen);
  if (seen.method == "POST" && of_upload) return complete_upload(bucket, seen);
  if (seen.method == "PUT" && seen.headers.count("x-amz-copy-source") > 0)
    return copy(bucket, seen);
  if (seen.method == "PUT" && of_upload) return put_part(bucket, seen);
  if (seen.method == "PUT") return put(bucket, seen);
  if (seen.method == "DELETE" && of_upload) {
    if (bucket.uploads.erase(seen.query.at("uploadId")) == 0)
      return s3_complaint(404, "NoSuchUpload");
    return {.status = 204};
  }
  if (seen.method == "DELETE") {
    if (bucket.objects.erase(seen.key) > 0 && changed) changed(seen.bucket, seen.key, nullptr);
    return {.status = 204};
  }
  return s3_complaint(405, "MethodNotAllowed");
}

std::size_t SimS3::open_uploads() const {
  std::size_t count = 0;
  for (const auto& [name, bucket] : buckets) count += bucket.uploads.size();
  return count;
}

std::set<std::string> SimS3::keys(const std::string& bucket) const {
  std::set<std::string> found;
  for (const auto& [key, object] : buckets.at(bucket).objects) found.insert(key);
  return found;
}

}  // namespace streamrun::sim
