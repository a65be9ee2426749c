#include "e2e/running_world.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

namespace streamrun::test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string one_line(const std::string& text) {
  REQUIRE(text.ends_with('\n'));
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 1);
  return text.substr(0, text.size() - 1);
}

std::unique_ptr<Process> RunningWorld::begin(const Arguments& arguments) const {
  return std::make_unique<Process>(Command{.program = STREAMRUN_OWN_BINARY,
                                           .arguments = arguments,
                                           .environment = {{"XDG_STATE_HOME", at("state")}},
                                           .working_directory = folder_.path()});
}

std::unique_ptr<Process> RunningWorld::start(const std::string& id, const Arguments& flags,
                                             const std::string& how) const {
  Arguments arguments = {"run",
                         "--log-level",
                         "debug",
                         "-D",
                         "state.checkpoints.dir=ckpt",
                         "-D",
                         "execution.checkpointing.interval=20ms",
                         "-D",
                         "$internal.pipeline.job-id=" + id};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"broken", "--how", how});
  auto process = begin(arguments);
  REQUIRE(process->wait_for_err("REST at", 20s));
  REQUIRE(process->wait_for_err("RUNNING", 20s));
  return process;
}

Outcome RunningWorld::command(const Arguments& arguments) const {
  return folder_.own(arguments, {{"XDG_STATE_HOME", at("state")}});
}

nlohmann::json RunningWorld::listed(const Arguments& flags) const {
  Arguments arguments = {"list", "--json"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Outcome outcome = command(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  return nlohmann::json::parse(outcome.out)["jobs"];
}

std::string RunningWorld::address() const {
  const nlohmann::json jobs = listed();
  REQUIRE(jobs.size() == 1);
  return jobs[0]["web"].get<std::string>().substr(std::string("http://").size());
}

std::vector<std::string> RunningWorld::names_in(const std::string& folder,
                                                const std::string& prefix) const {
  std::vector<std::string> names;
  if (!fs::exists(at(folder))) return names;
  for (const auto& entry : fs::directory_iterator(at(folder))) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<long> RunningWorld::copied() const {
  std::vector<long> numbers;
  for (const std::string& name : names_in("copied", "part-")) {
    std::ifstream file(at("copied/" + name));
    for (std::string line; std::getline(file, line);) numbers.push_back(std::stol(line));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace streamrun::test
