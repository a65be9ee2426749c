#include "s3_objects.h"

#include <algorithm>
#include <set>
#include <utility>

#include "content_range.h"
#include "s3_date.h"

namespace streamrun {
namespace {

/// Against a server whose pages never end: 100 million keys.
constexpr int kMostPages = 100'000;

S3Request request_for(std::string what, const S3Place& place, std::string method) {
  return {.what = std::move(what),
          .where = place.path,
          .method = std::move(method),
          .bucket = place.bucket,
          .key = place.key};
}

/// The error of a success that is none: somebody else has answered.
Error no_answer_of_s3(const S3Client& client, S3Request request, const HttpResponse& response) {
  request.method = "GET";  // whose answers have a text
  return client.error_of({.status = response.status, .body = response.body}, request);
}

bool is_from_s3(const HttpResponse& response) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [](const auto& header) { return header.first.starts_with("x-amz"); });
}

/// The parsed body with the place of the request, if it could be parsed.
template <typename T>
Result<T> located(Result<T> parsed, const S3Request& request, const S3Client& client) {
  if (parsed) return parsed;
  Error error = std::move(parsed).error();
  error.message =
      "cannot " + request.what + ": " + error.message + ", from " + client.host_of(request.bucket);
  error.where = request.where;
  return error;
}

}  // namespace

Result<void> check_has_etag(const HttpResponse& response, const S3Client& client,
                            const S3Request& request) {
  if (!header_of(response, "etag").empty()) return {};
  return no_answer_of_s3(client, request, response);
}

Result<std::optional<S3ObjectInfo>> S3Objects::head_once(const S3Place& place) {
  S3Request request = request_for("look at the object", place, "HEAD");
  const HttpResponse response = SR_TRY(client_.once(request));
  const bool is_absent = response.status == 404;
  // What is wrong with a request has a text elsewhere: credentials that have expired.
  if (response.status == 400) SR_TRY(page_once(place, place.key, 1, ""));
  if (!is_absent && response.status / 100 != 2) return client_.error_of(response, request);
  // So a store over a file system answers for a folder, whether or not it is asked with the slash.
  const bool has_etag = !header_of(response, "etag").empty();
  if (!is_absent && !has_etag && place.key.ends_with('/') && is_from_s3(response))
    return std::optional(S3ObjectInfo{});
  if (is_absent || !has_etag) {
    SR_TRY(confirm_absent(place, response));
    return std::optional<S3ObjectInfo>();
  }
  const std::optional<std::uint64_t> size = parse_s3_number(header_of(response, "content-length"));
  if (!size) return no_answer_of_s3(client_, request, response);
  return std::optional(S3ObjectInfo{
      .size = *size,
      .modified_unix_milliseconds = parse_s3_date(header_of(response, "last-modified")).value_or(0),
      .etag = header_of(response, "etag"),
      .attempt = header_of(response, kAttemptHeader)});
}

Result<void> S3Objects::confirm_absent(const S3Place& place, const HttpResponse& response) {
  if (is_from_s3(response) && response.status == 404) return {};
  // The first of the keys that begin with it is the key itself.
  const S3Listing listing = SR_TRY(page_once(place, place.key, 1, ""));
  const bool is_there = !listing.objects.empty() && listing.objects.front().key == place.key;
  if (!is_there) return {};
  return Error{.code = ErrorCode::unavailable,
               .message = "cannot look at the object: a listing has what " +
                          client_.host_of(place.bucket) + " says is not there",
               .where = place.path};
}

Result<std::optional<S3ObjectInfo>> S3Objects::head(const S3Place& place) {
  return client_.repeat([&] { return head_once(place); });
}

Result<void> S3Objects::head_bucket(const S3Place& place) {
  S3Request request = request_for("look at the bucket", place, "HEAD");
  request.key.clear();
  const Result<HttpResponse> answer = client_.repeated(request);
  if (answer) return {};
  const ErrorCode code = answer.error().code;
  if (code != ErrorCode::path && code != ErrorCode::store_io) return answer.error();
  // A status without a body may come from anybody.
  SR_TRY(list(place, "", 1));
  if (code == ErrorCode::store_io) return answer.error();
  return {};
}

Result<S3Listing> S3Objects::page_once(const S3Place& place, const std::string& prefix,
                                       std::optional<int> most_keys, const std::string& token) {
  S3Request request = request_for("list the folder", place, "GET");
  request.key.clear();
  request.query = {
      {"list-type", "2"}, {"prefix", prefix}, {"delimiter", "/"}, {"encoding-type", "url"}};
  if (most_keys) request.query.emplace_back("max-keys", std::to_string(*most_keys));
  if (!token.empty()) request.query.emplace_back("continuation-token", token);
  const HttpResponse response = SR_TRY(client_.attempt(request));
  // An error with status 200 too.
  if (parse_complaint(response.body)) return client_.error_of(response, request);
  return located(parse_listing(response.body), request, client_);
}

