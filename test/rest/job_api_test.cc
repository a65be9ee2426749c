#include <streamrun/rest/job_api.h>

#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "fake_job.h"

namespace streamrun::test {

nlohmann::json FakeWorld::json(int status, const RestAnswer& answer) {
  INFO(answer.body);
  CHECK(answer.status == status);
  return nlohmann::json::parse(answer.body);
}

namespace {

const std::string kJob = std::string("/v1/jobs/") + FakeJob::kId;
const std::string kTrigger = "ffffffffffffffffffffffffffffffff";

bool mentions(const nlohmann::json& answer, const std::string& text) {
  for (const auto& error : answer.at("errors")) {
    if (error.get<std::string>().find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("rest: the overview has every member that Flink's clients read", "[rest]") {
  FakeWorld world;
  for (const char* const path : {"/v1/jobs/overview", "/jobs/overview", "/jobs/overview/"}) {
    const auto body = world.json(200, world.ask("GET", path));
    REQUIRE(body["jobs"].size() == 1);
    const auto& job = body["jobs"][0];
    CHECK(job["jid"] == FakeJob::kId);
    CHECK(job["name"] == "words");
    CHECK(job["state"] == "RUNNING");
    CHECK(job["start-time"] == 1000);
    CHECK(job["end-time"] == -1);
    CHECK(job["last-modification"] == 1500);
    CHECK(job["duration"].get<std::int64_t>() > 0);
    CHECK(job["pending-operators"] == 0);
    CHECK(job["tasks"]["total"] == 2);
    CHECK(job["tasks"]["running"] == 1);
    CHECK(job["tasks"]["initializing"] == 1);
    for (const char* const state : {"created", "scheduled", "deploying", "finished", "canceling",
                                    "canceled", "failed", "reconciling"}) {
      CHECK(job["tasks"][state] == 0);
    }
  }
  CHECK(world.json(200, world.ask("GET", "/jobs"))["jobs"][0]["status"] == "RUNNING");
  CHECK(world.json(200, world.ask("GET", kJob + "/status"))["status"] == "RUNNING");
  CHECK(world.json(200, world.ask("GET", kJob))["vertices"].size() == 1);
  CHECK(world.json(200, world.ask("GET", "/overview"))["jobs-running"] == 1);
  CHECK(world.json(200, world.ask("GET", "/v1/config"))["features"]["web-submit"] == false);
}

TEST_CASE("rest: what is not there is 404, a bad id 400, a wrong method 405", "[rest]") {
  FakeWorld world;
  CHECK(mentions(world.json(404, world.ask("GET", "/v1/jobs/" + kTrigger)),
                 "Job " + kTrigger + " not found"));
  CHECK(mentions(world.json(400, world.ask("GET", "/v1/jobs/xyz")),
                 "Cannot resolve path parameter (jobid) from value \"xyz\"."));
  CHECK(mentions(world.json(404, world.ask("GET", "/nowhere")), "Not found: /nowhere"));
  for (const char* const path : {"/", "//", "/v1", "/v1/v1/jobs", "/jobs//x/y/z/a/b", "/../etc"}) {
    const int status = world.ask("GET", path).status;
    CHECK((status == 404 || status == 400));
  }
  CHECK(world.ask("POST", "/jobs/overview").status == 405);
  CHECK(world.ask("DELETE", kJob).status == 405);
  CHECK(world.ask("TRACE", "/config").status == 405);
  CHECK(world.ask("GET", kJob + "/savepoints/" + kTrigger).status == 404);
  CHECK(world.ask("GET", kJob + "/savepoints/x").status == 400);
  CHECK(world.ask("DELETE", "/cluster").status == 404);
}

TEST_CASE("rest: a savepoint is begun once for each trigger id, and polled until it is done",
          "[rest]") {
  FakeWorld world;
  const std::string body =
      R"({"target-directory":"/sp","cancel-job":false,"formatType":"CANONICAL","triggerId":")" +
      kTrigger + "\"}";
  for (int i = 0; i < 2; ++i) {
    CHECK(world.json(202, world.ask("POST", kJob + "/savepoints", body))["request-id"] == kTrigger);
  }
  CHECK(world.job.asked == std::vector<std::string>{"savepoint /sp"});
  const std::string poll = kJob + "/savepoints/" + kTrigger;
  CHECK(world.json(200, world.ask("GET", poll))["status"]["id"] == "IN_PROGRESS");
  world.job.waiting[0](std::string("/sp/savepoint-1"));
  const auto done = world.json(200, world.ask("GET", poll));
  CHECK(done["status"]["id"] == "COMPLETED");
  CHECK(done["operation"]["location"] == "/sp/savepoint-1");
  CHECK(world.ask("GET", kJob + "/checkpoints/" + kTrigger).status == 404);
}

TEST_CASE("rest: a savepoint that failed is an error of the poll, with its code", "[rest]") {
  FakeWorld world(true);
  const auto begun = world.json(202, world.ask("POST", kJob + "/savepoints", "{}"));
  world.job.waiting[0](
      Error{.code = ErrorCode::store_full, .message = "no room", .why = "28", .tries = {"rm"}});
  const auto answer = world.json(
      500, world.ask("GET", kJob + "/savepoints/" + begun["request-id"].get<std::string>()));
  CHECK(answer["errors"][0] == "E-STORE-FULL: no room");
  CHECK(answer["errors"][1] == "why: 28");
  CHECK(answer["errors"][2] == "try: rm");
}

TEST_CASE("rest: without a folder a savepoint and a stop are refused with the key", "[rest]") {
  FakeWorld world;
  for (const char* const path : {"/savepoints", "/stop"}) {
    CHECK(mentions(world.json(400, world.ask("POST", kJob + path, "{}")),
                   "[execution.checkpointing.savepoint-dir] is not set"));
  }
  CHECK(world.job.asked.empty());
}

TEST_CASE("rest: stop, drain and cancel with savepoint are what their members say", "[rest]") {
  FakeWorld world;
  world.ask("POST", kJob + "/stop", R"({"targetDirectory":"/a"})");
  world.ask("POST", kJob + "/stop", R"({"targetDirectory":"/b","drain":true,"triggerId":null})");
  world.ask("POST", kJob + "/savepoints", R"({"target-directory":"/c","cancel-job":true})");
  CHECK(world.job.asked == std::vector<std::string>{"stop /a", "drain /b", "cancel /c"});
  world.job.waiting[0](std::string("/a/1"));
  CHECK(world.cancelling == 0);
  world.job.waiting[2](std::string("/c/1"));
  CHECK(world.cancelling == 1);
}

TEST_CASE("rest: a checkpoint answers with its number and path", "[rest]") {
  FakeWorld world;
  for (const char* const body : {"{}", R"({"checkpointType":"FULL"})", ""}) {
    const auto begun = world.json(202, world.ask("POST", kJob + "/checkpoints", body));
    const auto done = world.json(
        200, world.ask("GET", kJob + "/checkpoints/" + begun["request-id"].get<std::string>()));
    CHECK(done["operation"]["checkpointId"] == 26);
    CHECK(done["operation"]["streamrun"]["path"] == "/ckpt/chk-26");
  }
  CHECK(world.job.asked == std::vector<std::string>{"checkpoint", "full checkpoint", "checkpoint"});
}

TEST_CASE("rest: bodies that are not what they should be are 400 and ask the job nothing",
          "[rest]") {
  FakeWorld world(true);
  const std::string deep(60000, '[');
  for (const std::string& body :
       {std::string("not json"), std::string("[]"), std::string("7"), std::string("{"),
        std::string("\xff\xfe"), std::string(R"({"target-directory":7})"), deep,
        std::string(R"({"cancel-job":"yes"})"), std::string(R"({"formatType":"avro"})"),
        std::string(R"({"triggerId":"../../etc"})"), std::string(R"({"triggerId":5})"),
        std::string(R"({"target-directory":"a\u0000b"})"),
        R"({"target-directory":")" + std::string(5000, 'a') + "\"}"}) {
    const auto answer = world.json(400, world.ask("POST", kJob + "/savepoints", body));
    CHECK(answer["errors"].size() == 1);
  }
  CHECK(world.ask("POST", kJob + "/checkpoints", R"({"checkpointType":"ALL"})").status == 400);
  CHECK(world.ask("POST", "/savepoint-disposal", "{}").status == 400);
  CHECK(world.job.asked.empty());
  CHECK(world.disposed.empty());
}

TEST_CASE("rest: cancel is 202 once it has begun, and 409 with the reason if it can't", "[rest]") {
  FakeWorld world;
  CHECK(world.ask("PATCH", kJob + "?mode=cancel").status == 202);
  CHECK(world.ask("PATCH", kJob).status == 202);
  CHECK(world.ask("PATCH", kJob + "?mode=stop").status == 400);
  CHECK(world.job.cancels == 2);
  CHECK(world.cancelling == 2);
  world.job.cancel_answer = Error{.code = ErrorCode::unavailable, .message = "ending already"};
  CHECK(mentions(world.json(409, world.ask("PATCH", kJob + "?mode=cancel")), "ending already"));
  CHECK(world.cancelling == 2);
}

TEST_CASE("rest: a disposal is done when it is answered, and its failure is told by the poll",
          "[rest]") {
  FakeWorld world;
  const auto ask = [&] {
    const auto begun =
        world.json(200, world.ask("POST", "/savepoint-disposal", R"({"savepoint-path":"/sp/1"})"));
    return world.ask("GET", "/savepoint-disposal/" + begun["request-id"].get<std::string>());
  };
  CHECK(world.json(200, ask())["status"]["id"] == "COMPLETED");
  world.dispose_answer = Error{.code = ErrorCode::path, .message = "no such folder"};
  CHECK(mentions(world.json(400, ask()), "E-PATH: no such folder"));
  CHECK(world.disposed.size() == 2);
}

TEST_CASE("rest: a page of another site can't reach the job by way of a browser", "[rest]") {
  FakeWorld world;
  const auto status = [&](const HttpHeaders& headers) {
    return world.ask("PATCH", kJob + "?mode=cancel", "{}", headers).status;
  };
  CHECK(status({{"host", "evil.example:8081"}}) == 403);
  CHECK(status({{"host", "localhost.evil.example"}}) == 403);
  CHECK(status({{"host", "localhost:8081"}, {"origin", "http://evil.example"}}) == 403);
  CHECK(status({{"host", "localhost:8081"}, {"origin", "null"}}) == 403);
  CHECK(status({{"host", "localhost:8081"}, {"origin", ""}}) == 403);
  CHECK(status({{"host", "127.0.0.1:8081"}, {"host", "evil.example"}, {"origin", "http://a"}}) ==
        403);
  CHECK(world.job.cancels == 0);
  CHECK(status({{"host", "127.0.0.1:8081"}}) == 202);
  CHECK(status({{"host", "[::1]:8081"}}) == 202);
  CHECK(status({{"host", "here:8081"}}) == 202);
  CHECK(status({{"host", "localhost:8081"}, {"origin", "http://localhost:8081"}}) == 202);
}

TEST_CASE("rest: once the job has ended it is told so, and nobody waits", "[rest]") {
  FakeWorld world;
  world.job.answers_overview = false;
  int status = 0;
  std::thread waiting([&] { status = world.ask("GET", kJob + "/status").status; });
  world.api.ended({.status = JobStatus::canceled, .error = {}, .resume_path = {}});
  waiting.join();
  CHECK(status == 200);
  CHECK(world.json(200, world.ask("GET", kJob + "/status"))["status"] == "CANCELED");
  CHECK(world.json(200, world.ask("GET", "/overview"))["jobs-cancelled"] == 1);
  // An answer that comes late finds nobody, and does no harm.
  for (auto& answer : world.job.kept) answer(Error{.message = "late"});
}

}  // namespace streamrun::test
