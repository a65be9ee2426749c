// Looking into snapshots: inspect with its operators and values, verify, diff.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A job that was stopped with a savepoint after it had counted in 5040 keys.
class Stopped {
 public:
  explicit Stopped(const std::string& inline_threshold = "0") {
    const Outcome ended = folder_.streamrun(
        {"run", "-p", "2", "-D", "state.checkpoints.dir=ckpt", "-D", "state.savepoints.dir=sp",
         "-D", "execution.checkpointing.interval=20ms", "-D",
         "state.storage.fs.memory-threshold=" + inline_threshold, "--stop-after", "300ms",
         "statemachine", "--rate", "100000", "--output", "out"});
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    savepoint_ = oldest("savepoint");
    checkpoint_ = oldest("checkpoint");
  }

  const std::string& savepoint() const { return savepoint_; }
  const std::string& checkpoint() const { return checkpoint_; }
  Outcome streamrun(const std::vector<std::string>& arguments) const {
    return folder_.streamrun(arguments);
  }
  /// A state file of a snapshot; the first by name.
  static std::string state_file(const std::string& snapshot) {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(snapshot)) {
      if (entry.path().filename() != "_metadata") files.push_back(entry.path());
    }
    REQUIRE_FALSE(files.empty());
    return *std::min_element(files.begin(), files.end());
  }

 private:
  /// Two that follow each other at once may be equal; the oldest that is kept is not the newest.
  std::string oldest(const std::string& kind) const {
    const Outcome listed = folder_.streamrun(
        {"list-checkpoints", "--dir", "ckpt", "--dir", "sp", "-o", "path", "--kind", kind});
    std::istringstream lines(listed.out);
    std::string path;
    for (std::string line; std::getline(lines, line);) path = line;
    REQUIRE_FALSE(path.empty());
    return path;
  }

  Folder folder_;
  std::string savepoint_;
  std::string checkpoint_;
};

void flip_byte(const std::string& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 1));
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("inspect: shows the job, its settings, and each operator with its states", "[cli]") {
  const Stopped stopped;
  const Outcome text = stopped.streamrun({"inspect", stopped.savepoint(), "--files"});
  INFO(text.out);
  REQUIRE(text.status == 0);
  CHECK(contains(text.out, "savepoint "));
  CHECK(contains(text.out, "--rate"));
  CHECK(contains(text.out, "execution.checkpointing.interval"));
  CHECK(contains(text.out, "int64 -> int64"));
  CHECK(contains(text.out, Stopped::state_file(stopped.savepoint())));

  const Outcome shown = stopped.streamrun(
      {"inspect", "--json", "--files", "--operator", "transitions", stopped.savepoint()});
  REQUIRE(shown.status == 0);
  const json document = json::parse(shown.out);
  CHECK(document["arguments"]["rate"] == "100000");
  REQUIRE(document["operators"].size() == 1);
  const json& op = document["operators"][0];
  CHECK(op["uid"] == "transitions");
  CHECK(op["parallelism"] == 2);
  REQUIRE(op["states"].size() == 1);
  CHECK(op["states"][0]["name"] == "events");
  CHECK(op["states"][0]["kind"] == "value");
  CHECK(op["states"][0]["entries"] == 5040);
  CHECK(document["files"].size() == 2);

  const Outcome unknown =
      stopped.streamrun({"inspect", "--operator", "transition", stopped.savepoint()});
  CHECK(unknown.status == 64);
  CHECK(contains(unknown.err, "did you mean transitions?"));
}

TEST_CASE("inspect --state: reads the values of a state, all of them or one", "[cli]") {
  const Stopped stopped;
  const auto values = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"inspect", stopped.savepoint(), "--state", "transitions/events"});
    return stopped.streamrun(more);
  };
  const Outcome all = values({});
  REQUIRE(all.status == 0);
  std::istringstream lines(all.out);
  std::set<std::int64_t> keys;
  std::int64_t events = 0;
  for (std::string line; std::getline(lines, line);) {
    const json value = json::parse(line);
    keys.insert(value["key"].get<std::int64_t>());
    events += value["value"].get<std::int64_t>();
  }
  CHECK(keys.size() == 5040);
  CHECK(*keys.begin() == 0);
  CHECK(*keys.rbegin() == 5039);
  CHECK(events > 5040);

  const Outcome one = values({"--key", "17"});
  REQUIRE(one.status == 0);
  CHECK(json::parse(one.out)["key"] == 17);
  const Outcome three = values({"--limit", "3"});
  CHECK(std::count(three.out.begin(), three.out.end(), '\n') == 3);

  const Outcome none = values({"--key", "5040"});
  CHECK(none.status == 66);
  CHECK(none.out.empty());
  const Outcome slip =
      stopped.streamrun({"inspect", stopped.savepoint(), "--state", "transitions/event"});
  CHECK(slip.status == 64);
  CHECK(contains(slip.err, "did you mean transitions/events?"));
  CHECK(values({"--limit", "few"}).status == 64);
}

