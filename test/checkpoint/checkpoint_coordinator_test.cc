#include <streamrun/checkpoint/checkpoint_coordinator.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "coordinator_script.h"
#include "samples.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using test::CoordinatorScript;

CheckpointOptions every_ten_seconds() {
  CheckpointOptions options;
  options.interval = 10s;
  options.timeout = 60s;
  return options;
}

TEST_CASE("checkpoint coordinator: the next deadline is when something is to do", "[checkpoint]") {
  CheckpointOptions options = every_ten_seconds();
  options.min_pause = 4s;
  CoordinatorScript script(options);
  CHECK(script.next_second() == -1);
  script.play(0, "start 0.5");
  CHECK(script.next_second() == 7);
  CHECK(script.play(7, "time") == "trigger 1");
  CHECK(script.next_second() == 67);  // its time-out: the beat at 17 has no slot
  script.play(15, "all 1");
  CHECK(script.next_second() == -1);
  script.play(16, "published 1");
  CHECK(script.next_second() == 17);  // the beat, which is put off then
  CHECK(script.play(17, "time") == "-");
  CHECK(script.next_second() == 20);  // the end of the pause
  script.play(18, "down");
  CHECK(script.next_second() == -1);
}

TEST_CASE("checkpoint coordinator: a time-out names who had not acknowledged", "[checkpoint]") {
  CoordinatorScript script(every_ten_seconds());
  script.play(0, "start");
  script.play(1, "ack 1 0");
  REQUIRE(script.play(60, "time") == "abort 1 FAIL");
  const auto& abort = std::get<AbortCheckpoint>(script.last()[0]);
  CHECK(abort.error.message == "chk-1 was not complete within 60 s");
  CHECK(abort.error.why == "the slowest is right");
  const auto& fail = std::get<FailJob>(script.last()[1]);
  CHECK(fail.error.message.find("chk-1 was not complete") != std::string::npos);
}

TEST_CASE("checkpoint coordinator: a time-out of many tasks names the first of them",
          "[checkpoint]") {
  CheckpointCoordinator coordinator(every_ten_seconds());
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("t" + std::to_string(i));
  const CheckpointActions started = coordinator.start(test::at_second(0), names, 0);
  REQUIRE(started.size() == 1);
  const CheckpointActions expired = coordinator.on_time(test::at_second(60));
  CHECK(std::get<AbortCheckpoint>(expired.at(0)).error.why ==
        "the slowest is t0; not acknowledged either by t1, t2, t3, t4, t5, t6, t7, t8 and 91 more");
}

TEST_CASE("checkpoint coordinator: a time-out tells how far the slowest task is", "[checkpoint]") {
  CheckpointCoordinator coordinator(every_ten_seconds());
  REQUIRE(coordinator.start(test::at_second(0), {"numbers", "counts", "rows"}, 0).size() == 1);
  coordinator.acknowledged(test::at_second(1), 1, 0);
  const CheckpointActions expired =
      coordinator.on_time(test::at_second(60), [](CheckpointId id, int task) {
        return "at step " + std::to_string(id) + "." + std::to_string(task);
      });
  CHECK(std::get<AbortCheckpoint>(expired.at(0)).error.why ==
        "the slowest is counts, at step 1.1; not acknowledged either by rows");
}

TEST_CASE("checkpoint coordinator: the job fails with the code of the cause", "[checkpoint]") {
  CoordinatorScript script(every_ten_seconds());
  script.play(0, "start");
  REQUIRE(script.play(1, "declined 1 1 full") == "abort 1 FAIL");
  const Error& error = std::get<FailJob>(script.last()[1]).error;
  CHECK(error.code == ErrorCode::store_full);
  CHECK(error.where == "right");
  CHECK(error.message.find("1 checkpoints in a row failed, 0 are tolerable") != std::string::npos);
}

TEST_CASE("checkpoint coordinator: requests that wait together keep the strongest reason",
          "[checkpoint]") {
  CoordinatorScript script(every_ten_seconds());
  script.play(0, "start");
  script.play(1, "stop");
  script.play(2, "user");
  script.play(3, "all 1");
  REQUIRE(script.play(4, "published 1") == "complete 1 trigger 2");
  CHECK(std::get<TriggerCheckpoint>(script.last()[1]).reason == CheckpointReason::stop);
}

