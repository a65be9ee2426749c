// Requests and answers of the running job's REST.
#include <streamrun/rest/http_client.h>
#include <streamrun/rest/http_message.h>

#include <string>

#include "fuzz_target.h"

namespace {

using namespace streamrun;
using State = RequestParser::State;

void check(const ReceivedRequest& request) {
  fuzz::require(request.path.starts_with('/'), "a path begins with a slash");
  fuzz::require(request.path.find('?') == std::string::npos, "a path has no query");
  fuzz::require(request.headers.size() <= kMaxHeaders, "headers are limited");
  fuzz::require(request.body.size() <= kMaxRequestBodyBytes, "a body is limited");
  fuzz::require(request.parameter("mode").size() <= request.query.size(),
                "a parameter is a part of the query");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  RequestParser whole;
  const State state = whole.take(bytes);
  RequestParser in_portions;
  State last = State::incomplete;
  for (std::size_t at = 0; at < bytes.size() && last == State::incomplete; at += 7)
    last = in_portions.take(bytes.substr(at, 7));
  fuzz::require(state == State::refused || state == last, "portions change nothing");
  if (state == State::complete) {
    check(whole.request());
    fuzz::require(whole.request().body == in_portions.request().body, "nor the body");
  }
  if (const auto response = parse_response(bytes)) {
    fuzz::require(response->body.size() <= bytes.size(), "a body is a part of the answer");
    const auto again = parse_response(response_bytes(response->status, response->body));
    fuzz::require(again && again->body == response->body, "what is written is read back");
  }
  if (const auto address = parse_http_address(bytes)) {
    const auto again = parse_http_address(address->url());
    fuzz::require(again && again->url() == address->url(), "an address leads to itself");
  }
  return 0;
}
