// Over real sockets: what clients may do to a server, and so to the job beside it.
#include <streamrun/rest/http_client.h>
#include <streamrun/rest/rest_server.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_job.h"
#include "raw_socket.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;

struct ServedWorld : FakeWorld {
  ServedWorld() : server(value_or_throw(RestServer::start("127.0.0.1", {{0, 0}}, api))) {}

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server->port()) + path;
  }
  Result<HttpResponse> get(const std::string& path) {
    return client.exchange({.method = "GET", .url = url(path), .headers = {}, .body = "{}"}, 10s);
  }
  RawSocket connect() const { return RawSocket::connect(server->port()); }
  /// All that the server answers to these bytes.
  std::string answer_to(const std::string& bytes) const {
    const RawSocket socket = connect();
    socket.write(bytes);
    return socket.read_all();
  }

  HttpClient client;
  std::unique_ptr<RestServer> server;
};

}  // namespace

TEST_CASE("rest server: answers over a socket, one request a connection", "[rest]") {
  ServedWorld world;
  for (int i = 0; i < 100; ++i) {
    const auto response = world.get("/v1/jobs/overview");
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body.find(FakeJob::kId) != std::string::npos);
  }
  CHECK(world.get("/nowhere")->status == 404);
}

TEST_CASE("rest server: a request is the same in whatever portions it comes", "[rest]") {
  const ServedWorld world;
  const std::string bytes =
      "POST /v1/jobs/" + std::string(FakeJob::kId) +
      "/savepoints?a HTTP/1.1\r\nHost: localhost:1\r\nContent-LENGTH:  3 \r\n\r\n[1]";
  for (const std::size_t portion : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    const RawSocket socket = world.connect();
    for (std::size_t at = 0; at < bytes.size(); at += portion)
      REQUIRE(socket.write(std::string_view(bytes).substr(at, portion)));
    const std::string answer = socket.read_all();
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.find("is not a JSON object") != std::string::npos);
    CHECK(answer.find("Content-Type: application/json; charset=UTF-8\r\n") != std::string::npos);
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  }
}