TEST_CASE("checkpoint coordinator: the first id is as given", "[checkpoint]") {
  CheckpointOptions options = every_ten_seconds();
  options.first_id = 42;
  CoordinatorScript script(options);
  CHECK(script.play(0, "start") == "trigger 42");
  CHECK(script.play(0, "ack 41 0") == "-");  // may belong to a completed one of another run
}

TEST_CASE("checkpoint coordinator: endless time-outs and pauses do not overflow", "[checkpoint]") {
  CheckpointOptions options;
  options.interval = Duration::max();
  options.min_pause = Duration::max();
  options.timeout = Duration::max();
  CoordinatorScript script(options);
  script.play(5, "start 1");
  CHECK(script.play(6, "user") == "trigger 1");
  script.play(7, "all 1");
  CHECK(script.play(8, "published 1") == "complete 1");
  CHECK(script.play(1'000'000, "time") == "-");
}

/// When Flink starts periodic checkpoints, one at a time, from when they complete.
class FlinkSchedule {
 public:
  FlinkSchedule(Duration interval, Duration pause, Instant first)
      : interval_(std::max(interval, pause)), pause_(pause), beat_(first) {}

  Instant next_start() const {
    return completed_ ? std::max({beat_, *completed_, *completed_ + pause_}) : beat_;
  }
  void started_and_completed(Instant start, Instant completed) {
    // A beat that falls in the pause is moved to its end with all that follow; one that only finds
    // another checkpoint under way is served late.
    if (pause_ > Duration(0) && start > beat_) beat_ = start;
    while (beat_ <= start) beat_ += interval_;
    completed_ = completed;
  }

 private:
  Duration interval_;
  Duration pause_;
  Instant beat_;
  std::optional<Instant> completed_;
};

/// Serves the coordinator when it asks for it, until it triggers `id`; that moment. With
/// `too_early` also a nanosecond before, when nothing is to happen.
Instant when_triggered(CheckpointCoordinator& coordinator, CheckpointId id, Instant now,
                       bool too_early) {
  while (coordinator.next_id() <= id) {
    const Instant due = coordinator.next_deadline().value();
    REQUIRE(due > now);
    if (too_early) REQUIRE(coordinator.on_time(due - 1ns).empty());
    now = due;
    coordinator.on_time(now);
  }
  return now;
}

