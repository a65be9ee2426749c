#include <streamrun/storage/s3/s3_endpoint.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "s3_world.h"
#include "sim/sim_s3_answers.h"

// How long things take, and what is told of what is still open then.

namespace streamrun {
namespace {

using namespace std::chrono_literals;

class MovingClock final : public Clock {
 public:
  Instant now() const override { return Instant() + elapsed.load(); }
  std::int64_t unix_milliseconds() const override {
    return 1'440'938'160'000 +
           std::chrono::duration_cast<std::chrono::milliseconds>(elapsed.load()).count();
  }
  std::atomic<Duration> elapsed{Duration()};
};

Error silence() {
  return {.code = ErrorCode::unavailable, .message = "the server did not answer in its time"};
}

Error not_reached() {
  return {.code = ErrorCode::unavailable, .message = std::string(kServerNotReached)};
}

/// What comes of a request instead of an answer of the store's.
using Weather = std::function<std::optional<Result<HttpResponse>>(const HttpRequest&)>;

/// A network in front of the store: pauses take time, and so does silence.
class Network final : public StoreTransport {
 public:
  Network(sim::SimS3& server, MovingClock& clock) : server_(server), clock_(clock) {}

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override {
    {
      const std::lock_guard lock(mutex_);
      sent.push_back({request, timeout});
    }
    auto hindered = weather ? weather(request) : std::nullopt;
    if (!hindered) return server_.exchange(request, timeout);
    const bool is_silence = !*hindered && hindered->error().message != kServerNotReached;
    if (is_silence) pause(timeout);
    return *std::move(hindered);
  }
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override {
    return server_.start(std::move(request), timeout);
  }
  std::unique_ptr<HttpUpload> upload(HttpRequest, Duration) override { return nullptr; }
  void pause(Duration duration) override { clock_.elapsed = clock_.elapsed.load() + duration; }

  struct Sent {
    HttpRequest request;
    Duration timeout;
  };
  Weather weather;
  std::vector<Sent> sent;

 private:
  sim::SimS3& server_;
  MovingClock& clock_;
  std::mutex mutex_;
};

struct TimeWorld {
  explicit TimeWorld(S3Settings settings = {}) {
    server.buckets["b"];
    settings.endpoint = std::string("http://") + S3World::kHost;
    settings.path_style = true;
    settings.credentials = {.access_key = "AKID", .secret_key = "planted-secret"};
    files = make_s3_file_system(std::move(settings), network, random, clock, processes);
  }
  FileSystem* operator->() const { return files.get(); }
  void place(const std::string& key, std::string content) {
    server.buckets["b"].objects[key] = {.bytes = std::move(content),
                                        .etag = "\"placed-" + key + '"',
                                        .metadata = {},
                                        .modified = clock.unix_milliseconds()};
  }
  /// So that the store has been probed, and only what follows is looked at.
  void write_first() {
    REQUIRE(write_s3(*files, "s3://b/first", "x"));
    network.sent.clear();
    clock.elapsed = Duration();
  }

