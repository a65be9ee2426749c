#include <streamrun/base/strings.h>
#include <streamrun/rest/http_message.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::optional<std::size_t> parse_length(std::string_view text) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (text.empty() || problem != std::errc() || stopped != end) return std::nullopt;
  return value;
}

/// The first line and the headers of a head without the empty line at its end; nothing if it is no
/// head.
struct Head {
  std::string_view first_line;
  HttpHeaders headers;
};
std::optional<Head> parse_lines(std::string_view head) {
  Head parsed;
  std::size_t end = head.find(kLineEnd);
  parsed.first_line = head.substr(0, end);
  while (end != std::string_view::npos) {
    head.remove_prefix(end + kLineEnd.size());
    end = head.find(kLineEnd);
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_header_value(value) || parsed.headers.size() == kMaxHeaders) return std::nullopt;
    parsed.headers.emplace_back(to_lower_ascii(line.substr(0, colon)), value);
  }
  return parsed;
}

std::size_t count_of(const HttpHeaders& headers, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; }));
}

std::string value_of(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [each, value] : headers) {
    if (each == name) return value;
  }
  return {};
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    default:
      return status < 500 ? "Refused" : "Internal Server Error";
  }
}

Error not_http(const char* why) {
  return {.code = ErrorCode::unavailable,
          .message = "what answers there is not a running job",
          .why = why};
}

/// The bytes of a chunked body put together; nothing if it is cut short.
std::optional<std::string> without_chunks(std::string_view body) {
  std::string whole;
  while (true) {
    const std::size_t line_end = body.find(kLineEnd);
    if (line_end == std::string_view::npos) return std::nullopt;
    std::size_t size = 0;
    if (std::from_chars(body.data(), body.data() + line_end, size, 16).ec != std::errc())
      return std::nullopt;
    if (size == 0) return whole;
    body.remove_prefix(line_end + kLineEnd.size());
    if (body.size() < size + kLineEnd.size()) return std::nullopt;
    whole.append(body.substr(0, size));
    body.remove_prefix(size + kLineEnd.size());
  }
}

}  // namespace

std::string ReceivedRequest::header(std::string_view lower_case_name) const {
  return count_of(headers, lower_case_name) == 1 ? value_of(headers, lower_case_name) : "";
}

std::string ReceivedRequest::parameter(std::string_view name) const {
  for (const std::string& each : split(query, '&')) {
    const std::size_t equals = each.find('=');
    if (std::string_view(each).substr(0, equals) != name) continue;
    return equals == std::string::npos ? "" : each.substr(equals + 1);
  }
  return {};
}

RequestParser::State RequestParser::refuse(int status, std::string why) {
  status_ = status;
  why_ = std::move(why);
  return state_ = State::refused;
}

RequestParser::State RequestParser::take(std::string_view bytes) {
  if (state_ != State::incomplete) return state_;
  constexpr std::size_t kMost = kMaxHeadBytes + kHeadEnd.size() + kMaxRequestBodyBytes;
  bytes_.append(bytes.substr(0, kMost - bytes_.size()));
  if (!has_head_) {
    const std::size_t end = bytes_.find(kHeadEnd);
    if (end > kMaxHeadBytes) {  // or not there
      const bool is_too_long = bytes_.size() > kMaxHeadBytes;
      return is_too_long ? refuse(431, "The head of the request is too long.") : state_;
    }
    has_head_ = true;
    if (parse_head(std::string_view(bytes_).substr(0, end)) == State::refused) return state_;
    bytes_.erase(0, end + kHeadEnd.size());
  }
  if (bytes_.size() < body_bytes_) return state_;
  request_.body = bytes_.substr(0, body_bytes_);
  return state_ = State::complete;
}

RequestParser::State RequestParser::parse_head(std::string_view head) {
  auto parsed = parse_lines(head);
  if (!parsed) return refuse(400, "The request is not HTTP/1.1.");
  if (parse_request_line(parsed->first_line) == State::refused) return state_;
  request_.headers = std::move(parsed->headers);
  if (count_of(request_.headers, "transfer-encoding") > 0)
    return refuse(411, "The request must say the length of its body.");
  const std::size_t lengths = count_of(request_.headers, "content-length");
  if (lengths == 0) return state_;
  const auto length = parse_length(value_of(request_.headers, "content-length"));
  if (lengths > 1 || !length) return refuse(400, "The length of the body is not clear.");
  if (*length > kMaxRequestBodyBytes) return refuse(413, "The body of the request is too long.");
  body_bytes_ = *length;
  return state_;
}

RequestParser::State RequestParser::parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return refuse(400, "The request is not HTTP/1.1.");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || (version != "HTTP/1.1" && version != "HTTP/1.0"))
    return refuse(400, "The request is not HTTP/1.1.");
  if (!target.starts_with('/') || !is_visible(target))
    return refuse(400, "The path of the request is not one.");
  request_.method = method;
  const std::size_t question = target.find('?');
  request_.path = target.substr(0, question);
  if (question != std::string_view::npos) request_.query = target.substr(question + 1);
  return state_;
}

std::string response_bytes(int status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
      status, reason_of(status), body.size(), body);
}

std::string request_bytes(const HttpRequest& request, std::string_view host,
                          std::string_view target) {
  std::string bytes = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, target, host);
  for (const auto& [name, value] : request.headers) bytes += fmt::format("{}: {}\r\n", name, value);
  return bytes + fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                             request.body.size(), request.body);
}

Result<HttpResponse> parse_response(std::string_view bytes) {
  const std::size_t end = bytes.find(kHeadEnd);
  if (end == std::string_view::npos) return not_http("its answer has no end of headers");
  auto head = parse_lines(bytes.substr(0, end));
  if (!head || !head->first_line.starts_with("HTTP/1.")) return not_http("its answer is not HTTP");
  HttpResponse response;
  const std::size_t blank = head->first_line.find(' ');
  const auto status =
      parse_length(blank == std::string_view::npos ? "" : head->first_line.substr(blank + 1, 3));
  if (!status || *status < 100) return not_http("its answer has no status");
  response.status = static_cast<int>(*status);
  response.headers = std::move(head->headers);
  const std::string_view body = bytes.substr(end + kHeadEnd.size());
  if (to_lower_ascii(value_of(response.headers, "transfer-encoding")) == "chunked") {
    auto whole = without_chunks(body);
    if (!whole) return not_http("its answer is cut short");
    response.body = *std::move(whole);
    return response;
  }
  const auto length = parse_length(value_of(response.headers, "content-length"));
  if (length && body.size() < *length) return not_http("its answer is cut short");
  response.body = body.substr(0, length.value_or(body.size()));
  return response;
}

}  // namespace streamrun
