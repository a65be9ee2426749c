#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "hdfs_world.h"

// Name nodes that are away for a while (restarts, fail-overs, safe mode), and servers that answer
// what they should not.

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// What stands in the way of one request, at a time since the beginning.
using Weather =
    std::function<std::optional<Result<HttpResponse>>(const HttpRequest& request, Duration at)>;

Result<HttpResponse> not_reached() {
  return Error{.code = ErrorCode::unavailable, .message = std::string(kServerNotReached)};
}

Result<HttpResponse> timed_out() {
  return Error{.code = ErrorCode::unavailable, .message = "the server did not answer in its time"};
}

Result<HttpResponse> thrown(const std::string& name) {
  return HttpResponse{
      .status = 403,
      .headers = {},
      .body = R"({"RemoteException":{"exception":")" + name + R"(","message":"it is so"}})"};
}

/// A network in front of the servers, with a clock: pauses take time, and so do exchanges that
/// nobody answers.
class Network final : public StoreTransport, public Clock {
 public:
  explicit Network(sim::SimHdfs& hdfs) : hdfs_(hdfs) {}

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override {
    ++requests;
    most_response_bytes = request.most_response_bytes;
    auto hindered = weather ? weather(request, elapsed) : std::nullopt;
    if (!hindered) return hdfs_.exchange(request, timeout);
    const bool is_silence = !*hindered && hindered->error().message != kServerNotReached;
    if (is_silence) elapsed += timeout;
    return *std::move(hindered);
  }
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override {
    return hdfs_.start(std::move(request), timeout);
  }
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override {
    return hdfs_.upload(std::move(request), timeout);
  }
  void pause(Duration duration) override { elapsed += duration; }
  Instant now() const override { return Instant() + elapsed; }
  std::int64_t unix_milliseconds() const override { return 1'700'000'000'000; }

  Weather weather;
  Duration elapsed{};
  int requests = 0;
  std::size_t most_response_bytes = 0;  ///< of the last request

 private:
  sim::SimHdfs& hdfs_;
};

bool is_at(const HttpRequest& request, std::string_view server) {
  return std::string_view(request.url).starts_with(server);
}

bool is_op(const HttpRequest& request, std::string_view op) {
  return request.url.find("op=" + std::string(op)) != std::string::npos;
}

struct OutageWorld {
  explicit OutageWorld(HdfsSettings settings = {.user = "me"}) : network(world.hdfs) {
    files =
        make_hdfs_file_system(std::move(settings), network, world.random, world.process, &network);
  }
  FileSystem* operator->() const { return files.get(); }
  /// One exchange with the cluster, after which it counts as known; then the clock is at 0.
  void get_to_know() {
    REQUIRE(files->exists(HdfsWorld::path("x")));
    network.elapsed = {};
  }

  HdfsWorld world;
  Network network;
  std::unique_ptr<FileSystem> files;
};

/// Each way in which a name node does nothing.
const std::vector<std::function<Result<HttpResponse>()>>& idle_answers() {
  static const std::vector<std::function<Result<HttpResponse>()>> kAll = {
      not_reached, [] { return thrown("StandbyException"); },
      [] { return thrown("SafeModeException"); }, [] { return thrown("RetriableException"); }};
  return kAll;
}

TEST_CASE("hdfs: a name node that is away for 30 s costs nothing", "[storage][hdfs]") {
  for (const auto& answer : idle_answers()) {
    OutageWorld outage;
    outage.world.hdfs.put_file("/root/old", "old");
    outage.get_to_know();
    // From now on, and again before each step.
    Duration back = 30s;
    outage.network.weather = [&](const HttpRequest& request, Duration at) {
      const bool is_away = is_at(request, "http://nn:9870") && at < back;
      return is_away ? std::optional(answer()) : std::nullopt;
    };
    const auto go_away = [&] { back = outage.network.elapsed + 30s; };
    CHECK(outage->exists(HdfsWorld::path("old")).value());
    go_away();
    CHECK(outage->create_directory(HdfsWorld::path("d")).value());
    go_away();
    write_bytes(*outage.files, HdfsWorld::path("f"), "abc").value();
    go_away();
    CHECK(outage->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("g")).value());
    go_away();
    CHECK(outage->remove_file(HdfsWorld::path("g")).value());
    go_away();
    CHECK(outage->publish(HdfsWorld::path("d"), "_metadata", "all", "a1").value());
    CHECK(outage.network.elapsed < 6 * 40s);
  }
}

TEST_CASE("hdfs: a name node that stays away is given up after a minute", "[storage][hdfs]") {
  for (const auto& answer : idle_answers()) {
    OutageWorld outage;
    outage.get_to_know();
    outage.network.weather = [&](const HttpRequest&, Duration) { return std::optional(answer()); };
    CHECK(outage->status(HdfsWorld::path("f")).error().code == ErrorCode::unavailable);
    CHECK(outage.network.elapsed == 60s);
  }
}

