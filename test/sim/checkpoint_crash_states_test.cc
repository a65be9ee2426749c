// Every state that the disk may be left in when the power goes before any step of a publish or a
// removal, or after the step that failed. What `checkpoint/directory_crash_test.cc` draws by chance
// for a checkpoint of one file is gone through here completely, for two files written at once.
#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "sim/odometer.h"

namespace streamrun::sim {
namespace {

using test::must;
using Ids = std::set<CheckpointId>;

struct Crash {};

const std::string kRoot = "/ckpt";
constexpr std::uint64_t kMostSteps = 200;

std::vector<std::string> names_of(CheckpointId id) {
  return {test::uuid_of(2 * static_cast<std::uint64_t>(id)),
          test::uuid_of(2 * static_cast<std::uint64_t>(id) + 1)};
}
std::string bytes_of(const std::string& name) {
  return "the state in " + name;
}

/// A store with a job's folder, and what a process does in it.
class Story {
 public:
  using Act = std::function<Result<void>(Story&)>;

  Story() {
    directory = open();
    must(write(1));
    must(write(2));
  }

  std::unique_ptr<CheckpointDirectory> open() {
    return must(CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1))));
  }

  /// A checkpoint of two files that two tasks write at the same time.
  Result<void> write(CheckpointId id) {
    if (!SR_TRY(directory->begin(id))) return Error{.code = ErrorCode::bug, .message = "taken"};
    CheckpointMetadata metadata = test::sample_metadata(id);
    std::vector<std::unique_ptr<WritableFile>> written;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string name = names_of(id)[i];
      StateHandle& data = metadata.operators[0].subtasks[i].keyed[0].pieces.front();
      data.inline_bytes.clear();
      data.file = test::state_file(name, bytes_of(name));
      written.push_back(SR_TRY(files.create(join_path(directory->checkpoint_path(id), name))));
    }
    for (std::size_t i = 0; i < 2; ++i) SR_TRY(written[i]->append(bytes_of(names_of(id)[i])));
    for (const auto& file : written) SR_TRY(file->sync());
    for (const auto& file : written) SR_TRY(file->close());
    return directory->publish(metadata);
  }

  /// Up to the step before number `step` of `act`. Returns whether it was cut short.
  bool crash_at(const Act& act, std::uint64_t step) {
    const std::uint64_t last = files.steps() + step;
    files.before_step([last](const StorageStep& at) {
      if (at.number == last) throw Crash();
    });
    bool crashed = false;
    try {
      must(act(*this));
    } catch (const Crash&) {
      crashed = true;
    }
    files.before_step({});
    return crashed;
  }

  /// D2: what is visible can be restored, to the last bit; no `_metadata` is without its files.
  Ids complete() {
    Ids ids;
    for (const SnapshotEntry& entry : must(list_job_folder(files, path())).entries) {
      REQUIRE(entry.status != SnapshotStatus::damaged);
      if (entry.status != SnapshotStatus::complete) continue;
      const ResolvedSnapshot snapshot = must(read_snapshot(files, entry.path));
      must(verify_files(files, snapshot.directory, snapshot.metadata, true));
      ids.insert(entry.id);
    }
    return ids;
  }

  static Result<void> clean(Story& story) {
    story.directory.reset();
    story.directory = story.open();
    SR_TRY(story.directory->clean_leftovers());
    return {};
  }

  /// The next life: what is complete stays, all else goes (R4), and the next checkpoint succeeds.
  void restart_and_check() {
    const Ids before = complete();
    must(clean(*this));
    REQUIRE(complete() == before);
    std::size_t state_files = 0;
    for (const auto& [name, bytes] : files.files()) {
      REQUIRE(name.find(".tmp-") == std::string::npos);
      const bool in_checkpoint = name.find("/chk-") != std::string::npos;
      if (in_checkpoint && base_name(name) != "_metadata") ++state_files;
    }
    REQUIRE(state_files == 2 * before.size());
    const CheckpointId next = must(directory->highest_id_present()) + 1;
    must(write(next));
    REQUIRE(complete().contains(next));
  }

  static std::string path() { return kRoot + "/" + std::string(32, '1'); }

  MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
};

using Check = std::function<void(const Ids& complete, bool crashed)>;

/// Runs `run` for every state that the disk may be in afterwards; it returns whether it was cut
/// short, and is handed how the power goes.
bool in_every_state(const std::function<bool(const Choose&)>& run, std::uint64_t& states) {
  Odometer odometer;
  bool crashed = false;
  do {
    crashed = run(odometer.chooser());
    ++states;
  } while (odometer.next());
  return crashed;
}

/// Every state after every step of `act`. Returns how many there were.
std::uint64_t crash_everywhere(const Story::Act& act, const Check& check) {
  std::uint64_t states = 0;
  for (std::uint64_t step = 1; step < kMostSteps; ++step) {
    INFO("before step " << step);
    const bool more = in_every_state(
        [&](const Choose& choose) {
          Story story;
          const bool crashed = story.crash_at(act, step);
          story.files.power_cut(choose);
          check(story.complete(), crashed);
          story.restart_and_check();
          return crashed;
        },
        states);
    if (!more) return states;
  }
  FAIL("it never comes to an end");
  return states;
}

