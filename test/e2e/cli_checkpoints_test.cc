// list-checkpoints over folders with checkpoints of every sort.
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/platform/real_clock.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "checkpoint/samples.h"
#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

constexpr std::int64_t kHour = 3'600'000;
const std::string kFirst = "11111111111111111111111111111111";
const std::string kSecond = "11112222222222222222222222222222";

std::int64_t now_ms() {
  return RealClock().unix_milliseconds();
}

/// A world of checkpoints under `ckpt`: wordcount has chk-1 (3 h old), chk-2 (2 h) and an
/// unfinished chk-3; sessions has chk-7 (5 h) and a savepoint (4 h).
class Checkpoints {
 public:
  Checkpoints() {
    add(kFirst, 1, "wordcount", 3 * kHour);
    add(kFirst, 2, "wordcount", 2 * kHour);
    folder_.write("ckpt/" + kFirst + "/chk-3/state", "half written");
    add_job_file(kFirst, "wordcount");
    add(kSecond, 7, "sessions", 5 * kHour);
    add_job_file(kSecond, "sessions");
    CheckpointMetadata savepoint = metadata(kSecond, 8, "sessions", 4 * kHour);
    savepoint.kind = SnapshotKind::savepoint;
    folder_.write("ckpt/savepoint-111122-aabbccddeeff/_metadata", encode(savepoint));
  }

  const Folder& folder() const { return folder_; }
  void add(const std::string& job, CheckpointId id, const std::string& name, std::int64_t age) {
    folder_.write("ckpt/" + job + "/chk-" + std::to_string(id) + "/_metadata",
                  encode(metadata(job, id, name, age)));
  }
  void damage(const std::string& job, CheckpointId id) {
    folder_.write("ckpt/" + job + "/chk-" + std::to_string(id) + "/_metadata", "rubbish");
  }
  void finish(const std::string& job, const std::string& name) {
    folder_.write("ckpt/" + job + "/finished",
                  encode(FinishedMarker{.job_id = *parse_job_id(job),
                                        .job_name = name,
                                        .last_checkpoint = 2,
                                        .last_snapshot = 2,
                                        .finished_unix_ms = now_ms() - kHour}));
  }
  Outcome list(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "list-checkpoints");
    return folder_.own(arguments, {{"STREAMRUN_STATE_CHECKPOINTS_DIR", "ckpt"}});
  }
  std::string path_of(const std::string& job, CheckpointId id) const {
    return folder_.at("ckpt/" + job + "/chk-" + std::to_string(id));
  }

 private:
  static CheckpointMetadata metadata(const std::string& job, CheckpointId id,
                                     const std::string& name, std::int64_t age) {
    CheckpointMetadata metadata = sample_metadata(id);
    metadata.job_id = *parse_job_id(job);
    metadata.job_name = name;
    metadata.completed_unix_ms = now_ms() - age - 60'000;  // not near the edge of an hour
    metadata.triggered_unix_ms = metadata.completed_unix_ms - 1200 * id;
    return metadata;
  }
  void add_job_file(const std::string& job, const std::string& name) {
    folder_.write("ckpt/" + job + "/.job",
                  encode(JobFile{.job_id = *parse_job_id(job),
                                 .family_id = *parse_job_id(job),
                                 .job_name = name,
                                 .started_unix_ms = now_ms() - 9 * kHour}));
  }

  Folder folder_;
};

}  // namespace

TEST_CASE("list-checkpoints: complete ones, newest first; the rest is counted on stderr", "[cli]") {
  const Checkpoints world;
  const Outcome outcome = world.list({});
  CHECK(outcome.status == 0);
  CHECK(outcome.out == golden("checkpoints.txt"));
  CHECK(outcome.err == "note: 1 unfinished not shown (--all)\n");
}

TEST_CASE("list-checkpoints: --all shows what is unfinished, damaged and finished", "[cli]") {
  Checkpoints world;
  world.damage(kSecond, 7);
  world.finish(kFirst, "wordcount");
  const Outcome outcome = world.list({"--all"});
  CHECK(outcome.status == 0);
  CHECK(outcome.out == golden("checkpoints_all.txt"));
  CHECK(outcome.err.empty());
}

TEST_CASE("list-checkpoints: -o path prints absolute paths alone", "[cli]") {
  const Checkpoints world;
  const Outcome outcome = world.list({"-o", "path", "wordcount"});
  CHECK(outcome.out == world.path_of(kFirst, 2) + "\n" + world.path_of(kFirst, 1) + "\n");
}

TEST_CASE("list-checkpoints: -o wide has more columns and whole ids", "[cli]") {
  const Checkpoints world;
  const std::string out = world.list({"-o", "wide"}).out;
  CHECK(out.find("JOB-ID") != std::string::npos);
  CHECK(out.find("  " + kSecond + "  2 ") != std::string::npos);
}

TEST_CASE("list-checkpoints: --json has every fact, sizes in bytes and times in UTC", "[cli]") {
  const Checkpoints world;
  const auto document = nlohmann::json::parse(world.list({"--json", "--all"}).out);
  CHECK(document.at("v") == 1);
  CHECK(document.at("finished").empty());
  const auto& checkpoints = document.at("checkpoints");
  REQUIRE(checkpoints.size() == 5);
  CHECK(checkpoints.at(0).at("status") == "unfinished");
  CHECK(checkpoints.at(1).at("path") == world.path_of(kFirst, 2));
  CHECK(checkpoints.at(1).at("job_id") == kFirst);
  CHECK(checkpoints.at(1).at("took_ms") == 2400);
  CHECK(checkpoints.at(1).at("completed").get<std::string>().ends_with("Z"));
  CHECK(checkpoints.at(3).at("kind") == "savepoint");
}

