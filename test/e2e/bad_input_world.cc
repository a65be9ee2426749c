#include "e2e/bad_input_world.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <grp.h>
#include <unistd.h>

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

constexpr int kNobody = 65534;

/// For good, and before anything is written.
bool become_ordinary_user() {
  if (::geteuid() != 0) return true;
  return ::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
}

/// A folder that the ordinary user made.
Folder own_folder() {
  if (!become_ordinary_user()) throw std::runtime_error("cannot give up the rights of root");
  return Folder();
}

void copy_folder(const std::string& from, const std::string& to) {
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}

/// Also what a test has locked away.
void remove_folder(const std::string& path) {
  if (!fs::exists(path)) return;
  fs::permissions(path, fs::perms::owner_all, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_directory() && !entry.is_symlink()) {
      fs::permissions(entry.path(), fs::perms::owner_all, fs::perm_options::add);
    }
  }
  fs::remove_all(path);
}

}  // namespace

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

World::World() : folder_(own_folder()), kept_(folder_.path() + ".kept") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word" + std::to_string(i) + " the\n";
  folder_.write("in/text", text);
  const Outcome outcome = run_with({"--stop-after", "400ms"},
                                   {"wordcount", "--watch", "--input", "in", "--output", "out"});
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const Outcome listed =
      folder_.streamrun({"list-checkpoints", "--dir", "ckpt", "-o", "path", "-q"});
  std::istringstream lines(listed.out);
  REQUIRE(std::getline(lines, newest_));
  REQUIRE(std::getline(lines, older_));
  remove_folder(kept_);
  fs::create_directory(kept_);
  for (const char* each : {"ckpt", "out"}) copy_folder(folder_.at(each), kept_ + "/" + each);
}

World::~World() {
  std::error_code ignored;
  fs::remove_all(kept_, ignored);
}

std::string World::job_folder() const {
  return fs::path(newest_).parent_path().string();
}

std::string World::state_file_in(const std::string& checkpoint) {
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    if (entry.path().filename() != "_metadata") return entry.path().string();
  }
  throw std::runtime_error("no state file in " + checkpoint);
}

std::string World::state_file() const {
  return state_file_in(newest_);
}

void World::reset() const {
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path().filename() == "in") continue;
    if (entry.is_directory() && !entry.is_symlink()) {
      remove_folder(entry.path().string());
    } else {
      fs::remove(entry.path());
    }
  }
  for (const char* each : {"ckpt", "out"}) copy_folder(kept_ + "/" + each, folder_.at(each));
}

const std::vector<std::string>& World::settings() {
  static const std::vector<std::string> kSettings = {
      "-D", "state.checkpoints.dir=ckpt",
      "-D", "execution.checkpointing.interval=20ms",
      "-D", "execution.checkpointing.data-inline-threshold=0"};
  return kSettings;
}

Outcome World::run_with(const std::vector<std::string>& flags, const std::vector<std::string>& job,
                        const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> arguments = {"run"};
  arguments.insert(arguments.end(), settings().begin(), settings().end());
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), job.begin(), job.end());
  return folder_.streamrun(arguments, environment);
}

std::map<std::string, std::string> World::contents() const {
  std::map<std::string, std::string> found;
  const auto all = fs::recursive_directory_iterator(folder_.path(),
                                                    fs::directory_options::skip_permission_denied);
  for (const auto& entry : all) {
    const std::string name = entry.path().string().substr(folder_.path().size() + 1);
    const bool is_file = entry.is_regular_file() && !entry.is_symlink();
    found[name] = is_file ? bytes_of(entry.path().string()) : "";
  }
  return found;
}

std::vector<std::string> World::output_lines() const {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(folder_.at("out"))) {
    if (entry.path().filename().string().starts_with(".")) continue;
    std::istringstream text(bytes_of(entry.path().string()));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void check_answer(const Outcome& outcome, const Answer& answer) {
  INFO(outcome.err.substr(0, 3000));
  CHECK(outcome.signal == 0);
  CHECK(outcome.status == answer.status);
  CHECK(outcome.err.size() < 20'000);
  CHECK(outcome.err.find(answer.word) != std::string::npos);
  const std::size_t at = outcome.err.find("error: ");
  if (answer.code.empty()) {
    CHECK(at == std::string::npos);
  } else {
    REQUIRE(at != std::string::npos);
    const std::string line = outcome.err.substr(at, outcome.err.find('\n', at) - at);
    CHECK(line.starts_with("error: " + answer.code + ": "));
  }
}

void check_nothing_lost(const World& world, const std::map<std::string, std::string>& before) {
  const std::map<std::string, std::string> after = world.contents();
  for (const auto& [name, bytes] : before) {
    if (name.ends_with("/.lock")) continue;  // says who held it last
    INFO(name);
    const auto found = after.find(name);
    REQUIRE(found != after.end());
    CHECK((found->second == bytes));
  }
  const std::vector<std::string> lines = world.output_lines();
  const Outcome resumed = world.run_with({"--stop-after", "50ms", "-s", world.older()});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK(world.output_lines() == lines);
}

}  // namespace streamrun::test