/// The same, and the next life is cut short too, before each step of its clean-up.
std::uint64_t crash_twice_everywhere(const Story::Act& act, const Check& check) {
  std::uint64_t states = 0;
  for (std::uint64_t first = 1; first < kMostSteps; ++first) {
    bool more = false;
    for (std::uint64_t second = 1; second < kMostSteps; ++second) {
      INFO("before step " << first << ", then before step " << second << " of the clean-up");
      const bool cut_short = in_every_state(
          [&](const Choose& choose) {
            Story story;
            more = story.crash_at(act, first);
            story.files.power_cut(choose);
            const Ids before = story.complete();
            const bool crashed = story.crash_at(&Story::clean, second);
            story.files.power_cut(choose);
            REQUIRE(story.complete() == before);
            check(before, more);
            story.restart_and_check();
            return crashed;
          },
          states);
      if (!cut_short) break;
    }
    if (!more) return states;
  }
  FAIL("it never comes to an end");
  return states;
}

/// Lets step after step of `act` fail, alone or with those that follow, and then the power go.
std::uint64_t fail_everywhere(const Story::Act& act, std::uint64_t more,
                              const std::function<void(const Ids&, const Result<void>&)>& check) {
  std::uint64_t states = 0;
  for (std::uint64_t step = 1; step < kMostSteps; ++step) {
    INFO("step " << step << " fails, and " << more << " more");
    const bool failed_one = in_every_state(
        [&](const Choose& choose) {
          Story story;
          const std::uint64_t first = story.files.steps() + step;
          for (std::uint64_t i = 0; i <= more; ++i) {
            story.files.fail_call(first + i,
                                  {.code = ErrorCode::store_fsync, .message = "injected"});
          }
          const Result<void> result = act(story);
          const bool reached = story.files.steps() >= first;
          story.files.power_cut(choose);
          check(story.complete(), result);
          return reached;
        },
        states);
    if (!failed_one) return states;
  }
  FAIL("it never comes to an end");
  return states;
}

Result<void> publish_third(Story& story) {
  return story.write(3);
}
Result<void> remove_first(Story& story) {
  SR_TRY(story.directory->remove(1));
  return {};
}
/// As at the end of a job: oldest first.
Result<void> remove_both(Story& story) {
  SR_TRY(story.directory->remove(1));
  SR_TRY(story.directory->remove(2));
  return {};
}

TEST_CASE("checkpoint on every disk: a publish cut short leaves the checkpoint whole or none",
          "[sim]") {
  std::uint64_t with_third = 0;
  std::uint64_t without = 0;
  const std::uint64_t states = crash_everywhere(&publish_third, [&](const Ids& ids, bool crashed) {
    REQUIRE(ids.contains(1));
    REQUIRE(ids.contains(2));
    REQUIRE((crashed || ids.contains(3)));  // D1
    if (crashed) ++(ids.contains(3) ? with_third : without);
  });
  CAPTURE(states);
  CHECK(states > 400);
  CHECK(with_third > 0);
  CHECK(without > 300);
}

TEST_CASE("checkpoint on every disk: a removal cut short leaves no metadata without its files",
          "[sim]") {
  std::uint64_t gone = 0;
  std::uint64_t there = 0;
  const std::uint64_t states = crash_everywhere(&remove_first, [&](const Ids& ids, bool crashed) {
    REQUIRE(ids.contains(2));
    REQUIRE((crashed || !ids.contains(1)));
    ++(ids.contains(1) ? there : gone);
  });
  CAPTURE(states);
  CHECK(states > 15);
  CHECK(gone > 0);
  CHECK(there > 0);
}

TEST_CASE("checkpoint on every disk: of several removals the newest is cut short last", "[sim]") {
  std::set<Ids> seen;
  crash_everywhere(&remove_both, [&](const Ids& ids, bool) { seen.insert(ids); });
  CHECK(seen == std::set<Ids>{{1, 2}, {2}, {}});
}

TEST_CASE("checkpoint on every disk: a clean-up cut short after a removal harms no other",
          "[sim]") {
  const std::uint64_t states =
      crash_twice_everywhere(&remove_first, [](const Ids& ids, bool) { REQUIRE(ids.contains(2)); });
  CAPTURE(states);
  CHECK(states > 500);
}

TEST_CASE("checkpoint on every disk: a publish that failed is nowhere, in doubt only if fatal",
          "[sim]") {
  for (const std::uint64_t more : {0, 1, 2, 100}) {
    std::uint64_t fatal = 0;
    const std::uint64_t states =
        fail_everywhere(&publish_third, more, [&](const Ids& ids, const Result<void>& result) {
          REQUIRE(ids.contains(1));
          REQUIRE(ids.contains(2));
          if (result) {
            REQUIRE(ids.contains(3));
          } else if (result.error().code == ErrorCode::store_fatal) {
            ++fatal;
          } else {
            REQUIRE(!ids.contains(3));
          }
        });
    CAPTURE(more, states);
    CHECK(states > 100);
    CHECK((fatal > 0) == (more > 0));
  }
}

TEST_CASE("checkpoint on every disk: a removal that failed leaves no metadata without its files",
          "[sim]") {
  for (const std::uint64_t more : {0, 100}) {
    const std::uint64_t states =
        fail_everywhere(&remove_first, more, [](const Ids& ids, const Result<void>& result) {
          REQUIRE(ids.contains(2));
          REQUIRE((!result || !ids.contains(1)));
        });
    CAPTURE(more, states);
    CHECK(states > 10);
  }
}

}  // namespace
}  // namespace streamrun::sim
