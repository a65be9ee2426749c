// As `checkpoint_crash_states_test.cc`, for checkpoints that refer to files which earlier ones
// wrote: every state that the disk may be left in when the power goes.
#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/shared_state_registry.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/state/shared_file.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
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

/// The pieces of checkpoint N are those of N − 1 and N.
std::vector<std::string> pieces_of(CheckpointId id) {
  const auto piece = [](CheckpointId of) { return "what changed before " + std::to_string(of); };
  return id == 1 ? std::vector{piece(1)} : std::vector{piece(id - 1), piece(id)};
}

CheckpointMetadata metadata_of(CheckpointId id) {
  CheckpointMetadata metadata = test::sample_metadata(id);
  std::vector<StateHandle>& pieces = metadata.operators[0].subtasks[0].keyed[0].pieces;
  pieces.clear();
  for (const std::string& bytes : pieces_of(id)) {
    StateFile file = test::state_file("", bytes);
    file.path = std::string(kSharedPrefix) + shared_file_name(file);
    pieces.push_back({.inline_bytes = {}, .file = std::move(file)});
  }
  return metadata;
}

/// A store with a job's folder, and what a process does in it.
class Story {
 public:
  using Act = std::function<Result<void>(Story&)>;

  Story() {
    directory = open(false);
    must(write(1));
    must(write(2));
  }

  std::unique_ptr<CheckpointDirectory> open(bool resumes) {
    CheckpointDirectory::Owner owner = test::owner_of(test::sample_metadata(1));
    owner.resumes_itself = resumes;
    return must(CheckpointDirectory::open(files, kRoot, std::move(owner)));
  }

  Result<void> write_piece(CheckpointId id) {
    const std::string temporary =
        join_path(directory->shared_path(),
                  shared_temporary_name(test::uuid_of(static_cast<std::uint64_t>(id))));
    const std::string bytes = pieces_of(id).back();
    const std::string name = shared_file_name(test::state_file("", bytes));
    const std::unique_ptr<WritableFile> file = SR_TRY(files.create(temporary));
    SR_TRY(file->append(bytes));
    SR_TRY(file->sync());
    SR_TRY(file->close());
    REQUIRE(registry.claim(id, name));
    SR_TRY(files.rename_no_replace(temporary, join_path(directory->shared_path(), name)));
    return {};
  }

  Result<void> write(CheckpointId id) {
    registry.begin(id);
    if (!SR_TRY(directory->begin(id))) return Error{.code = ErrorCode::bug, .message = "taken"};
    SR_TRY(write_piece(id));
    const CheckpointMetadata metadata = metadata_of(id);
    SR_TRY(directory->publish(metadata));
    return directory->remove_shared(registry.complete(id, shared_names_of(metadata)));
  }

  /// As the JobMaster does.
  Result<void> retire(CheckpointId id) {
    SR_TRY(directory->remove(id));
    return directory->remove_shared(registry.drop(id));
  }