TEST_CASE("verify: what is whole is ok, and every damage is a line and exit 65", "[cli]") {
  const Stopped stopped;
  const Outcome whole = stopped.streamrun({"verify", stopped.savepoint(), "--data"});
  INFO(whole.out << whole.err);
  CHECK(whole.status == 0);
  CHECK(whole.out.starts_with("ok "));
  CHECK(contains(whole.out, stopped.savepoint()));

  const std::string file = Stopped::state_file(stopped.savepoint());
  flip_byte(file, fs::file_size(file) / 2);
  CHECK(stopped.streamrun({"verify", stopped.savepoint()}).status == 0);
  const Outcome flipped = stopped.streamrun({"verify", "--data", stopped.savepoint()});
  CHECK(flipped.status == 65);
  CHECK(contains(flipped.out, "E-STATE-CORRUPT"));
  CHECK(contains(flipped.out, file));
  CHECK(stopped.streamrun({"run", "-s", stopped.savepoint(), "--stop-after", "50ms"}).status == 65);

  fs::remove(file);
  const Outcome lost = stopped.streamrun({"--json", "verify", stopped.savepoint()});
  CHECK(lost.status == 65);
  const json document = json::parse(lost.out);
  CHECK(document["snapshots"][0]["ok"] == false);
  CHECK(document["snapshots"][0]["damage"][0]["code"] == "E-STATE-MISSING");

  const Outcome all =
      stopped.streamrun({"verify", "--all", "--data", "--dir", "ckpt", "--dir", "sp"});
  CHECK(all.status == 65);
  CHECK(contains(all.out, "ok      " + stopped.checkpoint()));
  CHECK(contains(all.out, "damage  " + stopped.savepoint()));
  CHECK(stopped.streamrun({"verify"}).status == 64);
  CHECK(stopped.streamrun({"verify", "--all", stopped.savepoint()}).status == 64);
  CHECK(stopped.streamrun({"verify", "nowhere"}).status == 66);
}

TEST_CASE("verify --data: finds one flipped byte wherever it is", "[cli]") {
  const Stopped stopped;
  const std::string snapshot = stopped.savepoint();
  for (const std::string& file : {Stopped::state_file(snapshot), snapshot + "/_metadata"}) {
    const std::uint64_t size = fs::file_size(file);
    for (int i = 0; i < 25; ++i) {
      const std::uint64_t at = (size * static_cast<std::uint64_t>(i) / 25 * 7919) % size;
      flip_byte(file, at);
      const Outcome found = stopped.streamrun({"verify", "--data", snapshot});
      INFO(file << " at " << at << ": " << found.out << found.err);
      CHECK(found.status == 65);
      flip_byte(file, at);
    }
  }
  CHECK(stopped.streamrun({"verify", "--data", snapshot}).status == 0);
}

TEST_CASE("diff: shows what differs between two snapshots, and nothing between equal ones",
          "[cli]") {
  const Stopped stopped;
  const Outcome same =
      stopped.streamrun({"diff", "--exit-code", stopped.savepoint(), stopped.savepoint()});
  CHECK(same.status == 0);
  CHECK(same.out.empty());
  const Outcome other =
      stopped.streamrun({"diff", "--exit-code", stopped.checkpoint(), stopped.savepoint()});
  INFO(other.out << other.err);
  CHECK(other.status == 1);
  CHECK(contains(other.out, "position of events"));
  CHECK(stopped.streamrun({"diff", stopped.checkpoint(), stopped.savepoint()}).status == 0);
  const json document = json::parse(
      stopped.streamrun({"--json", "diff", stopped.checkpoint(), stopped.savepoint()}).out);
  CHECK_FALSE(document["differences"].empty());
  CHECK(stopped.streamrun({"diff", stopped.savepoint()}).status == 64);
  CHECK(stopped.streamrun({"diff", stopped.savepoint(), "nowhere"}).status == 66);
}

TEST_CASE("diff --job: says whether a snapshot would restore into a job", "[cli]") {
  const Stopped stopped;
  const Outcome fits = stopped.streamrun({"diff", stopped.savepoint(), "--job", "statemachine"});
  INFO(fits.out << fits.err);
  CHECK(fits.status == 0);
  CHECK(contains(fits.out, "transitions"));
  CHECK(contains(fits.out, "1 state"));
  const Outcome not_so = stopped.streamrun({"diff", stopped.savepoint(), "--job", "wordcount"});
  CHECK(not_so.status == 76);
  CHECK(contains(not_so.err, "E-JOB-MISMATCH"));
  CHECK(contains(not_so.err, "transitions"));
  CHECK(stopped.streamrun({"diff", stopped.savepoint(), "--job", "statemachin"}).status == 64);
}

}  // namespace streamrun::test
