// Over real sockets: what clients may do to a server, and so to the job beside it.
#include <streamrun/platform/tcp.h>
#include <streamrun/rest/http_client.h>
#include <streamrun/rest/rest_server.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_job.h"

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
  TcpStream connect() const {
    return value_or_throw(TcpStream::connect("127.0.0.1", server->port(), 10s));
  }
  /// All that the server answers to these bytes.
  std::string answer_to(const std::string& bytes) const {
    TcpStream stream = connect();
    const Result<void> sent = stream.write(bytes);
    std::string answer;
    std::string part(4096, '\0');
    while (true) {
      const auto count = stream.read(part.data(), part.size());
      if (!count || *count == 0) return answer;
      answer.append(part, 0, *count);
    }
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

TEST_CASE("rest server: garbage gets an error or nothing, and the next one is answered", "[rest]") {
  ServedWorld world;
  std::string bytes(2000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37);
  CHECK(world.answer_to(bytes + "\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(world.answer_to("GET / HTTP/1.1\r\nA: " + std::string(1 << 20, 'x'))
            .starts_with("HTTP/1.1 431 "));
  CHECK(world.answer_to("POST /jobs HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n{")
            .starts_with("HTTP/1.1 413 "));
  CHECK(world.answer_to("\x16\x03\x01\x02\r\n\r\n").starts_with("HTTP/1.1 400 "));
  { const TcpStream gone = world.connect(); }
  {
    TcpStream half = world.connect();
    REQUIRE(half.write("POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"));
    half.expire_after(0s);
    half.finish();
  }
  CHECK(world.get("/jobs")->status == 200);
}

TEST_CASE("rest server: more connections than it takes are closed, and it recovers", "[rest]") {
  ServedWorld world;
  std::vector<TcpStream> silent;
  for (int i = 0; i < 3 * RestServer::kMostConnections; ++i) silent.push_back(world.connect());
  // Those beyond the limit hear of it at once, long before the silent ones run out of time.
  char byte = 0;
  const auto count = silent.back().read(&byte, 1);
  CHECK((!count || *count == 0));
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
  const TcpStream silent = world->connect();
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