Result<S3Listing> S3Objects::page(const S3Place& place, const std::string& prefix,
                                  std::optional<int> most_keys, const std::string& token) {
  return client_.repeat([&] { return page_once(place, prefix, most_keys, token); });
}

Result<S3Listing> S3Objects::list(const S3Place& place, const std::string& prefix,
                                  std::optional<int> most_keys) {
  S3Listing all = SR_TRY(page(place, prefix, most_keys, ""));
  if (most_keys) return all;
  std::set<std::string> tokens;
  for (int pages = 1; !all.next_token.empty(); ++pages) {
    if (pages == kMostPages) {
      return Error{.code = ErrorCode::unavailable,
                   .message = "the listing of the folder does not end",
                   .where = place.path};
    }
    if (!tokens.insert(all.next_token).second) {
      return Error{.code = ErrorCode::unavailable,
                   .message = "the listing of the folder does not go on: " +
                              client_.host_of(place.bucket) + " repeats its continuation token",
                   .where = place.path};
    }
    S3Listing next = SR_TRY(page(place, prefix, most_keys, all.next_token));
    for (S3ListedObject& object : next.objects) all.objects.push_back(std::move(object));
    for (std::string& name : next.common_prefixes) all.common_prefixes.push_back(std::move(name));
    all.next_token = std::move(next.next_token);
  }
  return all;
}

Result<void> S3Objects::remove(const S3Place& place) {
  S3Request request = request_for("remove the object", place, "DELETE");
  return client_.repeat([&]() -> Result<void> {
    const HttpResponse response = SR_TRY(client_.attempt(request));
    if (response.body.empty()) return {};
    return no_answer_of_s3(client_, request, response);
  });
}

ConditionalPut::IsOurs S3Objects::is_of_attempt(const S3Place& place, std::string attempt,
                                                std::uint64_t size) {
  return [this, place, attempt = std::move(attempt), size]() -> Result<std::optional<bool>> {
    const std::optional<S3ObjectInfo> found = SR_TRY(head_once(place));
    if (!found) return std::optional<bool>();
    return std::optional(found->attempt == attempt && found->size == size);
  };
}

Result<bool> S3Objects::put_new(const S3Place& place, std::string bytes) {
  const std::string attempt = client_.random().uuid();
  const std::uint64_t size = bytes.size();
  S3Request request = request_for("write the object", place, "PUT");
  request.headers = {{std::string(kAttemptHeader), attempt}};
  request.body = std::move(bytes);
  const auto check = [this, place](const HttpResponse& response) {
    return check_has_etag(response, client_, request_for("write the object", place, "PUT"));
  };
  return puts_.send(std::move(request), check, is_of_attempt(place, attempt, size));
}

Result<bool> S3Objects::put_new_bytes(const S3Place& place, std::string_view bytes) {
  S3Request request = request_for("publish the object", place, "PUT");
  request.body = std::string(bytes);
  const auto check = [this, place](const HttpResponse& response) {
    return check_has_etag(response, client_, request_for("publish the object", place, "PUT"));
  };
  return puts_.publish(std::move(request), check, [&] { return has_bytes(place, bytes); });
}

Result<std::optional<bool>> S3Objects::has_bytes(const S3Place& place, std::string_view bytes) {
  S3Request request = request_for("read the object", place, "GET");
  // One byte more than ours tells a longer object, without having all of it.
  request.headers = {{"range", "bytes=0-" + std::to_string(bytes.size())}};
  request.moved_bytes = bytes.size();
  request.most_response_bytes += bytes.size();
  const HttpResponse response = SR_TRY(client_.once(request));
  if (response.status == 416) return std::optional(bytes.empty());
  if (response.status / 100 != 2) {
    const Error error = client_.error_of(response, request);
    if (error.code == ErrorCode::path) return std::optional<bool>();
    return error;
  }
  SR_TRY(check_has_etag(response, client_, request));
  const auto range = parse_content_range(header_of(response, "content-range"));
  const std::optional<std::uint64_t> sent =
      range ? std::min<std::uint64_t>(range->size, bytes.size() + 1)
            : parse_s3_number(header_of(response, "content-length"));
  if (response.body.size() != sent)  // cut short
    return no_answer_of_s3(client_, request, {.status = response.status});
  return std::optional(response.body == bytes);
}

}  // namespace streamrun
