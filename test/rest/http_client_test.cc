// What a client makes of servers that are no running job, over real sockets.
#include <streamrun/rest/http_client.h>

#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "raw_socket.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;

/// What the client makes of these bytes, after which the server closes the connection.
Result<HttpResponse> response_to(const std::string& bytes, const std::string& host = "127.0.0.1") {
  const RawListener listener;
  std::thread server([&] {
    RawSocket client = listener.accept();
    client.read_until("\r\n\r\n");
    client.write(bytes);
  });
  auto response = HttpClient().exchange(
      {.method = "GET",
       .url = "http://" + host + ":" + std::to_string(listener.port()) + "/a?b",
       .headers = {},
       .body = {}},
      10s);
  server.join();
  return response;
}

}  // namespace

TEST_CASE("client: reads answers with a length, in chunks, and up to the end", "[rest]") {
  const auto sized = response_to("HTTP/1.1 409 Conflict\r\nA-B: c\r\nContent-Length: 2\r\n\r\n{}");
  REQUIRE(sized);
  CHECK(sized->status == 409);
  CHECK(sized->headers.front() == std::pair<std::string, std::string>("a-b", "c"));
  CHECK(sized->body == "{}");
  const auto chunked = response_to(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n3\r\n\":1\r\n1\r\n}\r\n"
      "0\r\n\r\n");
  REQUIRE(chunked);
  CHECK(chunked->body == "{\"a\":1}");
  const auto open = response_to("HTTP/1.1 200 OK\r\n\r\n{\"a\":2}");
  REQUIRE(open);
  CHECK(open->body == "{\"a\":2}");
}

TEST_CASE("client: an answer that is cut short, no HTTP or too long is an error", "[rest]") {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    const auto cut = response_to(whole.substr(0, size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == ErrorCode::unavailable);
  }
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH\r\n\r\n"), std::string("HTTP/1.1 abc\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n" + std::string((8U << 20U) + 1, 'x')}) {
    INFO(bytes.substr(0, 60));
    const auto response = response_to(bytes);
    REQUIRE_FALSE(response);
    CHECK(response.error().message == "what answers there is not a running job");
  }
}

TEST_CASE("client: tries all addresses of a name", "[rest]") {
  // Where localhost is ::1 as well, nothing listens there.
  const auto response = response_to("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "localhost");
  REQUIRE(response);
  CHECK(response->status == 200);
}

TEST_CASE("client: a server that says nothing is given up in time", "[rest]") {
  const RawListener listener;  // the kernel takes the connection
  const auto response =
      HttpClient().exchange({.method = "GET",
                             .url = "http://127.0.0.1:" + std::to_string(listener.port()) + "/",
                             .headers = {},
                             .body = {}},
                            50ms);
  REQUIRE_FALSE(response);
  CHECK(response.error().message == "the other side did not answer in its time");
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