TEST_CASE("checkpoint coordinator: starts are those of Flink's arithmetic to the nanosecond",
          "[checkpoint]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    test::SeededRandom random(seed);
    CheckpointOptions options;
    options.interval = Duration(10'000'000 + random.below(1'000'000'000));
    if (random.below(3) != 0) options.min_pause = Duration(random.below(1'500'000'000));
    options.timeout = 1000h;
    CheckpointCoordinator coordinator(options);
    Instant now = test::at_second(7);
    coordinator.start(now, {"task"}, 0);
    FlinkSchedule flink(*options.interval, options.min_pause, now + options.min_pause);
    for (CheckpointId id = 1; id <= 40; ++id) {
      now = when_triggered(coordinator, id, now, seed % 2 == 0);
      REQUIRE(now == flink.next_start());
      const Instant completed = now + Duration(1 + random.below(2'000'000'000));
      coordinator.acknowledged(completed, id, 0);
      coordinator.published(completed, id);
      flink.started_and_completed(now, completed);
      now = completed;
      if (options.min_pause > 0s) REQUIRE(coordinator.pending().empty());
    }
  }
}

/// Plays chance into a coordinator and checks what must hold of any history.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed), coordinator_(options()) {}

  void run() {
    for (int i = 0; i < 400; ++i) {
      now_ += random_.below(8'000'000'000);
      take(turn());
      std::size_t checkpoints = 0;
      for (const CheckpointId id : coordinator_.pending())
        checkpoints += savepoints_.contains(id) ? 0 : 1;
      REQUIRE(checkpoints <= 3);
    }
    REQUIRE(ended_.size() + coordinator_.pending().size() + in_doubt_ == triggered_.size());
  }

 private:
  CheckpointOptions options() {
    CheckpointOptions made = every_ten_seconds();
    made.min_pause = Duration(random_.below(12'000'000'000));
    made.max_concurrent = 1 + static_cast<int>(random_.below(3));
    made.tolerable_failures = static_cast<int>(random_.below(4));
    return made;
  }
  Instant now() const { return Instant(Duration(now_)); }
  CheckpointId some_id() {
    return 1 + static_cast<CheckpointId>(
                   random_.below(static_cast<std::uint64_t>(coordinator_.next_id()) + 1));
  }
  CheckpointActions turn() {
    if (!running_) {
      if (publishing_) return answer();
      running_ = true;
      return coordinator_.start(now(), {"a", "b"}, 0.25);
    }
    const auto pending = coordinator_.pending();
    const CheckpointId id = pending.empty() ? some_id() : pending[random_.below(pending.size())];
    switch (random_.below(15)) {
      case 12:
        return coordinator_.request_savepoint(now(), CheckpointReason::savepoint);
      case 13: {
        if (random_.below(4) != 0) return {};
        take(coordinator_.suspend(now()));
        return coordinator_.request_savepoint(now(), CheckpointReason::stop_savepoint);
      }
      case 14:
        return coordinator_.resume(now());
      case 0:
        return coordinator_.request(now(), static_cast<CheckpointReason>(1 + random_.below(2)));
      case 1:
        return coordinator_.declined(now(), id, 0, failure(), random_.below(2) == 0);
      case 2:
        return coordinator_.acknowledged(now(), some_id(), 1);
      case 3:
        running_ = random_.below(4) != 0;
        return running_ ? CheckpointActions{} : coordinator_.shutdown(now());
      case 4:
      case 5:
      case 6:
        return coordinator_.on_time(now());
      case 7:
        if (publishing_) return answer();
        return {};
      default:
        return coordinator_.acknowledged(now(), id, static_cast<int>(random_.below(2)));
    }
  }
  Error failure() {
    return {.code = random_.below(3) == 0 ? ErrorCode::store_fsync : ErrorCode::store_io,
            .message = "x"};
  }
  CheckpointActions answer() {
    const CheckpointId id = *std::exchange(publishing_, std::nullopt);
    if (random_.below(4) != 0) return coordinator_.published(now(), id);
    if (random_.below(8) != 0) return coordinator_.publish_failed(now(), id, failure());
    if (!savepoints_.contains(id)) ++in_doubt_;
    return coordinator_.publish_failed(now(), id, {.code = ErrorCode::store_fatal, .message = "x"});
  }
  void take(const CheckpointActions& actions) {
    for (const CheckpointAction& action : actions)
      std::visit([&](const auto& a) { see(a); }, action);
  }
  void see(const TriggerCheckpoint& a) {
    REQUIRE((triggered_.empty() || a.id > *triggered_.rbegin()));  // D3
    triggered_.insert(a.id);
    if (is_savepoint(a.reason)) savepoints_.insert(a.id);
  }
  void see(const PublishCheckpoint& a) {
    REQUIRE(!publishing_);
    REQUIRE(triggered_.contains(a.id));
    REQUIRE(!ended_.contains(a.id));
    publishing_ = a.id;
  }
  void see(const NotifyComplete& a) {
    REQUIRE(ended_.insert(a.id).second);
    REQUIRE(a.id > newest_complete_);
    newest_complete_ = a.id;
  }
  void see(const SavepointDone& a) {
    REQUIRE(ended_.insert(a.id).second);
    REQUIRE(savepoints_.contains(a.id));
  }
  void see(const AbortCheckpoint& a) {
    REQUIRE(ended_.insert(a.id).second);
    REQUIRE(publishing_ != a.id);
    aborted_.insert(a.id);
  }
  void see(const DiscardAcknowledgement& a) {
    REQUIRE((aborted_.contains(a.id) || !triggered_.contains(a.id)));
  }
  void see(const FailJob&) {
    // The runtime answers a failure with a shutdown, sooner or later.
    running_ = false;
    take(coordinator_.shutdown(now()));
  }

  test::SeededRandom random_;
  CheckpointCoordinator coordinator_;
  std::uint64_t now_ = 0;
  bool running_ = false;
  std::set<CheckpointId> triggered_;
  std::set<CheckpointId> savepoints_;
  std::set<CheckpointId> ended_;
  std::set<CheckpointId> aborted_;
  std::optional<CheckpointId> publishing_;
  CheckpointId newest_complete_ = 0;
  std::size_t in_doubt_ = 0;
};

TEST_CASE("checkpoint coordinator: every id ends once, whatever happens", "[checkpoint]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Chaos(seed).run();
  }
}

}  // namespace
}  // namespace streamrun
