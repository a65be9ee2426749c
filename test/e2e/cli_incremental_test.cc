// Incremental checkpoints with the real binary: a run that is killed goes on from a chain of files,
// and what lies in `shared` is what its checkpoints need.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;
using Names = std::set<std::string>;

constexpr const char* kJob = "0123456789abcdef0123456789abcdef";

/// `run` of checkpointdemo with checkpoints each 100 ms, in which a twentieth of the state changes.
/// Its code says that they are incremental. Every run has the same folder.
Arguments run_of(const Arguments& flags, const std::string& output, const std::string& rate) {
  Arguments arguments = {"run", "-p", "2", "-D", std::string("$internal.pipeline.job-id=") + kJob};
  for (const char* const setting :
       {"interval=100ms", "min-pause=0ms", "snapshot-compression=false", "num-retained=2"}) {
    arguments.insert(arguments.end(), {"-D", std::string("execution.checkpointing.") + setting});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"checkpointdemo", "--thermometers", "400000", "--count",
                                     "1600000", "--rate", rate, "--output", output});
  return arguments;
}

/// Runs it until `text` was said, then sends the signal.
Outcome end_at(const Folder& folder, const Arguments& arguments, const std::string& text,
               int signal) {
  Process process(
      {.program = STREAMRUN_BINARY, .arguments = arguments, .working_directory = folder.path()});
  const bool said = process.wait_for_err(text, 60s);
  process.kill(signal);
  Outcome outcome = process.wait(60s);
  INFO(outcome.err);
  REQUIRE(said);
  return outcome;
}

std::string job_folder(const Folder& folder) {
  return folder.at("ckpt/") + kJob;
}

Names present(const Folder& folder) {
  Names names;
  for (const auto& entry : fs::directory_iterator(job_folder(folder) + "/shared"))
    names.insert(entry.path().filename());
  return names;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// By complete checkpoints.
Names needed(const Folder& folder) {
  Names names;
  const std::regex shared("\\.\\./shared/([0-9a-f]{32}-[0-9]+)");
  for (const auto& entry : fs::directory_iterator(job_folder(folder))) {
    const fs::path metadata = entry.path() / "_metadata";
    if (!fs::exists(metadata)) continue;
    const std::string text = text_of(metadata);
    for (std::sregex_iterator at(text.begin(), text.end(), shared), end; at != end; ++at)
      names.insert((*at)[1]);
  }
  return names;
}

std::vector<std::string> rows(const std::string& output) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(output)) {
    if (entry.path().filename().string().starts_with(".")) continue;
    std::ifstream part(entry.path());
    for (std::string line; std::getline(part, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("run: incremental checkpoints survive kill -9, and share no more than they need",
          "[cli]") {
  const Folder folder;
  const std::string slow = "200000";
  const Outcome killed = end_at(folder, run_of({}, "out", slow), "chk-30 done", SIGKILL);
  REQUIRE(killed.signal == SIGKILL);
  const Names before = present(folder);
  const Names needed_before = needed(folder);
  CHECK_FALSE(needed_before.empty());
  CHECK(std::includes(before.begin(), before.end(), needed_before.begin(), needed_before.end()));
  const Outcome listed = folder.streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(listed.status == 0);
  const std::string newest = listed.out.substr(0, listed.out.size() - 1);
  const Outcome inspected = folder.streamrun({"inspect", "--json", "--history", newest});
  REQUIRE(inspected.status == 0);
  const auto own = nlohmann::json::parse(inspected.out)["history"].back();
  CHECK(own["new_bytes"].get<std::int64_t>() * 2 < own["full_bytes"].get<std::int64_t>());
  CHECK(folder.streamrun({"verify", "--data", newest}).status == 0);

  const Outcome stopped = end_at(folder, run_of({"-s", "latest"}, "out", slow), " done", SIGTERM);
  INFO(stopped.err);
  CHECK(present(folder) == needed(folder));

  const Outcome finished = folder.streamrun(run_of({"-s", "latest"}, "out", "0"));
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  CHECK(present(folder) == needed(folder));

  const Folder undisturbed;
  REQUIRE(undisturbed.streamrun(run_of({}, "out", "0")).status == 0);
  CHECK((rows(folder.at("out")) == rows(undisturbed.at("out"))));
}

}  // namespace streamrun::test
