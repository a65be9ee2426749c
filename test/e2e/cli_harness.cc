#include "e2e/cli_harness.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

Outcome run_in(const std::string& folder, const char* program,
               const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment) {
  Outcome outcome = run({.program = program,
                         .arguments = arguments,
                         .environment = environment,
                         .working_directory = folder});
  REQUIRE_FALSE(outcome.timed_out);
  return outcome;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "streamrun-cli-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
  path_ = std::filesystem::canonical(name).string();
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, std::string_view bytes) const {
  std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
  std::ofstream file(at(name), std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + at(name));
}

Outcome Folder::own(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment) const {
  return run_in(path_, STREAMRUN_OWN_BINARY, arguments, environment);
}

Outcome Folder::streamrun(const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment) const {
  return run_in(path_, STREAMRUN_BINARY, arguments, environment);
}

void Folder::kill_at(const std::vector<std::string>& arguments, const std::string& text) const {
  using namespace std::chrono_literals;
  Process process(
      {.program = STREAMRUN_BINARY, .arguments = arguments, .working_directory = path_});
  const bool said = process.wait_for_err(text, 60s);
  process.kill(SIGKILL);
  const Outcome outcome = process.wait(30s);
  INFO(outcome.err);
  REQUIRE(said);
  REQUIRE(outcome.signal == SIGKILL);
}

std::string Folder::newest() const {
  const Outcome listed = streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(listed.status == 0);
  return listed.out.substr(0, listed.out.size() - 1);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(STREAMRUN_GOLDEN) + "/" + name, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) throw std::runtime_error("no golden file " + name);
  return content.str();
}

}  // namespace streamrun::test
