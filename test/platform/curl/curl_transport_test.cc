#include <streamrun/platform/curl/curl_transport.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "canned_server.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLong = 30s;

std::string answer(const std::string& status, const std::string& body,
                   const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

/// Answers each request of a connection with its own head as the body.
void echo(int connection) {
  while (true) {
    auto [head, rest] = read_head(connection);
    if (head.empty()) return;
    const std::size_t length = head.find("Content-Length: ");
    const std::size_t body = length == std::string::npos ? 0 : std::stoul(head.substr(length + 16));
    while (rest.size() < body && read_more(connection, rest)) {
    }
    write_text(connection, answer("200 OK", head + rest, "X-Name: Some Value \r\nx-name: two\r\n"));
  }
}

TEST_CASE("curl transport: a request goes out as it is written, and the response comes back",
          "[platform]") {
  const CannedServer server(echo);
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  const HttpResponse got = transport
                               ->exchange({.method = "PUT",
                                           .url = server.url("/a/../b%20c?x=1&y=%2F"),
                                           .headers = {{"x-one", "1"}, {"x-empty", ""}},
                                           .body = std::string("bo\0dy", 5)},
                                          kLong)
                               .value();
  CHECK(got.status == 200);
  CHECK(got.body.starts_with("PUT /a/../b%20c?x=1&y=%2F HTTP/1.1\r\n"));
  CHECK(got.body.ends_with(std::string("\r\n\r\nbo\0dy", 9)));
  CHECK(has_line(got.body, "x-one: 1"));
  CHECK(has_line(got.body, "x-empty:"));
  CHECK(has_line(got.body, "Content-Length: 5"));
  CHECK(got.body.find("Expect") == std::string::npos);
  CHECK(got.body.find("Content-Type") == std::string::npos);
  const auto values = std::count_if(got.headers.begin(), got.headers.end(),
                                    [](const auto& each) { return each.first == "x-name"; });
  CHECK(values == 2);
  CHECK(std::find(got.headers.begin(), got.headers.end(),
                  std::pair<std::string, std::string>("x-name", "Some Value")) !=
        got.headers.end());
}

TEST_CASE("curl transport: each method is sent with the body that belongs to it", "[platform]") {
  const CannedServer server(echo);
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  const auto [method, length] = GENERATE(table<std::string, std::string>(
      {{"GET", ""}, {"DELETE", ""}, {"PUT", "Content-Length: 0"}, {"POST", "Content-Length: 0"}}));
  const HttpResponse got =
      transport->exchange({.method = method, .url = server.url("/")}, kLong).value();
  CHECK(got.body.starts_with(method + " / HTTP/1.1\r\n"));
  CHECK((got.body.find("Content-Length") == std::string::npos) == length.empty());
  const HttpResponse head =
      transport->exchange({.method = "HEAD", .url = server.url("/")}, 2s).value();
  CHECK(head.status == 200);
  CHECK(head.body.empty());
}

TEST_CASE("curl transport: every status is a value, and a redirect is not followed", "[platform]") {
  const CannedServer server([](int connection) {
    read_head(connection);
    write_text(connection, answer("307 There", "no", "Location: http://127.0.0.1:1/\r\n"));
  });
  const HttpResponse got = make_curl_transport()->exchange({.url = server.url("/")}, kLong).value();
  CHECK(got.status == 307);
  CHECK(got.body == "no");
}

TEST_CASE("curl transport: a connection is used again", "[platform]") {
  const CannedServer server(echo);
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  for (int i = 0; i < 5; ++i) CHECK(transport->exchange({.url = server.url("/")}, kLong));
  CHECK(server.connections() == 1);
}

TEST_CASE("curl transport: what does not arrive whole is E-UNAVAILABLE", "[platform]") {
  const auto [sent, message] = GENERATE(table<std::string, std::string>({
      {"", "the exchange with the server broke off"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
       "the exchange with the server broke off"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x'),
       "the server's answer is longer than anything it was asked for"},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x'),
       "the server's answer is longer than anything it was asked for"},
      {"not HTTP at all\r\n\r\n", "the exchange with the server broke off"},
      {"HTTP/1.1 200 OK\r\nX-Name: whole\r\n", "the exchange with the server broke off"},
      {"HTTP/1.1 307 There\r\nX-Name: whole\r\nLocation: http://ha",
       "the exchange with the server broke off"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
       "the exchange with the server broke off"},
  }));
  const CannedServer server([&sent = sent](int connection) {
    read_head(connection);
    write_text(connection, sent);
  });
  const Result<HttpResponse> got = make_curl_transport()->exchange(
      {.url = server.url("/secret/../path?token=hidden"), .most_response_bytes = 1000}, kLong);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::unavailable);
  CHECK(got.error().message == message);
  CHECK(got.error().where == server.url("/secret/../path"));
}

