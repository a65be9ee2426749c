#include "curl_transfer.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>
#include <streamrun/platform/store_transport.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace streamrun {
namespace {

constexpr long kBufferBytes = 512L << 10U;
constexpr long kMostConnectMilliseconds = 10'000;
/// A connection that was idle for longer may be about to be closed by the server.
constexpr long kMostIdleSeconds = 20;
/// What is reserved at most for a body that a server announces.
constexpr std::size_t kMostReserved = std::size_t{64} << 20U;

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
  const CURLcode done = curl_easy_setopt(easy, option, value);
  SR_ASSERT(done == CURLE_OK, "libcurl knows each option that is set");
}

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* of) {
  auto& transfer = *static_cast<CurlTransfer*>(of);
  std::string& body = transfer.response.body;
  if (count > transfer.request.most_response_bytes - body.size()) {
    transfer.is_too_long = true;
    return 0;
  }
  if (body.empty()) {
    curl_off_t announced = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    const std::size_t most = std::min(transfer.request.most_response_bytes, kMostReserved);
    if (announced > 0 && static_cast<std::size_t>(announced) <= most)
      body.reserve(static_cast<std::size_t>(announced));
  }
  body.append(bytes, count);
  return count;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* of) {
  auto& transfer = *static_cast<CurlTransfer*>(of);
  auto& response = transfer.response;
  const std::string_view line(bytes, count);
  // A new status line: what came before was an interim answer.
  if (line.starts_with("HTTP/")) {
    response.headers.clear();
    transfer.has_whole_head = false;
  }
  if (trim(line).empty()) transfer.has_whole_head = true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  response.headers.emplace_back(to_lower_ascii(line.substr(0, colon)),
                                std::string(trim(line.substr(colon + 1))));
  return count;
}

curl_slist* with_line(curl_slist* list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list, line.c_str());
  SR_ASSERT(longer != nullptr, "there is memory for a header");
  return longer;
}

/// libcurl adds lines of its own unless they are given empty.
curl_slist* lines_of(const HttpRequest& request) {
  curl_slist* list = nullptr;
  bool has_content_type = false;
  for (const auto& [name, value] : request.headers) {
    // With a semicolon libcurl sends a header without a value.
    list = with_line(list, value.empty() ? name + ";" : name + ": " + value);
    has_content_type = has_content_type || to_lower_ascii(name) == "content-type";
  }
  // It would wait a second for servers that don't answer to it.
  list = with_line(list, "Expect:");
  if (!has_content_type) list = with_line(list, "Content-Type:");
  return list;
}

long milliseconds_of(Duration duration) {
  return static_cast<long>(std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

void set_method(CURL* easy, const HttpRequest& request) {
  if (request.method == "HEAD") return set(easy, CURLOPT_NOBODY, 1L);
  const bool has_body =
      request.method == "PUT" || request.method == "POST" || !request.body.empty();
  if (has_body) {
    set(easy, CURLOPT_POSTFIELDS, request.body.data());
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// So it is while there is no connection.
bool has_sent_nothing(CURL* easy) {
  curl_off_t before_transfer = 0;
  long sent = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &before_transfer);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
  return before_transfer == 0 && sent == 0;
}

}  // namespace

CurlTransfer::CurlTransfer(HttpRequest of, BodyKind kind, Duration timeout)
    : request(std::move(of)), easy(curl_easy_init()), header_lines(lines_of(request)) {
  SR_ASSERT(easy != nullptr, "there is memory for a transfer");
  CURL* const handle = easy.get();
  set(handle, CURLOPT_URL, request.url.c_str());
  set(handle, CURLOPT_HTTPHEADER, header_lines.get());
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_PROXY, "");
  set(handle, CURLOPT_NOSIGNAL, 1L);
  // A name that can't be resolved in time must not hold up the other transfers.
  set(handle, CURLOPT_QUICK_EXIT, 1L);
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_MAXAGE_CONN, kMostIdleSeconds);
  set(handle, CURLOPT_BUFFERSIZE, kBufferBytes);
  set(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  set(handle, CURLOPT_CONNECTTIMEOUT_MS,
      std::min(milliseconds_of(timeout), kMostConnectMilliseconds));
  set(handle, CURLOPT_ERRORBUFFER, error_text.data());
  set(handle, CURLOPT_PRIVATE, this);
  set(handle, CURLOPT_WRITEFUNCTION, &take_body);
  set(handle, CURLOPT_WRITEDATA, this);
  set(handle, CURLOPT_HEADERFUNCTION, &take_header);
  set(handle, CURLOPT_HEADERDATA, this);
  if (kind == BodyKind::whole) {
    set(handle, CURLOPT_TIMEOUT_MS, milliseconds_of(timeout));
    set_method(handle, request);
  } else {
    set(handle, CURLOPT_UPLOAD, 1L);
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

std::string CurlTransfer::where() const {
  std::string_view url = request.url;
  url = url.substr(0, url.find('?'));
  const std::size_t host = url.find("://");
  const std::size_t at = url.find('@');
  const bool has_user = host != std::string_view::npos && at != std::string_view::npos &&
                        at < url.find('/', host + 3);
  if (has_user) return std::string(url.substr(0, host + 3)) + std::string(url.substr(at + 1));
  return std::string(url);
}

Error CurlTransfer::unavailable(std::string message, std::string why) const {
  return {.code = ErrorCode::unavailable,
          .message = std::move(message),
          .where = where(),
          .why = std::move(why)};
}

Result<HttpResponse> CurlTransfer::outcome() {
  SR_ASSERT(result.has_value(), "the transfer has ended");
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  // Where a connection ends in the middle of a head, that is success to libcurl.
  if (*result == CURLE_OK && !has_whole_head)
    return unavailable("the exchange with the server broke off", "the head of its answer is cut");
  if (*result == CURLE_OK) return std::move(response);
  const std::string text = error_text[0] != '\0' ? std::string(error_text.data())
                                                 : std::string(curl_easy_strerror(*result));
  if (is_too_long)
    return unavailable("the server's answer is longer than anything it was asked for", "");
  switch (*result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return unavailable(std::string(kServerNotReached), text);
    case CURLE_OPERATION_TIMEDOUT:
      if (has_sent_nothing(easy.get())) return unavailable(std::string(kServerNotReached), text);
      return unavailable("the server did not answer in its time", text);
    case CURLE_PEER_FAILED_VERIFICATION:
      return unavailable("the server's certificate is not trusted", text);
    default:
      return unavailable("the exchange with the server broke off", text);
  }
}

}  // namespace streamrun
