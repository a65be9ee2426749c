// Every state that the disk may be left in when the power goes before any step of a file sink's
// prepare or commit, or after the step that failed; and again while the next life recovers. What
// `connectors/file_sink_crash_test.cc` draws by chance is gone through here completely.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "connectors/file/sink_world.h"
#include "sim/odometer.h"

namespace streamrun::sim {
namespace {

using test::SinkRun;
using test::SinkWorld;
using Committables = SinkRun::Committables;

struct Crash {};

constexpr std::uint64_t kMostSteps = 100;
const std::vector<std::string> kTexts = {"first\nsecond\n", "third\n"};

/// Two parts that a complete checkpoint names; the process that prepared them is gone.
class Story {
 public:
  using Act = std::function<Result<void>(Story&)>;

  void prepare() {
    SinkWorld world(store);
    SinkRun sink(world, next_attempt());
    sink.write({"first", "second"});
    const Committables first = value_or_throw(sink.prepare());
    sink.write({"third"});
    const Committables second = value_or_throw(sink.prepare());
    complete = first;
    complete.insert(complete.end(), second.begin(), second.end());
  }

  Result<void> commit() {
    SinkWorld world(store);
    SinkRun sink(world, next_attempt());
    return sink.writer().commit(complete);
  }

  /// What a life does before its first record.
  Result<void> recover() {
    SinkWorld world(store);
    SinkRun sink(world, next_attempt(), complete);
    SR_TRY(sink.writer().commit(complete));
    return sink.writer().remove_leftovers();
  }

  /// Up to the step before number `step` of `act`. Returns whether it was cut short.
  bool crash_at(const Act& act, std::uint64_t step) {
    const std::uint64_t last = store.steps() + step;
    store.before_step([last](const StorageStep& at) {
      if (at.number == last) throw Crash();
    });
    bool crashed = false;
    try {
      value_or_throw(act(*this));
    } catch (const Crash&) {
      crashed = true;
    }
    store.before_step({});
    return crashed;
  }

  /// What readers see, part by part; a part that is seen is whole.
  std::multiset<std::string> visible() const {
    std::multiset<std::string> texts;
    for (const auto& [path, bytes] : store.files()) {
      if (base_name(path)[0] != '.') texts.insert(bytes);
    }
    return texts;
  }
  void check_partly_visible() const {
    const std::multiset<std::string> seen = visible();
    for (const std::string& text : seen) {
      REQUIRE((text == kTexts[0] || text == kTexts[1]));
      REQUIRE(seen.count(text) == 1);
    }
  }
  /// Each part is there exactly once, and nothing else is (E2, R4).
  void check_committed() const {
    REQUIRE(visible() == std::multiset<std::string>(kTexts.begin(), kTexts.end()));
    for (const std::string& name : test::names_in(store)) REQUIRE(name[0] != '.');
  }

  std::string next_attempt() { return "attempt-" + std::to_string(++attempts_); }

  MemoryFileSystem store;
  Committables complete;

 private:
  int attempts_ = 0;
};

Result<void> commit(Story& story) {
  return story.commit();
}
Result<void> recover(Story& story) {
  return story.recover();
}

bool in_every_state(const std::function<bool(const Choose&)>& run, std::uint64_t& states) {
  Odometer odometer;
  bool crashed = false;
  do {
    crashed = run(odometer.chooser());
    ++states;
  } while (odometer.next());
  return crashed;
}

TEST_CASE(
    "file sink on every disk: a commit cut short is finished by the next life, each part once",
    "[sim]") {
  std::uint64_t states = 0;
  for (std::uint64_t step = 1; step < kMostSteps; ++step) {
    INFO("before step " << step << " of the commit");
    const bool more = in_every_state(
        [&](const Choose& choose) {
          Story story;
          story.prepare();
          const bool crashed = story.crash_at(&commit, step);
          story.store.power_cut(choose);
          story.check_partly_visible();
          if (!crashed) REQUIRE(story.visible().size() == kTexts.size());  // durable on return
          value_or_throw(story.recover());
          story.check_committed();
          return crashed;
        },
        states);
    if (!more) break;
    REQUIRE(step + 1 < kMostSteps);
  }
  CAPTURE(states);
  CHECK(states >= 8);
}

TEST_CASE("file sink on every disk: a recovery cut short anywhere is finished by the one after it",
          "[sim]") {
  std::uint64_t states = 0;
  for (std::uint64_t first = 1; first < kMostSteps; ++first) {
    bool more = false;
    for (std::uint64_t second = 1; second < kMostSteps; ++second) {
      INFO("before step " << first << ", then before step " << second << " of the recovery");
      const bool cut_short = in_every_state(
          [&](const Choose& choose) {
            Story story;
            story.prepare();
            more = story.crash_at(&commit, first);
            story.store.power_cut(choose);
            const bool crashed = story.crash_at(&recover, second);
            story.store.power_cut(choose);
            story.check_partly_visible();
            value_or_throw(story.recover());
            story.check_committed();
            return crashed;
          },
          states);
      if (!cut_short) break;
    }
    if (!more) break;
    REQUIRE(first + 1 < kMostSteps);
  }
  CAPTURE(states);
  CHECK(states > 50);
}

TEST_CASE("file sink on every disk: what was not prepared for a complete checkpoint is never seen",
          "[sim]") {
  std::uint64_t states = 0;
  for (std::uint64_t step = 1; step < kMostSteps; ++step) {
    INFO("before step " << step << " of the prepare");
    const bool more = in_every_state(
        [&](const Choose& choose) {
          Story story;
          const bool crashed = story.crash_at(
              [](Story& self) {
                self.prepare();
                return Result<void>();
              },
              step);
          story.store.power_cut(choose);
          REQUIRE(story.visible().empty());  // E1
          if (crashed) story.complete.clear();
          value_or_throw(story.recover());
          if (crashed) {
            REQUIRE(story.store.files().empty());  // E4, R4
          } else {
            story.check_committed();
          }
          return crashed;
        },
        states);
    if (!more) break;
    REQUIRE(step + 1 < kMostSteps);
  }
  CAPTURE(states);
  CHECK(states > 50);
}

TEST_CASE("file sink on every disk: a commit of which steps failed is made good by the next",
          "[sim]") {
  for (const std::uint64_t more : {0, 1, 100}) {
    std::uint64_t states = 0;
    std::uint64_t failures = 0;
    for (std::uint64_t step = 1; step < kMostSteps; ++step) {
      INFO("step " << step << " fails, and " << more << " more");
      const bool reached = in_every_state(
          [&](const Choose& choose) {
            Story story;
            story.prepare();
            SinkWorld world(story.store);
            SinkRun sink(world, story.next_attempt());
            const std::uint64_t first = story.store.steps() + step;
            for (std::uint64_t i = 0; i <= more; ++i) {
              story.store.fail_call(first + i,
                                    {.code = ErrorCode::store_io, .message = "injected"});
            }
            const bool committed = sink.writer().commit(story.complete).has_value();
            failures += committed ? 0 : 1;
            if (story.store.steps() < first) return false;
            story.store.end_failures();
            story.store.power_cut(choose);
            story.check_partly_visible();
            if (committed) REQUIRE(story.visible().size() == kTexts.size());
            value_or_throw(story.recover());
            story.check_committed();
            return true;
          },
          states);
      if (!reached) break;
      REQUIRE(step + 1 < kMostSteps);
    }
    CAPTURE(more, states);
    CHECK(failures > 0);
    CHECK(states >= 4);
  }
}

}  // namespace
}  // namespace streamrun::sim
