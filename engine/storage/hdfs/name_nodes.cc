#include "name_nodes.h"

#include <streamrun/base/strings.h>
#include <streamrun/platform/first_bytes.h>

#include <utility>

#include <fmt/format.h>

#include "webhdfs_error.h"

namespace streamrun {
namespace {

std::string header_of(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

Error unauthenticated(const HttpResponse& response, const std::string& server,
                      const std::string& where) {
  const bool kerberos =
      to_lower_ascii(header_of(response.headers, "www-authenticate")).find("negotiate") !=
      std::string::npos;
  return {.code = ErrorCode::permission,
          .message = kerberos ? "this cluster wants Kerberos, which this version cannot do"
                              : server + " does not let this user in",
          .where = where,
          .why = first_bytes(response.body),
          .retry = Retry::no};
}

Error not_encrypted(const std::string& location, const std::string& where) {
  return {.code = ErrorCode::unavailable,
          .message = "the name node is asked by way of https, and sends to a data node without it",
          .where = where,
          .why = "it leads to " + first_bytes(server_of(location))};
}

Error led_on(const HttpHeaders& headers, const std::string& server, const std::string& where) {
  const std::string location = header_of(headers, "location");
  return {.code = ErrorCode::unavailable,
          .message = server + " sends on what it should do itself (HTTP status 307)",
          .where = where,
          .why = location.empty() ? "" : "it leads to " + first_bytes(server_of(location))};
}

JudgedAnswer not_answered(Fate fate, Error error) {
  return {.fate = fate, .answer = {}, .error = std::move(error)};
}

bool is_success(int status) {
  return status == 200 || status == 201 || status == 307;
}

}  // namespace

std::string url_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("-._~/").find(c) != std::string_view::npos;
    if (is_plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

JudgedAnswer judge(Result<HttpResponse> response, const std::string& url, const std::string& where,
                   bool is_led_on) {
  const std::string server = server_of(url);
  if (!response) {
    Error error = std::move(response).error();
    const Fate fate = error.message == kServerNotReached ? Fate::unreached : Fate::unknown;
    error.message = server + ": " + error.message;
    error.where = where;
    return not_answered(fate, std::move(error));
  }
  WebHdfsAnswer answer{.status = response->status, .headers = response->headers};
  answer.json = parse_webhdfs_json(response->body);
  answer.exception = remote_exception_of(answer.json);
  if (!answer.exception) answer.exception = remote_exception_in(response->body);
  if (response->status == 401)
    return not_answered(Fate::refused, unauthenticated(*response, server, where));
  if (is_success(response->status)) {
    const bool makes_sense =
        !answer.exception && (response->body.empty() || !answer.json.is_discarded());
    if (!makes_sense) return not_answered(Fate::unknown, nonsense(server, *response, where));
    // Without a body it would pass for a success of what answers with nothing.
    if (response->status == 307 && !is_led_on)
      return not_answered(Fate::unknown, led_on(response->headers, server, where));
    return {.fate = Fate::answered, .answer = std::move(answer), .error = {}};
  }
  if (!answer.exception) return not_answered(Fate::unknown, nonsense(server, *response, where));
  Error error = error_of(*answer.exception, where);
  if (means_standby(*answer.exception)) return not_answered(Fate::standby, std::move(error));
  if (means_later(*answer.exception)) return not_answered(Fate::later, std::move(error));
  if (response->status >= 500 || means_cut_off(*answer.exception)) {
    error.code = ErrorCode::unavailable;
    return not_answered(Fate::unknown, std::move(error));
  }
  return {.fate = Fate::answered, .answer = std::move(answer), .error = {}};
}

std::string NameNodes::url_of(const WebHdfsRequest& request, std::size_t node) const {
  std::string url = addresses_[node] + "/webhdfs/v1" + url_encoded(request.path) +
                    "?op=" + request.op + request.query;
  if (!settings_.user.empty()) url += "&user.name=" + url_encoded(settings_.user);
  return url;
}

Result<WebHdfsAnswer> NameNodes::ask(const WebHdfsRequest& request) {
  Backoff attempts = backoff();
  return ask(request, /*is_change=*/false, attempts);
}

Result<WebHdfsAnswer> NameNodes::ask_to_change(const WebHdfsRequest& request) {
  Backoff attempts = backoff();
  return ask_to_change(request, attempts);
}

Result<WebHdfsAnswer> NameNodes::ask_to_change(const WebHdfsRequest& request, Backoff& backoff) {
  return ask(request, /*is_change=*/true, backoff);
}

Result<WebHdfsAnswer> NameNodes::ask(const WebHdfsRequest& request, bool is_change,
                                     Backoff& backoff) {
  while (true) {
    Missed last;
    if (auto answer = ask_each(request, is_change, last)) return *std::move(answer);
    const bool is_more = last.may_be_done ? backoff.again() : backoff.again_undone(patience());
    if (!is_more) return std::move(last.error);
  }
}

std::optional<Result<WebHdfsAnswer>> NameNodes::ask_each(const WebHdfsRequest& request,
                                                         bool is_change, Missed& last) {
  for (std::size_t tried = 0; tried < addresses_.size(); ++tried) {
    std::size_t node = active_.load();
    const std::string url = url_of(request, node);
    JudgedAnswer judged =
        judge(transport_.exchange({.method = request.method,
                                   .url = url,
                                   .most_response_bytes = request.most_response_bytes},
                                  settings_.request_timeout),
              url, request.where, request.is_led_on);
    if (judged.fate != Fate::unknown && judged.fate != Fate::unreached) has_answered_.store(true);
    if (judged.fate == Fate::answered) return std::move(judged.answer);
    if (judged.fate == Fate::refused) return std::move(judged.error);
    const Fate fate = judged.fate;
    last.may_be_done = last.may_be_done || fate == Fate::unknown;
    // A standby one says less than one that can't be reached.
    if (fate != Fate::standby || last.error.message.empty()) last.error = std::move(judged.error);
    if (fate == Fate::later) break;
    // Others may have gone on to the next one meanwhile: not past it.
    active_.compare_exchange_strong(node, (node + 1) % addresses_.size());
    if (fate == Fate::unknown && is_change) return std::move(last.error);
  }
  return std::nullopt;
}

Result<WebHdfsAnswer> NameNodes::ask_for_data_node(WebHdfsRequest request,
                                                   std::set<std::string>& dead, Backoff& attempts) {
  const std::string query = request.query;
  request.is_led_on = true;
  while (true) {
    request.query = query;
    if (!dead.empty()) {
      const std::vector<std::string> hosts(dead.begin(), dead.end());
      request.query += "&excludedatanodes=" + url_encoded(join(hosts, ","));
    }
    Result<WebHdfsAnswer> asked = ask(request, /*is_change=*/false, attempts);
    const bool is_none =
        asked && asked->exception &&
        (means_no_data_node(*asked->exception) || means_no_holder(*asked->exception));
    if (!is_none) return asked;
    if (!dead.empty()) {
      dead.clear();
    } else if (!attempts.again()) {
      return asked;
    }
  }
}

Result<std::string> NameNodes::data_node_for(const WebHdfsRequest& request,
                                             std::set<std::string>& dead) {
  Backoff attempts = backoff();
  while (true) {
    const WebHdfsAnswer answer =
        SR_TRY(success_of(ask_for_data_node(request, dead, attempts), request.where));
    Result<std::string> location = location_in(answer, request.where);
    if (location || !attempts.again()) return location;
  }
}

Result<std::string> NameNodes::location_in(const WebHdfsAnswer& answer,
                                           const std::string& where) const {
  std::string location = header_of(answer.headers, "location");
  const bool is_plain = location.starts_with("http://");
  const bool is_url = is_plain || location.starts_with("https://");
  if (is_plain && is_encrypted()) return not_encrypted(location, where);
  if (answer.status == 307 && is_url) return location;
  return Error{.code = ErrorCode::unavailable,
               .message = "the name node names no data node (HTTP status " +
                          std::to_string(answer.status) + ")",
               .where = where,
               .why = location.empty() ? "" : "it leads to " + first_bytes(server_of(location))};
}

Result<WebHdfsStatus> NameNodes::status(const std::string& path, const std::string& where) {
  Backoff attempts = backoff();
  const WebHdfsRequest request{.op = "GETFILESTATUS", .path = path, .where = where};
  while (true) {
    const WebHdfsAnswer answer =
        SR_TRY(success_of(ask(request, /*is_change=*/false, attempts), where));
    if (std::optional<WebHdfsStatus> status = file_status_of(answer.json)) return *status;
    if (!attempts.again()) {
      return nonsense("the name node", {.status = answer.status, .headers = {}, .body = {}}, where);
    }
  }
}

Result<WebHdfsAnswer> success_of(Result<WebHdfsAnswer> answer, const std::string& where) {
  if (answer && answer->exception) return error_of(*answer->exception, where);
  return answer;
}

}  // namespace streamrun
