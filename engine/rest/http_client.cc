#include <streamrun/config/values.h>
#include <streamrun/platform/tcp.h>
#include <streamrun/rest/http_client.h>
#include <streamrun/rest/http_message.h>

#include <array>
#include <utility>

namespace streamrun {
namespace {

Error no_address(std::string_view text, std::string why) {
  return {.code = ErrorCode::usage,
          .message = "no address of a running job: " + std::string(text.substr(0, 200)),
          .why = std::move(why),
          .tries = {"-m localhost:8081"},
          .retry = Retry::no};
}

std::string with_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string HttpAddress::url() const {
  return "http://" + with_brackets(host) + ":" + std::to_string(port) + path;
}

Result<HttpAddress> parse_http_address(std::string_view text) {
  std::string_view rest = text;
  constexpr std::string_view kScheme = "http://";
  if (rest.starts_with("https:")) return no_address(text, "TLS is not supported");
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  HttpAddress address;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) address.path = rest.substr(slash);
  while (address.path.ends_with('/')) address.path.pop_back();
  rest = rest.substr(0, slash);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return no_address(text, "it has the form host:port");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]") != std::string_view::npos)
    return no_address(text, "it has the form host:port");
  const Result<std::uint16_t> port = parse_port(rest.substr(colon + 1));
  if (!port) return no_address(text, "a port is a number from 1 to 65535");
  for (const std::string_view part : {host, std::string_view(address.path)}) {
    for (const char c : part) {
      if (c <= 0x20 || c >= 0x7f) return no_address(text, "it has a character that no address has");
    }
  }
  address.host = host;
  address.port = *port;
  return address;
}

Result<HttpResponse> HttpClient::exchange(const HttpRequest& request, Duration timeout) {
  HttpAddress address = SR_TRY(parse_http_address(request.url));
  if (address.path.empty()) address.path = "/";
  TcpStream stream = SR_TRY(TcpStream::connect(address.host, address.port, timeout));
  const std::string host = with_brackets(address.host) + ":" + std::to_string(address.port);
  SR_TRY(stream.write(request_bytes(request, host, address.path)));
  std::string bytes;
  std::array<char, 16384> part{};
  while (true) {
    const std::size_t count = SR_TRY(stream.read(part.data(), part.size()));
    if (count == 0) return parse_response(bytes);
    if (bytes.size() + count > kMaxResponseBytes) {
      return Error{.code = ErrorCode::unavailable,
                   .message = "what answers there is not a running job",
                   .why = "its answer is longer than 8 MiB"};
    }
    bytes.append(part.data(), count);
  }
}

}  // namespace streamrun
