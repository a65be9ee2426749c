#include <streamrun/rest/http_client.h>
#include <streamrun/rest/http_message.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

using State = RequestParser::State;

int refusal_of(const std::string& bytes) {
  RequestParser parser;
  if (parser.take(bytes) != State::refused) return 0;
  CHECK_FALSE(parser.why().empty());
  return parser.status();
}

}  // namespace

TEST_CASE("request: is the same in whatever portions it comes", "[rest]") {
  const std::string bytes =
      "POST /v1/jobs/7/stop?a=b&mode=cancel&c HTTP/1.1\r\nHost: localhost:1\r\n"
      "Content-LENGTH:  7 \r\n\r\n{\"a\":1}and more";
  for (std::size_t portion = 1; portion <= bytes.size(); ++portion) {
    RequestParser parser;
    State state = State::incomplete;
    for (std::size_t at = 0; at < bytes.size() && state == State::incomplete; at += portion)
      state = parser.take(std::string_view(bytes).substr(at, portion));
    REQUIRE(state == State::complete);
    CHECK(parser.request().method == "POST");
    CHECK(parser.request().path == "/v1/jobs/7/stop");
    CHECK(parser.request().parameter("mode") == "cancel");
    CHECK(parser.request().parameter("c").empty());
    CHECK(parser.request().header("host") == "localhost:1");
    CHECK(parser.request().body == "{\"a\":1}");
  }
}

TEST_CASE("request: a body of GET is taken, as Flink's client sends it", "[rest]") {
  RequestParser parser;
  CHECK(parser.take("GET /v1/jobs/overview HTTP/1.1\r\nContent-Length: 2\r\n\r\n{") ==
        State::incomplete);
  CHECK(parser.take("}") == State::complete);
  CHECK(parser.request().body == "{}");
}

TEST_CASE("request: what is not HTTP/1.1, or not clear, is refused", "[rest]") {
  const std::string end = "\r\n\r\n";
  CHECK(refusal_of("hello" + end) == 400);
  CHECK(refusal_of(end) == 400);
  CHECK(refusal_of("GET / HTTP/2.0" + end) == 400);
  CHECK(refusal_of("GET /a b HTTP/1.1" + end) == 400);
  CHECK(refusal_of("GET jobs HTTP/1.1" + end) == 400);
  CHECK(refusal_of("GET http://elsewhere/ HTTP/1.1" + end) == 400);
  CHECK(refusal_of("G\x01T / HTTP/1.1" + end) == 400);
  CHECK(refusal_of("GET /\x80 HTTP/1.1" + end) == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nno colon" + end) == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nA: b\r\n folded: c" + end) == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nA: b" + std::string(1, '\0') + end) == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: -1" + end) == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 0x10" + end) == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999" + end) == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3" + end) == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked" + end) == 411);
}

TEST_CASE("request: what is too long is refused before it is all there", "[rest]") {
  CHECK(refusal_of("GET /" + std::string(kMaxHeadBytes, 'a')) == 431);
  CHECK(refusal_of(std::string(kMaxHeadBytes + kMaxRequestBodyBytes + 5, 'a')) == 431);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: " +
                   std::to_string(kMaxRequestBodyBytes + 1) + "\r\n\r\n") == 413);
  std::string many = "GET / HTTP/1.1";
  for (std::size_t i = 0; i <= kMaxHeaders; ++i) many += "\r\na: b";
  CHECK(refusal_of(many + "\r\n\r\n") == 400);

  RequestParser parser;
  const std::string head =
      "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(kMaxRequestBodyBytes) + "\r\n\r\n";
  CHECK(parser.take(head) == State::incomplete);
  CHECK(parser.take(std::string(kMaxRequestBodyBytes, 'x')) == State::complete);
  CHECK(parser.request().body.size() == kMaxRequestBodyBytes);
}

TEST_CASE("response: is read back as it was written; one that is cut short is an error", "[rest]") {
  const std::string bytes = response_bytes(409, R"({"errors":["x"]})");
  const auto response = parse_response(bytes);
  REQUIRE(response);
  CHECK(response->status == 409);
  CHECK(response->body == R"({"errors":["x"]})");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_response(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(parse_response("SSH-2.0-OpenSSH\r\n\r\n"));
  CHECK_FALSE(parse_response("HTTP/1.1 abc\r\n\r\n"));
  const auto chunked = parse_response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n3\r\n\":1\r\n1\r\n}\r\n"
      "0\r\n\r\n");
  REQUIRE(chunked);
  CHECK(chunked->body == "{\"a\":1}");
  CHECK_FALSE(parse_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}\r\n"));
}

TEST_CASE("address: host:port or a URL of http; anything else is a usage error", "[rest]") {
  CHECK(parse_http_address("localhost:8081")->url() == "http://localhost:8081");
  CHECK(parse_http_address("http://host:1/flink/")->url() == "http://host:1/flink");
  CHECK(parse_http_address("[::1]:9")->url() == "http://[::1]:9");
  CHECK(parse_http_address("[::1]:9")->host == "::1");
  for (const char* const bad : {"", "host", ":1", "host:", "host:0", "host:70000", "host:x",
                                "https://host:1", "a b:1", "[]:1", "[[a]]:1", "host:1/a\r\nb"}) {
    INFO(bad);
    const auto address = parse_http_address(bad);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::usage);
  }
}

}  // namespace streamrun::test
