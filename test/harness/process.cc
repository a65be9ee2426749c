#include "harness/process.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace streamrun::test {
namespace {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error("process harness: " + what);
}

/// A file without a name that lives as long as its descriptor.
int capture_file(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  require(file >= 0, "memfd_create");
  return file;
}

std::string content_of(int file) {
  std::string content;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t count =
        pread(file, block.data(), block.size(), static_cast<off_t>(content.size()));
    if (count <= 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> variables = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/nowhere"}};
  for (const char* kept : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(kept)) variables[kept] = value;
  }
  for (const auto& [name, value] : command.environment) variables[name] = value;
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  return texts;
}

/// What the child does between fork and exec.
class SpawnPlan {
 public:
  SpawnPlan(const Command& command, int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, 0, command.stdin_file.c_str(), O_RDONLY, 0);
    if (command.stdout_file.empty()) {
      posix_spawn_file_actions_adddup2(&actions_, out, 1);
    } else {
      posix_spawn_file_actions_addopen(&actions_, 1, command.stdout_file.c_str(), O_WRONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions_, err, 2);
    if (!command.working_directory.empty()) {
      posix_spawn_file_actions_addchdir_np(&actions_, command.working_directory.c_str());
    }
    reset_signals();
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  pid_t spawn(const std::string& program, char* const* arguments, char* const* environment) const {
    pid_t pid = -1;
    const int problem =
        posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments, environment);
    require(problem == 0, "cannot start " + program);
    return pid;
  }

 private:
  /// A group of its own, and signals as a shell hands them on: the test's runner may ignore some.
  void reset_signals() {
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int each : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
      sigaddset(&defaults, each);
    }
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Process::Process(const Command& command)
    : out_file_(capture_file("stdout")), err_file_(capture_file("stderr")) {
  std::vector<std::string> arguments = {command.program};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = environment_of(command);
  const SpawnPlan plan(command, out_file_, err_file_);
  pid_ =
      plan.spawn(command.program, pointers_to(arguments).data(), pointers_to(environment).data());
}

Process::~Process() {
  if (!has_ended()) {
    ::kill(-pid_, SIGKILL);
    int ignored = 0;
    waitpid(pid_, &ignored, 0);
  }
  close(out_file_);
  close(err_file_);
}

void Process::kill(int signal) {
  if (!has_ended()) ::kill(pid_, signal);
}

std::string Process::out() const {
  return content_of(out_file_);
}

std::string Process::err() const {
  return content_of(err_file_);
}

bool Process::has_ended() {
  if (wait_status_) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) wait_status_ = status;
  return wait_status_.has_value();
}

bool Process::wait_for_err(const std::string& text, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < end) {
    const bool ended = has_ended();
    if (err().find(text) != std::string::npos) return true;
    if (ended) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

Outcome Process::wait(std::chrono::milliseconds timeout) {
  Outcome outcome;
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!has_ended()) {
    if (std::chrono::steady_clock::now() >= end && !outcome.timed_out) {
      outcome.timed_out = true;
      ::kill(-pid_, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (WIFEXITED(*wait_status_)) outcome.status = WEXITSTATUS(*wait_status_);
  if (WIFSIGNALED(*wait_status_)) outcome.signal = WTERMSIG(*wait_status_);
  outcome.out = out();
  outcome.err = err();
  return outcome;
}

Outcome run(const Command& command, std::chrono::milliseconds timeout) {
  return Process(command).wait(timeout);
}

}  // namespace streamrun::test