  MovingClock clock;
  sim::SeededRandom random{7};
  NamedProcesses processes{"us"};
  sim::SimS3 server{
      clock, {.access_key = "AKID", .secret_key = "planted-secret"}, "us-east-1", S3World::kHost};
  Network network{server, clock};
  std::unique_ptr<FileSystem> files;
};

bool is_put_of(const HttpRequest& request, std::string_view name) {
  return request.method == "PUT" && request.url.find(name) != std::string::npos;
}

TEST_CASE("s3: a body has time at 256 KiB/s, each time that it is sent", "[s3]") {
  TimeWorld world;
  world.write_first();
  int failures = 0;
  world.network.weather = [&](const HttpRequest& request) {
    const bool fails = request.method == "PUT" && failures++ < 2;
    return fails ? std::optional<Result<HttpResponse>>(not_reached()) : std::nullopt;
  };
  REQUIRE(write_s3(*world.files, "s3://b/f", std::string(std::size_t{4} << 20U, 'x')));
  int puts = 0;
  for (const auto& [request, timeout] : world.network.sent) {
    if (request.method != "PUT") continue;
    ++puts;
    CHECK(timeout == 30s + 16s);
  }
  CHECK(puts == 3);
}

TEST_CASE("s3: a look ends after two minutes of silence", "[s3]") {
  TimeWorld world;
  world.network.weather = [](const HttpRequest&) {
    return std::optional<Result<HttpResponse>>(silence());
  };
  for (const auto& look : std::vector<std::function<ErrorCode()>>{
           [&] { return world->status("s3://b/f").error().code; },
           [&] { return world->list("s3://b/d").error().code; },
           [&] { return world->open("s3://b/f").error().code; },
           [&] { return world->remove_file("s3://b/f").error().code; }}) {
    world.clock.elapsed = Duration();
    CHECK(look() == ErrorCode::unavailable);
    CHECK(world.clock.elapsed.load() >= 120s);
    CHECK(world.clock.elapsed.load() <= 160s);
  }
}

TEST_CASE("s3: publishing ends after three minutes of silence", "[s3]") {
  TimeWorld world;
  const bool is_probed = GENERATE(false, true);
  if (is_probed) world.write_first();
  world.network.weather = [](const HttpRequest&) {
    return std::optional<Result<HttpResponse>>(silence());
  };
  CHECK_FALSE(world->publish("s3://b/r", "_metadata", "all", "a"));
  CHECK(world.clock.elapsed.load() <= 250s);
}

TEST_CASE("s3: copies inside the store have a bound of their own", "[s3]") {
  TimeWorld world({.most_copy_bytes = 8 * kMiB, .copy_part_bytes = 6 * kMiB});
  world.place("small", numbered_bytes(7 * kMiB));
  world.place("large", numbered_bytes(9 * kMiB));
  CHECK(world->rename_no_replace("s3://b/small", "s3://b/s").value());
  CHECK(world->rename_no_replace("s3://b/large", "s3://b/l").value());
  REQUIRE(write_s3(*world.files, "s3://b/parts", numbered_bytes(40 * kMiB)));
  int copies = 0;
  for (const auto& [request, timeout] : world.network.sent) {
    const bool is_copy = request.url.find("uploadId") != std::string::npos ||
                         is_put_of(request, "/b/s") || is_put_of(request, "/b/l");
    if (!is_copy || request.body.size() > kMiB) continue;
    ++copies;
    INFO(request.method << " " << request.url);
    CHECK(timeout <= 30s + 3s);
  }
  CHECK(copies == 1 + 3 + 1);
}

TEST_CASE("s3: publishing that nobody answered is in doubt, unless what is there tells", "[s3]") {
  TimeWorld world;
  world.write_first();
  SECTION("nothing is there: it may come late") {
    world.network.weather = [](const HttpRequest& request) {
      return is_put_of(request, "_metadata") ? std::optional<Result<HttpResponse>>(silence())
                                             : std::nullopt;
    };
    const Error error = world->publish("s3://b/r", "_metadata", "all", "a").error();
    CHECK(error.code == ErrorCode::store_fatal);
    CHECK_THAT(error.message, Catch::Contains("may or may not exist"));
    CHECK(error.where == "s3://b/r/_metadata");
  }
  SECTION("one attempt is open, and the later ones are refused") {
    int puts = 0;
    world.network.weather = [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      if (!is_put_of(request, "_metadata")) return std::nullopt;
      if (++puts == 1) return silence();
      return sim::s3_complaint(403, "AccessDenied");
    };
    CHECK(world->publish("s3://b/r", "_metadata", "all", "a").error().code ==
          ErrorCode::store_fatal);
  }
  SECTION("what lies there can't be read") {
    world.network.weather = [](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      if (is_put_of(request, "_metadata")) return silence();
      return sim::s3_complaint(403, "AccessDenied");
    };
    CHECK(world->publish("s3://b/r", "_metadata", "all", "a").error().code ==
          ErrorCode::store_fatal);
  }
  SECTION("another's is there") {
    world.network.weather = [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      if (!is_put_of(request, "_metadata")) return std::nullopt;
      world.place("r/_metadata", "theirs");
      return silence();
    };
    CHECK_FALSE(world->publish("s3://b/r", "_metadata", "all", "a").value());
  }
  SECTION("ours is there") {
    world.network.weather = [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      if (!is_put_of(request, "_metadata")) return std::nullopt;
      world.place("r/_metadata", "all");
      return silence();
    };
    CHECK(world->publish("s3://b/r", "_metadata", "all", "a").value());
  }
  SECTION("nothing was ever done") {
    const auto answer = GENERATE(0, 1);
    world.network.weather = [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      if (!is_put_of(request, "_metadata")) return std::nullopt;
      if (answer == 0) return not_reached();
      return sim::s3_complaint(503, "SlowDown");
    };
    CHECK(world->publish("s3://b/r", "_metadata", "all", "a").error().code ==
          ErrorCode::unavailable);
  }
}

TEST_CASE("s3: one probe answers all who wait for it", "[s3]") {
  TimeWorld world;
  constexpr int kWriters = 4;
  std::atomic<int> begun = 0;
  std::atomic<int> probes = 0;
  world.network.weather = [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
    if (!is_put_of(request, "probe")) return std::nullopt;
    ++probes;
    // Until all others wait for this one.
    while (begun.load() < kWriters) std::this_thread::yield();
    std::this_thread::sleep_for(100ms);
    return silence();
  };
  std::vector<std::thread> writers;
  std::atomic<int> failed = 0;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      const std::string path = "s3://b/f" + std::to_string(i);
      const auto file = world->create(path).value();
      static_cast<void>(file->append("x").has_value());
      ++begun;
      const Result<void> synced = file->sync();
      if (!synced && synced.error().where == path) ++failed;
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == kWriters);
  CHECK(probes <= 5);
}

TEST_CASE("s3: a continuation token that comes again ends the listing", "[s3]") {
  TimeWorld world;
  int pages = 0;
  world.network.weather = [&](const HttpRequest&) {
    ++pages;
    const std::string token = pages % 2 == 0 ? "even" : "odd";
    return std::optional<Result<HttpResponse>>(HttpResponse{
        .status = 200,
        .headers = {},
        .body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>" + token +
                "</NextContinuationToken></ListBucketResult>"});
  };
  const Error error = world->list("s3://b/r").error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK_THAT(error.message, Catch::Contains("continuation token"));
  CHECK(pages == 3);
}

TEST_CASE("s3: expired credentials are told where an answer has no text", "[s3]") {
  TimeWorld world;
  world.network.weather = [](const HttpRequest& request) {
    return std::optional<Result<HttpResponse>>(
        request.method == "HEAD" ? HttpResponse{.status = 400, .headers = {}, .body = {}}
                                 : sim::s3_complaint(400, "ExpiredToken"));
  };
  for (const Error& error : {world->status("s3://b/f").error(), world->status("s3://b").error(),
                             world->create_directory("s3://b/d").error(),
                             write_s3(*world.files, "s3://b/f", "x").error(),
                             world->publish("s3://b/r", "_metadata", "x", "a").error()}) {
    CHECK(error.code == ErrorCode::permission);
    CHECK_THAT(error.message, Catch::Contains("restart the run"));
  }
}

TEST_CASE("s3: an endpoint is a URL of http or https without a user", "[s3]") {
  for (const char* good :
       {"", "http://127.0.0.1:9000", "https://s3.eu-west-1.amazonaws.com", "HTTPS://minio/",
        "minio:9000", "http://[::1]:9000", "http://[::1]", "https://gateway/s3/store"}) {
    INFO(good);
    CHECK(check_s3_endpoint(good));
  }
  for (const char* bad :
       {"ftp://minio", "file:///etc", "https://", "http:///x", "https://me:planted@minio",
        "me:planted@minio", "https://minio?a=planted", "https://minio/#planted", "http://a b",
        "http://minio:", "http://minio:x", "http://minio:99999", "http://:9000", "http://a\nb"}) {
    INFO(bad);
    const Result<void> checked = check_s3_endpoint(bad);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::config);
    CHECK_THAT(checked.error().message, Catch::StartsWith("s3.endpoint "));
    CHECK_THAT(checked.error().headline() + checked.error().why, !Catch::Contains("planted"));
  }
}

}  // namespace
}  // namespace streamrun
