#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <functional>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;

struct Crash {};

const std::string kRoot = "/ckpt";

/// A job's folder with chk-1 and chk-2 complete, and what a process does next to it.
class Story {
 public:
  using Act = std::function<void(Story&)>;

  Story() {
    directory = open();
    test::publish_with_file(files, *directory, 1, 1000);
    test::publish_with_file(files, *directory, 2, 2000);
  }

  std::unique_ptr<CheckpointDirectory> open() {
    return must(CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1))));
  }

  /// Runs `act` up to the step before number `step` of it. Returns whether it was cut short.
  bool crash_at(const Act& act, std::uint64_t step) {
    const std::uint64_t last = files.steps() + step;
    files.before_step([last](const sim::StorageStep& at) {
      if (at.number == last) throw Crash();
    });
    bool crashed = false;
    try {
      act(*this);
    } catch (const Crash&) {
      crashed = true;
    }
    files.before_step({});
    return crashed;
  }

  /// D2: what is visible as complete can be restored, bit by bit; nothing is visible and damaged.
  std::set<CheckpointId> complete() {
    std::set<CheckpointId> ids;
    for (const SnapshotEntry& entry : must(list_job_folder(files, path())).entries) {
      REQUIRE(entry.status != SnapshotStatus::damaged);
      if (entry.status != SnapshotStatus::complete) continue;
      const ResolvedSnapshot snapshot = must(read_snapshot(files, entry.path));
      must(verify_files(files, snapshot.directory, snapshot.metadata, true));
      ids.insert(entry.id);
    }
    return ids;
  }

  /// The next life of the job: cleans up, and files present are files referenced (R4).
  void restart_and_check() {
    directory.reset();
    directory = open();
    const std::set<CheckpointId> before = complete();
    REQUIRE(must(directory->clean_leftovers()).kept.empty());
    REQUIRE(complete() == before);
    std::size_t state_files = 0;
    for (const auto& [name, bytes] : files.files()) {
      REQUIRE(name.find(".tmp-") == std::string::npos);
      state_files +=
          name.find("/chk-") != std::string::npos && !name.ends_with("_metadata") ? 1 : 0;
    }
    REQUIRE(state_files == before.size());
    const CheckpointId next = must(directory->highest_id_present()) + 1;
    test::publish_with_file(files, *directory, next, 9000);
    REQUIRE(complete().contains(next));
  }

  static std::string path() { return kRoot + "/" + std::string(32, '1'); }

  MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
};

/// Crashes the process or the machine before every step of `act`, and lets `check` judge what is
/// complete.
void crash_everywhere(const Story::Act& act,
                      const std::function<void(const std::set<CheckpointId>&, bool)>& check) {
  for (std::uint64_t step = 1; step < 200; ++step) {
    bool crashed = false;
    for (std::uint64_t seed = 0; seed < 15; ++seed) {
      Story story;
      crashed = story.crash_at(act, step);
      INFO("before step " << step << ", seed " << seed);
      if (seed == 0) {
        story.files.kill();
      } else {
        test::SeededRandom random(seed * 1000 + step);
        story.files.power_cut(random);
      }
      check(story.complete(), crashed);
      story.restart_and_check();
    }
    if (!crashed) return;
  }
  FAIL("it never comes to an end");
}

/// Lets every step of `act` fail, alone or together with the `more` that follow it.
void fail_everywhere(const std::function<Result<void>(Story&)>& act, std::uint64_t more,
                     const std::function<void(Story&, const Result<void>&)>& check) {
  for (std::uint64_t step = 1; step < 200; ++step) {
    Story story;
    const std::uint64_t first = story.files.steps() + step;
    for (std::uint64_t i = 0; i <= more; ++i) {
      story.files.fail_call(first + i, {.code = ErrorCode::store_fsync, .message = "injected"});
    }
    const Result<void> result = act(story);
    INFO("step " << step << " and " << more << " more");
    check(story, result);
    if (story.files.steps() < first) return;
  }
  FAIL("it never comes to an end");
}

