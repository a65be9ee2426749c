// Checkpoints that a kill left behind a `finished` marker, and those of earlier runs of one job id:
// who removes them, and who does not.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/bad_input_world.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

const World& world() {
  static const World kWorld;
  return kWorld;
}

std::set<std::string> complete_in(const std::string& job_folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(job_folder)) {
    if (fs::exists(entry.path() / "_metadata")) names.insert(entry.path().filename().string());
  }
  return names;
}

/// As a run that ended by itself writes it, just before it removes its checkpoints.
void mark_finished(const std::string& job_folder) {
  write_bytes(job_folder + "/finished", R"({"format":1,"job_id":")" +
                                            fs::path(job_folder).filename().string() +
                                            R"(","job_name":"wordcount","last_checkpoint":1000000,)"
                                            R"("finished_unix_ms":4102444800000})"
                                            "\n");
}

std::string with_id_of(const std::string& job_folder) {
  return "$internal.pipeline.job-id=" + fs::path(job_folder).filename().string();
}

/// The folder of the job that a run has made beside the world's own.
std::string other_job_folder() {
  for (const auto& entry : fs::directory_iterator(world().folder().at("ckpt"))) {
    if (entry.path() != world().job_folder()) return entry.path().string();
  }
  return {};
}

}  // namespace

TEST_CASE("left checkpoints: -s latest of a finished job removes them, a dry run does not",
          "[left]") {
  world().reset();
  mark_finished(world().job_folder());
  const auto before = world().contents();
  const Outcome looked = world().run_with({"--dry-run", "-s", "latest", "wordcount"});
  CHECK(looked.status == 0);
  CHECK((world().contents() == before));
  const Outcome outcome = world().run_with({"-s", "latest", "wordcount"});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.find("there is nothing left to do") != std::string::npos);
  CHECK(complete_in(world().job_folder()).empty());
  CHECK(fs::exists(world().job_folder() + "/finished"));
}

TEST_CASE("left checkpoints: the next run of the job id removes them", "[left]") {
  world().reset();
  mark_finished(world().job_folder());
  const Outcome outcome =
      world().run_with({"-D", with_id_of(world().job_folder()), "--stop-after", "10s"},
                       {"wordcount", "--input", "in", "--output", "out2"});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.find("removed the leftover " + world().newest()) != std::string::npos);
  CHECK(complete_in(world().job_folder()).empty());
}

TEST_CASE("left checkpoints: a run that resumes one of them keeps all that it needs", "[left]") {
  world().reset();
  mark_finished(world().job_folder());
  const auto before = complete_in(world().job_folder());
  CHECK(world().run_with({"--stop-after", "50ms", "-s", world().older()}).status == 0);
  CHECK(complete_in(world().job_folder()) == before);
}

TEST_CASE("left checkpoints: the next run of the family removes those of a finished kin",
          "[left]") {
  world().reset();
  REQUIRE(world().run_with({"--stop-after", "200ms", "-s", world().newest()}).status == 0);
  const std::string kin = other_job_folder();
  REQUIRE_FALSE(complete_in(kin).empty());
  const auto before = complete_in(world().job_folder());

  SECTION("without a marker they stay") {
    CHECK(world().run_with({"--stop-after", "50ms", "-s", world().newest()}).status == 0);
    CHECK_FALSE(complete_in(kin).empty());
  }
  SECTION("with a marker they go") {
    mark_finished(kin);
    const Outcome outcome = world().run_with({"--stop-after", "50ms", "-s", world().newest()});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(complete_in(kin).empty());
  }
  SECTION("another family's stay") {
    mark_finished(kin);
    const std::string job = bytes_of(kin + "/.job");
    const std::string family = fs::path(world().job_folder()).filename().string();
    std::string other = job;
    other.replace(other.find(family), family.size(), std::string(32, 'c'));
    write_bytes(kin + "/.job", other);
    CHECK(world().run_with({"--stop-after", "50ms", "-s", world().newest()}).status == 0);
    CHECK_FALSE(complete_in(kin).empty());
  }
  CHECK(complete_in(world().job_folder()) == before);
}

TEST_CASE("left checkpoints: those of earlier runs of one job id count as retained", "[left]") {
  world().reset();
  const auto before = complete_in(world().job_folder());
  REQUIRE(before.size() == 3);
  const std::string id = with_id_of(world().job_folder());

  SECTION("a run that goes on from one of them takes their place") {
    const Outcome outcome =
        world().run_with({"-D", id, "--stop-after", "400ms", "-s", world().newest()});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    const auto after = complete_in(world().job_folder());
    CHECK(after.size() == 3);
    for (const std::string& name : before) CHECK(after.count(name) == 0);
  }
  SECTION("a run that goes on from an older one leaves that and what came later") {
    // The oldest one: as texts, chk-10 comes before chk-9.
    const std::string oldest = *std::min_element(
        before.begin(), before.end(), [](const std::string& a, const std::string& b) {
          return std::pair(a.size(), a) < std::pair(b.size(), b);
        });
    const std::string path = world().job_folder() + "/" + oldest;
    const Outcome outcome = world().run_with({"-D", id, "--stop-after", "400ms", "-s", path});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    const auto after = complete_in(world().job_folder());
    for (const std::string& name : before) CHECK(after.count(name) == 1);
  }
  SECTION("a run that starts empty leaves them: they may be wanted") {
    CHECK(world()
              .run_with({"-D", id, "--stop-after", "400ms"},
                        {"wordcount", "--watch", "--input", "in", "--output", "out2"})
              .status == 0);
    const auto after = complete_in(world().job_folder());
    for (const std::string& name : before) CHECK(after.count(name) == 1);
  }
}

}  // namespace streamrun::test