  Result<void> abort(CheckpointId id) {
    registry.begin(id);
    SR_TRY(directory->begin(id));
    SR_TRY(write_piece(id));
    SR_TRY(directory->abort(id, {}));
    return directory->remove_shared(registry.drop(id));
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

  /// The next life, which knows nothing but what is on the disk.
  static Result<void> clean(Story& story) {
    story.directory.reset();
    story.directory = story.open(true);
    SR_TRY(story.directory->clean_leftovers());
    story.registry = {};
    for (const auto& [id, names] : SR_TRY(story.directory->shared_names())) {
      story.registry.retain(id, names);
    }
    return {};
  }

  void check_only_what_is_needed(const Ids& ids) {
    std::set<std::string> needed;
    for (const CheckpointId id : ids) needed.merge(shared_names_of(metadata_of(id)));
    std::set<std::string> there;
    for (const auto& [name, bytes] : files.files()) {
      if (parent_path(name) == directory->shared_path()) there.insert(base_name(name));
    }
    REQUIRE(there == needed);  // R1, R4
  }

  /// What is complete stays, all else goes, and the job goes on, and ends.
  void restart_and_check() {
    const Ids before = complete();
    must(clean(*this));
    REQUIRE(complete() == before);
    check_only_what_is_needed(before);
    const CheckpointId next = must(directory->highest_id_present()) + 1;
    if (before.contains(next - 1)) {
      must(write(next));
      REQUIRE(complete().contains(next));
    }
    for (const CheckpointId id : complete()) must(retire(id));
    check_only_what_is_needed({});
  }

  static std::string path() { return kRoot + "/" + std::string(32, '1'); }

  MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
  SharedStateRegistry registry;
};

/// Every state after every step of `act`, with the next life's clean-up cut short too if `twice`.
std::uint64_t crash_everywhere(const Story::Act& act, bool twice,
                               const std::function<void(const Ids&, bool crashed)>& check) {
  std::uint64_t states = 0;
  for (std::uint64_t first = 1; first < kMostSteps; ++first) {
    bool more = false;
    for (std::uint64_t second = 1; second < kMostSteps; ++second) {
      INFO("before step " << first << ", then before step " << second << " of the clean-up");
      Odometer odometer;
      bool cut_short = false;
      do {
        Story story;
        const Choose choose = odometer.chooser();
        more = story.crash_at(act, first);
        story.files.power_cut(choose);
        const Ids before = story.complete();
        check(before, more);
        cut_short = twice && story.crash_at(&Story::clean, second);
        if (twice) story.files.power_cut(choose);
        REQUIRE(story.complete() == before);
        story.restart_and_check();
        ++states;
      } while (odometer.next());
      if (!cut_short) break;
    }
    if (!more) return states;
  }
  FAIL("it never comes to an end");
  return states;
}

TEST_CASE("shared files on every disk: a checkpoint cut short is whole or none", "[sim]") {
  const auto states = crash_everywhere([](Story& story) { return story.write(3); }, false,
                                       [](const Ids& ids, bool crashed) {
                                         REQUIRE(ids.contains(1));
                                         REQUIRE(ids.contains(2));
                                         REQUIRE((crashed || ids.contains(3)));  // D1
                                       });
  CAPTURE(states);
  CHECK(states > 100);
}

TEST_CASE("shared files on every disk: a retirement cut short takes nothing from the next one",
          "[sim]") {
  const auto retire_two = [](Story& story) -> Result<void> {
    SR_TRY(story.write(3));
    SR_TRY(story.retire(1));
    return story.retire(2);
  };
  std::set<Ids> seen;
  crash_everywhere(retire_two, false, [&](const Ids& ids, bool) { seen.insert(ids); });
  CHECK(seen == std::set<Ids>{{1, 2}, {1, 2, 3}, {2, 3}, {3}});
}

TEST_CASE("shared files on every disk: an abort cut short takes nothing from the others", "[sim]") {
  crash_everywhere([](Story& story) { return story.abort(3); }, false,
                   [](const Ids& ids, bool) {
                     REQUIRE(ids == Ids{1, 2});
                   });
}

TEST_CASE("shared files on every disk: a clean-up cut short harms none", "[sim]") {
  crash_everywhere([](Story& story) { return story.retire(1); }, true,
                   [](const Ids& ids, bool) { REQUIRE(ids.contains(2)); });
}

TEST_CASE("shared files on every disk: what ended is removed with what it shared", "[sim]") {
  const auto end = [](Story& story) -> Result<void> {
    SR_TRY(story.directory->mark_finished({.job_id = test::job_id(0x11),
                                           .job_name = "wordcount",
                                           .last_checkpoint = 2,
                                           .last_snapshot = 2}));
    SR_TRY(story.retire(1));
    return story.retire(2);
  };
  for (std::uint64_t step = 1; step < kMostSteps; ++step) {
    INFO("before step " << step);
    Story story;
    const bool crashed = story.crash_at(end, step);
    story.files.kill();
    const bool is_marked = must(story.files.exists(Story::path() + "/finished"));
    story.directory.reset();
    finish_removals(story.files, kRoot, test::sample_metadata(1).family_id, {}, "test");
    REQUIRE(story.complete() == (is_marked ? Ids{} : Ids{1, 2}));
    story.directory = story.open(true);
    story.check_only_what_is_needed(story.complete());
    if (!crashed) return;
  }
  FAIL("it never comes to an end");
}

}  // namespace
}  // namespace streamrun::sim