Result<void> publish_third(Story& story) {
  CheckpointDirectory& directory = *story.directory;
  const std::string name = test::uuid_of(3);
  const std::string path = join_path(directory.checkpoint_path(3), name);
  if (!SR_TRY(directory.begin(3))) return Error{.code = ErrorCode::bug, .message = "taken"};
  const std::unique_ptr<WritableFile> file = SR_TRY(story.files.create(path));
  SR_TRY(file->append("the bytes"));
  SR_TRY(file->sync());
  SR_TRY(file->close());
  return directory.publish(test::metadata_with_file(3, name, "the bytes"));
}

TEST_CASE("checkpoint directory: a crash at any step of a publish leaves a checkpoint or none",
          "[checkpoint]") {
  bool seen_complete = false;
  crash_everywhere([](Story& story) { must(publish_third(story)); },
                   [&](const std::set<CheckpointId>& complete, bool crashed) {
                     REQUIRE(complete.contains(1));
                     REQUIRE(complete.contains(2));
                     REQUIRE((crashed || complete.contains(3)));  // D1
                     seen_complete |= crashed && complete.contains(3);
                   });
  CHECK(seen_complete);
}

TEST_CASE("checkpoint directory: a crash at any step of a removal leaves a checkpoint or none",
          "[checkpoint]") {
  crash_everywhere([](Story& story) { must(story.directory->remove(1)); },
                   [](const std::set<CheckpointId>& complete, bool crashed) {
                     REQUIRE(complete.contains(2));
                     REQUIRE((crashed || !complete.contains(1)));
                   });
}

TEST_CASE("checkpoint directory: a crash at any step of an abort harms no other", "[checkpoint]") {
  crash_everywhere(
      [](Story& story) {
        if (!must(story.directory->begin(3))) throw std::runtime_error("taken");
        const std::string folder = story.directory->checkpoint_path(3);
        test::write_file(story.files, folder + "/" + test::uuid_of(3), "dead");
        must(story.directory->abort(3, {test::uuid_of(3)}));
      },
      [](const std::set<CheckpointId>& complete, bool) {
        REQUIRE(complete == std::set<CheckpointId>{1, 2});
      });
}

TEST_CASE("checkpoint directory: a crash at any step of the opening or clean-up harms none",
          "[checkpoint]") {
  crash_everywhere(
      [](Story& story) {
        story.directory.reset();
        story.directory = story.open();
        must(story.directory->clean_leftovers());
        must(story.directory->mark_finished(
            {.job_id = test::job_id(0x11), .job_name = "wordcount"}));
        must(make_durable(story.files, story.directory->checkpoint_path(2), "abc"));
      },
      [](const std::set<CheckpointId>& complete, bool) {
        REQUIRE(complete == std::set<CheckpointId>{1, 2});
      });
}

TEST_CASE("checkpoint directory: a publish that fails has published nothing, or is fatal",
          "[checkpoint]") {
  for (const std::uint64_t more : {0, 1, 2, 3, 100}) {
    int fatal = 0;
    int failed = 0;
    fail_everywhere(&publish_third, more, [&](Story& story, const Result<void>& result) {
      if (result) {
        REQUIRE(story.complete().contains(3));
        return;
      }
      ++failed;
      const bool is_fatal = result.error().code == ErrorCode::store_fatal;
      fatal += is_fatal ? 1 : 0;
      if (!is_fatal) {
        REQUIRE(!story.complete().contains(3));
        test::SeededRandom random(more);
        story.files.power_cut(random);
        REQUIRE(!story.complete().contains(3));
      }
      REQUIRE(story.complete().contains(2));
    });
    CHECK(failed > 0);
    CHECK((more == 0 || fatal > 0));
    CHECK((more > 0 || fatal == 0));  // one failure can always be undone
  }
}

TEST_CASE("checkpoint directory: a removal that fails half-way shows no broken checkpoint",
          "[checkpoint]") {
  fail_everywhere(
      [](Story& story) -> Result<void> {
        SR_TRY(story.directory->remove(1));
        return {};
      },
      0, [](Story& story, const Result<void>&) { REQUIRE(story.complete().contains(2)); });
}

}  // namespace
}  // namespace streamrun