TEST_CASE("hdfs: a change that stays refused is given up after a minute", "[storage][hdfs]") {
  for (const auto& answer : idle_answers()) {
    OutageWorld outage;
    outage.world.hdfs.put_file("/root/f", "f");
    outage.get_to_know();
    outage.network.weather = [&](const HttpRequest& request, Duration) {
      return request.method == "GET" ? std::nullopt : std::optional(answer());
    };
    CHECK(outage->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("g")).error().code ==
          ErrorCode::unavailable);
    CHECK(outage.network.elapsed == 60s);
    CHECK(outage->remove_file(HdfsWorld::path("f")).error().code == ErrorCode::unavailable);
    CHECK(outage.network.elapsed == 120s);
  }
}

TEST_CASE("hdfs: a cluster that has never answered is given up soon", "[storage][hdfs]") {
  OutageWorld outage;
  outage.network.weather = [](const HttpRequest&, Duration) {
    return std::optional(not_reached());
  };
  CHECK(outage->status(HdfsWorld::path("f")).error().code == ErrorCode::unavailable);
  CHECK(outage.network.elapsed == 3s);
}

TEST_CASE("hdfs: a change is asked of the second name node if nobody took the connection",
          "[storage][hdfs]") {
  HdfsSettings settings;
  settings.hadoop = {{"dfs.nameservices", "c"},
                     {"dfs.ha.namenodes.c", "n1,n2"},
                     {"dfs.namenode.http-address.c.n1", "n1:9870"},
                     {"dfs.namenode.http-address.c.n2", "n2:9870"}};
  OutageWorld outage(settings);
  outage.world.hdfs.set_name_nodes({"http://n1:9870", "http://n2:9870"});
  CHECK(outage->exists("hdfs://c/root").value());
  outage.world.hdfs.activate(1);
  // The first one dies just when the change is asked for.
  bool is_dead = false;
  outage.network.weather = [&](const HttpRequest& request, Duration) {
    is_dead = is_dead || is_op(request, "DELETE");
    return is_dead && is_at(request, "http://n1") ? std::optional(not_reached()) : std::nullopt;
  };
  outage.world.hdfs.put_file("/root/f", "f");
  outage.world.hdfs.activate(0);
  REQUIRE(outage->exists("hdfs://c/root/f").value());
  int removals = 0;
  const Weather death = outage.network.weather;
  outage.network.weather = [&](const HttpRequest& request, Duration at) {
    if (is_op(request, "DELETE")) {
      ++removals;
      outage.world.hdfs.activate(1);
    }
    return death(request, at);
  };
  CHECK(outage->remove_file("hdfs://c/root/f").value());
  CHECK(removals == 2);
  CHECK(outage.network.elapsed == 0s);
}

TEST_CASE("hdfs: a look ends after two minutes of silence", "[storage][hdfs]") {
  OutageWorld outage;
  outage.get_to_know();
  outage.network.weather = [](const HttpRequest&, Duration) { return std::optional(timed_out()); };
  const int before = outage.network.requests;
  CHECK(outage->status(HdfsWorld::path("f")).error().code == ErrorCode::unavailable);
  CHECK(outage.network.requests - before == 2);  // of a minute each
}

TEST_CASE("hdfs: a data node that finds no name node is no answer", "[storage][hdfs]") {
  OutageWorld outage;
  int refused = 0;
  outage.network.weather = [&](const HttpRequest& request, Duration) {
    const bool is_data_node = is_at(request, "http://dn");
    return is_data_node && ++refused < 4 ? std::optional(thrown("ConnectException")) : std::nullopt;
  };
  write_bytes(*outage.files, HdfsWorld::path("f"), "abc").value();
  CHECK(outage->read_all(HdfsWorld::path("f"), kNoLimit).value() == "abc");
}

TEST_CASE("hdfs: an answer without a body is no success of what was not done", "[storage][hdfs]") {
  struct Case {
    std::string op;
    HttpResponse answer;
  };
  const HttpResponse redirect{
      .status = 307, .headers = {{"location", "http://nn:9870/webhdfs/v1/x"}}, .body = {}};
  const HttpResponse empty{.status = 200, .headers = {}, .body = {}};
  for (const Case& each : std::vector<Case>{{"RENAME", redirect},
                                            {"DELETE", redirect},
                                            {"MKDIRS", redirect},
                                            {"GETFILESTATUS", redirect},
                                            {"DELETE", empty}}) {
    INFO(each.op << ", status " << each.answer.status);
    OutageWorld outage;
    outage.world.hdfs.put_file("/root/f", "f");
    int answers = 0;
    outage.network.weather = [&](const HttpRequest& request, Duration) {
      const bool is_hit = is_op(request, each.op) && answers++ == 0;
      return is_hit ? std::optional(Result<HttpResponse>(each.answer)) : std::nullopt;
    };
    CHECK(outage->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("g")).value());
    CHECK(outage.world.hdfs.files() == std::map<std::string, std::string>{{"/root/g", "f"}});
    CHECK(outage->remove_file(HdfsWorld::path("g")).value());
    CHECK(outage.world.hdfs.files().empty());
    CHECK(outage->create_directory(HdfsWorld::path("d")).value());
    CHECK(outage.world.hdfs.has_folder("/root/d"));
    CHECK(answers > 1);
  }
}