TEST_CASE("curl transport: nobody there, and nobody who answers", "[platform]") {
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  const Result<HttpResponse> nobody = transport->exchange({.url = "http://127.0.0.1:1/"}, kLong);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().message == "the server cannot be reached");
  const CannedServer silent([](int connection) {
    read_head(connection);
    std::string rest;
    while (read_more(connection, rest)) {
    }
  });
  const Result<HttpResponse> late = transport->exchange({.url = silent.url("/")}, 50ms);
  REQUIRE_FALSE(late);
  CHECK(late.error().message == "the server did not answer in its time");
  CHECK_FALSE(transport->exchange({.url = "ftp://127.0.0.1/"}, kLong));
}

TEST_CASE("curl transport: exchanges run side by side and can be broken off", "[platform]") {
  // One connection is served at a time, so that all but one wait.
  const CannedServer server(echo);
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  std::vector<std::unique_ptr<HttpExchange>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(transport->start({.url = server.url("/" + std::to_string(i))}, kLong));
  CHECK(all[0]->wait().value().body.starts_with("GET /0 "));
  all.clear();
}

// ThreadSanitizer follows no threads into a forked process.
#ifndef __SANITIZE_THREAD__
TEST_CASE("curl transport: a process that forked goes on with a network of its own", "[platform]") {
  const CannedServer server(echo);
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  // It starts the thread, and leaves the server free for the child's connection.
  REQUIRE_FALSE(transport->exchange({.url = "http://127.0.0.1:1/"}, kLong));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const Result<HttpResponse> got = transport->exchange({.url = server.url("/child")}, kLong);
    std::_Exit(got && got->status == 200 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

/// The body of a chunked request, without its framing; what follows its end is left out.
std::string read_chunks(int connection, std::string text) {
  std::string body;
  while (true) {
    while (text.find("\r\n") == std::string::npos) {
      if (!read_more(connection, text)) return body + "<cut>";
    }
    const std::size_t line = text.find("\r\n");
    const std::size_t size = std::stoul(text.substr(0, line), nullptr, 16);
    while (text.size() < line + 2 + size + 2) {
      if (!read_more(connection, text)) return body + "<cut>";
    }
    if (size == 0) return body;
    body += text.substr(line + 2, size);
    text.erase(0, line + 2 + size + 2);
  }
}

struct Received {
  std::mutex mutex;
  std::string body;  // guarded by mutex
};

TEST_CASE("curl transport: a body larger than what is kept back arrives whole", "[platform]") {
  Received received;
  {
    const CannedServer server([&](int connection) {
      auto [head, rest] = read_head(connection);
      const std::string body = read_chunks(connection, rest);
      const std::lock_guard lock(received.mutex);
      received.body = body;
      write_text(connection, answer("201 Created", ""));
    });
    const std::unique_ptr<StoreTransport> transport = make_curl_transport();
    const std::unique_ptr<HttpUpload> upload =
        transport->upload({.method = "PUT", .url = server.url("/")}, kLong);
    std::string sent;
    for (int i = 0; i < 50; ++i) {
      const std::string part(100'000, static_cast<char>('a' + i % 26));
      sent += part;
      REQUIRE(upload->append(part));
    }
    CHECK(upload->finish().value().status == 201);
    const std::lock_guard lock(received.mutex);
    CHECK(received.body == sent);
  }
}

TEST_CASE("curl transport: an upload that is given up is cut short", "[platform]") {
  Received received;
  {
    const CannedServer server([&](int connection) {
      auto [head, rest] = read_head(connection);
      const std::string body = read_chunks(connection, rest);
      const std::lock_guard lock(received.mutex);
      received.body = body;
    });
    const std::unique_ptr<StoreTransport> transport = make_curl_transport();
    const std::unique_ptr<HttpUpload> upload =
        transport->upload({.method = "PUT", .url = server.url("/")}, kLong);
    REQUIRE(upload->append("some"));
  }
  CHECK((received.body == "some<cut>" || received.body == "<cut>" || received.body.empty()));
}

TEST_CASE("curl transport: a server that answers early or takes nothing ends an upload",
          "[platform]") {
  const bool answers = GENERATE(true, false);
  const CannedServer server([answers](int connection) {
    read_head(connection);
    if (!answers) {
      ::usleep(1'000'000);
      return;
    }
    write_text(connection, answer("403 Forbidden", "<html>no\x01 entry</html>"));
    std::string rest;
    while (read_more(connection, rest)) {
    }
  });
  const std::unique_ptr<StoreTransport> transport = make_curl_transport();
  const std::unique_ptr<HttpUpload> upload =
      transport->upload({.method = "PUT", .url = server.url("/")}, 200ms);
  const std::string part(4 << 20U, 'x');
  Result<void> taken;
  for (int i = 0; i < 10 && taken; ++i) taken = upload->append(part);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::unavailable);
  const Result<HttpResponse> end = upload->finish();
  if (!answers) {
    CHECK(taken.error().message == "the server did not take a file in its time");
    CHECK_FALSE(end);
  } else if (end) {  // or the connection was reset before the answer was read
    CHECK(taken.error().why == "status 403: <html>no? entry</html>");
    CHECK(end->status == 403);
  }
}

}  // namespace
}  // namespace streamrun
