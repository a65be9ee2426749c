#include <streamrun/base/strings.h>
#include <streamrun/storage/s3/s3_endpoint.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace streamrun {
namespace {

Error refused(const std::string& what) {
  return {.code = ErrorCode::config,
          .message = "s3.endpoint " + what,
          .tries = {"s3.endpoint: https://HOST:PORT"},
          .retry = Retry::no};
}

bool is_plain(char c) {
  return c > ' ' && c <= '~' && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

/// Nothing, or the port that stands behind the last colon, as far as it is none of an IPv6 address.
bool has_good_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return true;
  const std::string_view port = authority.substr(colon + 1);
  const bool is_number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number && colon > 0 && std::stoi(std::string(port)) <= 65'535;
}

}  // namespace

Result<void> check_s3_endpoint(const std::string& endpoint) {
  if (endpoint.empty()) return {};
  if (endpoint.find('@') != std::string::npos)
    return refused("holds a user: who asks is told by s3.access-key and s3.secret-key");
  if (endpoint.find_first_of("?#") != std::string::npos)
    return refused("holds a query or a fragment, which no store has in its address");
  if (!std::all_of(endpoint.begin(), endpoint.end(), is_plain))
    return refused("holds a character that no URL has");
  const std::size_t mark = endpoint.find("://");
  const std::string scheme =
      mark == std::string::npos ? "https" : to_lower_ascii(endpoint.substr(0, mark));
  if (scheme != "http" && scheme != "https")
    return refused("has the scheme \"" + scheme + "\": it is http or https");
  const std::string_view rest =
      std::string_view(endpoint).substr(mark == std::string::npos ? 0 : mark + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty()) return refused("names no host");
  if (!has_good_port(authority)) return refused("has a port that is no number up to 65535");
  return {};
}

}  // namespace streamrun