TEST_CASE("hdfs: a redirect to nowhere is asked for again", "[storage][hdfs]") {
  for (const std::string op : {"CREATE", "OPEN"}) {
    OutageWorld outage;
    int answers = 0;
    outage.network.weather = [&](const HttpRequest& request, Duration) {
      const bool is_hit = is_at(request, "http://nn") && is_op(request, op) && answers++ == 0;
      return is_hit ? std::optional(Result<HttpResponse>(HttpResponse{.status = 307}))
                    : std::nullopt;
    };
    write_bytes(*outage.files, HdfsWorld::path("f"), "abc").value();
    CHECK(outage->read_all(HdfsWorld::path("f"), kNoLimit).value() == "abc");
    CHECK(answers == 2);
  }
}

TEST_CASE("hdfs: redirects without end are E-UNAVAILABLE and say where they lead",
          "[storage][hdfs]") {
  OutageWorld outage;
  outage.network.weather = [](const HttpRequest&, Duration) {
    return std::optional(Result<HttpResponse>(
        HttpResponse{.status = 307, .headers = {{"location", "http://gate/x"}}, .body = {}}));
  };
  const Error error = outage->status(HdfsWorld::path("f")).error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK_THAT(error.message, Catch::Contains("307"));
  CHECK_THAT(error.why, Catch::Contains("http://gate"));
}

TEST_CASE("hdfs: a page of names that were there before is no listing", "[storage][hdfs]") {
  OutageWorld outage;
  const auto page_of = [](const std::string& name) {
    return R"({"type":"FILE","length":1,"pathSuffix":")" + name + "\"}";
  };
  const std::string body =
      R"({"DirectoryListing":{"partialListing":{"FileStatuses":{"FileStatus":[)" + page_of("a") +
      "," + page_of("b") + R"(]}},"remainingEntries":5}})";
  outage.network.weather = [&](const HttpRequest&, Duration) {
    return std::optional(
        Result<HttpResponse>(HttpResponse{.status = 200, .headers = {}, .body = body}));
  };
  const Error error = outage->list("hdfs://nn:8020/root").error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK_THAT(error.message, Catch::Contains("listed before"));
  CHECK(outage.network.requests == 2);
}

TEST_CASE("hdfs: a listing in one page may be large", "[storage][hdfs]") {
  OutageWorld outage;
  outage.world.hdfs.set_page_entries(0);
  CHECK(outage->list("hdfs://nn:8020/root").value().empty());
  CHECK(outage.network.most_response_bytes == std::size_t{64} << 20U);
}

TEST_CASE("hdfs: what https says is not left for http, and no URL's query is told",
          "[storage][hdfs]") {
  const auto location_of = [](const std::string& scheme, const std::string& location) {
    OutageWorld outage;
    outage.network.weather = [&](const HttpRequest& request, Duration) {
      HttpResponse response{
          .status = 200, .headers = {}, .body = R"({"FileStatus":{"type":"FILE","length":3}})"};
      if (is_op(request, "OPEN"))
        response = {.status = 307, .headers = {{"location", location}}, .body = {}};
      return std::optional(Result<HttpResponse>(std::move(response)));
    };
    const auto file = outage->open(scheme + "://nn:9871/root/f").value();
    char byte = 0;
    return file->read_at(0, &byte, 1).error();
  };
  const Error plain = location_of("swebhdfs", "http://dn:9864/f?token=planted-secret");
  CHECK(plain.code == ErrorCode::unavailable);
  CHECK_THAT(plain.message, Catch::Contains("https"));
  const Error other = location_of("webhdfs", "ftp://dn:21/f?token=planted-secret");
  CHECK(other.code == ErrorCode::unavailable);
  for (const Error& error : {plain, other}) {
    CHECK_THAT(error.why, Catch::Contains("//dn:"));
    CHECK_THAT(error.headline() + error.why, !Catch::Contains("planted-secret"));
  }
}

TEST_CASE("hdfs: a file whose end is in doubt is not sent by a second close", "[storage][hdfs]") {
  OutageWorld outage;
  const auto file = outage->create(HdfsWorld::path("f")).value();
  REQUIRE(file->append("abc"));
  bool was_sent = false;
  outage.network.weather = [&](const HttpRequest& request, Duration) {
    const bool is_look = was_sent && is_op(request, "GETFILESTATUS");
    was_sent = was_sent || is_at(request, "http://dn");
    return is_look ? std::optional(timed_out()) : std::nullopt;
  };
  CHECK(file->close().error().code == ErrorCode::unavailable);
  const int before = outage.network.requests;
  CHECK_FALSE(file->close());
  CHECK_FALSE(file->append("d"));
  CHECK(outage.network.requests == before);
}

}  // namespace
}  // namespace streamrun