TEST_CASE("rest server: a body of GET is taken, as Flink's client sends it", "[rest]") {
  const ServedWorld world;
  const RawSocket socket = world.connect();
  REQUIRE(socket.write("GET /v1/jobs/overview HTTP/1.1\r\nContent-Length: 2\r\n\r\n{"));
  REQUIRE(socket.write("}"));
  CHECK(socket.read_all().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("rest server: pages of other sites are refused, whatever method and case", "[rest]") {
  const ServedWorld world;
  CHECK(world.answer_to("GET /jobs HTTP/1.1\r\nhost: evil.example\r\n\r\n")
            .starts_with("HTTP/1.1 403 "));
  CHECK(world.answer_to("GET /jobs HTTP/1.1\r\nHost: a\r\nORIGIN: http://evil.example\r\n\r\n")
            .starts_with("HTTP/1.1 403 "));
  CHECK(world.answer_to("OPTIONS /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .starts_with("HTTP/1.1 405 "));
  CHECK(world.answer_to("HEAD /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n").ends_with("\r\n\r\n"));
}

TEST_CASE("rest server: what is not HTTP/1.1, or not clear, is refused", "[rest]") {
  const ServedWorld world;
  const std::string end = "\r\n\r\n";
  for (const std::string& bytes :
       {"hello" + end, end, "GET / HTTP/2.0" + end, "GET jobs HTTP/1.1" + end,
        "GET http://elsewhere/ HTTP/1.1" + end, "GET /a b HTTP/1.1" + end,
        "GET /\x80 HTTP/1.1" + end, "GET / HTTP/1.1\r\nno colon" + end,
        "POST / HTTP/1.1\r\nContent-Length: -1" + end,
        "POST / HTTP/1.1\r\nContent-Length: 0x10" + end}) {
    INFO(bytes);
    CHECK(world.answer_to(bytes).starts_with("HTTP/1.1 400 "));
  }
  CHECK(world.answer_to("BREW /coffee HTTP/1.1" + end).starts_with("HTTP/1.1 501 "));
}

TEST_CASE("rest server: garbage gets an error or nothing, and the next one is answered", "[rest]") {
  ServedWorld world;
  std::string bytes(2000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37);
  CHECK(world.answer_to(bytes + "\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(world.answer_to("\x16\x03\x01\x02\r\n\r\n").starts_with("HTTP/1.1 400 "));
  { const RawSocket gone = world.connect(); }
  {
    const RawSocket half = world.connect();
    REQUIRE(half.write("POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"));
    half.finish();
  }
  CHECK(world.get("/jobs")->status == 200);
}

TEST_CASE("rest server: what is too long is refused", "[rest]") {
  ServedWorld world;
  CHECK(world.answer_to("GET /" + std::string(RestServer::kMaxHeadBytes, 'a') + " HTTP/1.1\r\n\r\n")
            .starts_with("HTTP/1.1 431 "));
  CHECK(world.answer_to("GET / HTTP/1.1\r\nA: " + std::string(1 << 20, 'x'))
            .starts_with("HTTP/1.1 400 "));
  const std::size_t most = RestServer::kMaxRequestBodyBytes;
  const std::string post = "POST /jobs HTTP/1.1\r\nContent-Length: ";
  CHECK(world.answer_to(post + std::to_string(most) + "\r\n\r\n" + std::string(most, 'x'))
            .starts_with("HTTP/1.1 405 "));
  CHECK(world.answer_to(post + std::to_string(most + 1) + "\r\n\r\n" + std::string(most + 1, 'x'))
            .starts_with("HTTP/1.1 413 "));
  CHECK(world
            .answer_to("POST /jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n" +
                       std::string(0x40000, 'x'))
            .starts_with("HTTP/1.1 413 "));
  // Whoever does not send what it promised is cut off.
  CHECK(world.answer_to(post + "1000000000\r\n\r\n{").empty());
}

TEST_CASE("rest server: who sends a byte now and then for ever is cut off", "[rest]") {
  const ServedWorld world;
  const RawSocket slow = world.connect();
  REQUIRE(slow.write("GET /jobs HTTP/1.1\r\nA: "));
  while (slow.write("x")) std::this_thread::sleep_for(20ms);
  SUCCEED();
}

TEST_CASE("rest server: more connections than it takes are closed, and it recovers", "[rest]") {
  ServedWorld world;
  std::vector<RawSocket> silent;
  for (std::size_t i = 0; i < 3 * RestServer::kMostConnections; ++i)
    silent.push_back(world.connect());
  // Those beyond the limit hear of it at once, long before the silent ones run out of time.
  CHECK(silent.back().read_all().empty());
  silent.clear();
  while (true) {
    const auto response = world.get("/jobs");
    if (response) {
      CHECK(response->status == 200);
      break;
    }
  }
}

TEST_CASE("rest server: a client that says nothing does not keep it from ending", "[rest]") {
  auto world = std::make_unique<ServedWorld>();
  const RawSocket silent = world->connect();
  CHECK(world->get("/jobs")->status == 200);
  world->server.reset();  // would take the whole time that a client has
  SUCCEED();
}

TEST_CASE("rest server: takes the first free port of a list, and says why if there is none",
          "[rest]") {
  ServedWorld world;
  const std::uint16_t taken = world.server->port();
  const auto refused = RestServer::start("127.0.0.1", {{taken, taken}}, world.api);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  const auto other = RestServer::start("127.0.0.1", {{taken, taken}, {0, 0}}, world.api);
  REQUIRE(other);
  CHECK((*other)->port() != taken);
  CHECK_FALSE(RestServer::start("192.0.2.1", {{0, 0}}, world.api));
  CHECK_FALSE(RestServer::start("no such host", {{0, 0}}, world.api));
}

TEST_CASE("rest server: after drain nobody new is answered", "[rest]") {
  ServedWorld world;
  CHECK(world.get("/jobs")->status == 200);
  world.server->drain(10s);
  CHECK_FALSE(world.client.exchange(
      {.method = "GET", .url = world.url("/jobs"), .headers = {}, .body = {}}, 100ms));
}

}  // namespace streamrun::test
