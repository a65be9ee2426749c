// The running job's REST as Flink's clients see it: what they send, and shapes of what they get.
#include <streamrun/rest/http_client.h>

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/running_world.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;

class Client {
 public:
  explicit Client(std::string address) : address_(std::move(address)) {}
  HttpResponse send(const std::string& method, const std::string& path,
                    const std::string& body = "{}") {
    auto response = transport_.exchange({.method = method,
                                         .url = "http://" + address_ + path,
                                         .headers = {{"Content-Type", "application/json"}},
                                         .body = body},
                                        10s);
    REQUIRE(response);
    return *std::move(response);
  }
  nlohmann::json poll(const std::string& path) {
    while (true) {
      const HttpResponse response = send("GET", path);
      INFO(response.body);
      REQUIRE(response.status == 200);
      const auto body = nlohmann::json::parse(response.body);
      if (body["status"]["id"] == "COMPLETED") return body["operation"];
    }
  }

 private:
  HttpClient transport_;
  const std::string address_;
};

std::string request_id_of(const HttpResponse& response) {
  return nlohmann::json::parse(response.body)["request-id"].get<std::string>();
}

}  // namespace

TEST_CASE("protocol: a stop is answered to whoever polls, before the process ends", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  Client client(world.address());
  const std::string path = "/v1/jobs/" + kOne;
  CHECK(client.send("GET", path).status == 200);
  const HttpResponse begun =
      client.send("POST", path + "/stop",
                  R"({"targetDirectory":")" + world.at("sp") +
                      R"(","drain":false,"formatType":"CANONICAL","triggerId":null})");
  REQUIRE(begun.status == 202);
  const auto done = client.poll(path + "/savepoints/" + request_id_of(begun));
  CHECK(contains(done["location"], "/sp/savepoint-012345-"));
  const Outcome ended = job->wait(30s);
  CHECK(ended.status == 0);
  CHECK(contains(ended.err, "FINISHED after"));
}

TEST_CASE("protocol: hostile requests are answered or dropped, and the job goes on", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  Client client(world.address());
  CHECK(client.send("POST", "/v1/jobs/" + kOne + "/savepoints", "]").status == 400);
  CHECK(client.send("POST", "/v1/jobs/" + kOne + "/savepoints", std::string(66000, '[')).status ==
        413);
  CHECK(client.send("DELETE", "/v1/cluster").status == 404);
  CHECK(client.send("GET", "/" + std::string(10000, 'a')).status == 404);
  CHECK(client.send("GET", "/" + std::string(50000, 'a')).status == 431);
  CHECK(client.send("GET", "/v1/jobs/overview").status == 200);
  CHECK(world.listed()[0]["state"] == "RUNNING");
}

TEST_CASE("rest.port: a fixed port is taken; one that is taken is warned of, and the job runs",
          "[running]") {
  const RunningWorld world;
  const auto first = world.start(kOne);
  const std::string address = world.address();
  const std::string port = address.substr(address.rfind(':') + 1);
  const auto second = world.begin({"run", "-D", "rest.port=" + port, "broken", "--how", "run"});
  REQUIRE(second->wait_for_err("cannot listen on 127.0.0.1:" + port, 20s));
  REQUIRE(second->wait_for_err("RUNNING", 20s));
  const auto listed = world.listed();
  REQUIRE(listed.size() == 2);
  CHECK(listed[1]["web"] == "");
  const std::string id = listed[1]["job_id"];
  const Outcome refused = world.command({"cancel", id});
  CHECK(refused.status == 69);
  CHECK(contains(refused.err, "serves no REST"));
}

}  // namespace streamrun::test