TEST_CASE("list-checkpoints: a job is named by name, id or a start of its id", "[cli]") {
  const Checkpoints world;
  const std::string sessions = world.path_of(kSecond, 7) + "\n";
  const auto paths_of = [&](const std::string& job) {
    return world.list({job, "-o", "path", "--kind", "checkpoint"}).out;
  };
  CHECK(paths_of("sessions") == sessions);
  CHECK(paths_of(kSecond) == sessions);
  CHECK(paths_of("11112") == sessions);
  const Outcome ambiguous = world.list({"1111"});
  CHECK(ambiguous.status == 64);
  CHECK(ambiguous.err ==
        "error: E-USAGE: several job ids begin with 1111: " + kFirst + ", " + kSecond + "\n");
  CHECK(world.list({"111"}).status == 64);
  const Outcome slip = world.list({"wordcuont"});
  CHECK(slip.status == 64);
  CHECK(slip.err.find("did you mean wordcount?") != std::string::npos);
  CHECK(world.list({"echo"}).status == 0);  // of this binary, but without checkpoints
}

TEST_CASE("list-checkpoints: filters and orders", "[cli]") {
  const Checkpoints world;
  const auto names = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-o", "path"});
    std::string found;
    const std::string out = world.list(arguments).out;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1) {
      const std::string path = out.substr(at, out.find('\n', at) - at);
      found += path.substr(path.rfind('/') + 1).substr(0, 9) + " ";
    }
    return found;
  };
  CHECK(names({"--kind", "savepoint"}) == "savepoint ");
  CHECK(names({"--older", "210min"}) == "savepoint chk-7 ");
  CHECK(names({"--newer", "210min"}) == "chk-2 chk-1 ");
  CHECK(names({"--newer", "210min", "--older", "150min"}) == "chk-1 ");
  CHECK(names({"--sort", "duration"}) == "savepoint chk-7 chk-2 chk-1 ");
  CHECK(names({"--sort", "job"}) == "savepoint chk-7 chk-2 chk-1 ");
  CHECK(names({"--sort", "age"}) == "chk-2 chk-1 savepoint chk-7 ");
}

TEST_CASE("list-checkpoints --latest: one absolute path", "[cli]") {
  const Checkpoints world;
  CHECK(world.list({"--latest"}).out == world.path_of(kFirst, 2) + "\n");
  CHECK(world.list({"--latest", "wordcount"}).out == world.path_of(kFirst, 2) + "\n");
  CHECK(world.list({"--latest", kFirst}).out == world.path_of(kFirst, 2) + "\n");
  CHECK(world.list({"--latest", "sessions"}).out ==
        world.folder().at("ckpt/savepoint-111122-aabbccddeeff") + "\n");
  CHECK(world.list({"--latest", "sessions", "--kind", "checkpoint"}).out ==
        world.path_of(kSecond, 7) + "\n");
  CHECK(world.list({"--latest", "--dir", "ckpt/" + kSecond}).out ==
        world.path_of(kSecond, 7) + "\n");
}

TEST_CASE("list-checkpoints --latest: none is 66 with nothing on stdout", "[cli]") {
  const Checkpoints world;
  const Outcome outcome = world.list({"--latest", "tally"});
  CHECK(outcome.status == 66);
  CHECK(outcome.out.empty());
  CHECK(outcome.err ==
        "error: E-PATH: no complete checkpoint of tally (" + world.folder().at("ckpt") + ")\n");
  const Folder empty;
  CHECK(empty.own({"list-checkpoints", "--latest", "-D", "state.checkpoints.dir=none"}).status ==
        66);
}

TEST_CASE("list-checkpoints --latest: a damaged newer one is an error, not passed over", "[cli]") {
  Checkpoints world;
  world.damage(kFirst, 2);
  for (const std::string& job : {std::string("wordcount"), kFirst}) {
    const Outcome outcome = world.list({"--latest", job});
    CHECK(outcome.status == 65);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("chk-2") != std::string::npos);
  }
}

TEST_CASE("list-checkpoints --latest: of a job that ended by itself there is none", "[cli]") {
  Checkpoints world;
  world.finish(kFirst, "wordcount");
  for (const std::string& job : {std::string("wordcount"), kFirst}) {
    const Outcome outcome = world.list({"--latest", job});
    CHECK(outcome.status == 66);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("ended by itself 1h ago") != std::string::npos);
  }
}

TEST_CASE("list-checkpoints: without any folder it names the key to set", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own({"list-checkpoints"});
  CHECK(outcome.status == 64);
  CHECK(outcome.err ==
        "error: E-USAGE: no folder to look in: state.checkpoints.dir is not set\n"
        "  try: streamrun list-checkpoints --dir FOLDER\n"
        "  try: streamrun list-checkpoints -D state.checkpoints.dir=FOLDER\n");
}

TEST_CASE("list-checkpoints: a configured folder that is not there yet holds none", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own({"list-checkpoints", "-D", "state.checkpoints.dir=later"});
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "note: no complete checkpoint under " + folder.at("later") + "\n");
}

}  // namespace streamrun::test
