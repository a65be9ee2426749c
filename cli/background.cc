#include "background.h"

#include <streamrun/base/strings.h>
#include <streamrun/storage/file_system.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "output.h"
#include "state_folder.h"
#include "usage_error.h"

namespace streamrun {
namespace {

constexpr char kLogs = 'l';     // the job runs and its log is open
constexpr char kLogsNot = 'n';  // it runs, but its log could not be opened

ErrorCode code_of(int reason) {
  if (reason == ENOENT || reason == ENOTDIR || reason == EISDIR) return ErrorCode::path;
  if (reason == EACCES || reason == EPERM) return ErrorCode::permission;
  return reason == EROFS ? ErrorCode::store_read_only : ErrorCode::store_io;
}

volatile sig_atomic_t child_of_parent = 0;

/// Whoever ends the wait means the job.
void pass_on(int signal) {
  if (child_of_parent > 0) ::kill(child_of_parent, signal);
}

/// What the child says: one of the characters above, or nothing if it has ended.
char wait_for_word(int pipe) {
  char word = 0;
  while (true) {
    const ssize_t count = ::read(pipe, &word, 1);
    if (count < 0 && errno == EINTR) continue;
    return count == 1 ? word : '\0';
  }
}

int wait_for_status(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return info_of(ErrorCode::bug).exit_status;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void say(const std::string& line) {
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody reads it
}

void tell(const JobId& id, pid_t child, const std::string& log, const GlobalFlags& global) {
  if (global.json) {
    nlohmann::ordered_json document = {{"v", 1}, {"job_id", to_string(id)}, {"pid", child}};
    if (!log.empty()) document["log"] = log;
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    return print(document.dump(-1, ' ', false, kReplace) + "\n");
  }
  print(to_string(id) + "\n");
  if (global.quiet) return;
  say(fmt::format("in the background as pid {}{}\nstop it with a checkpoint: kill {}\n", child,
                  log.empty() ? ", without a log" : "; log " + shell_word(log), child));
}

}  // namespace

Result<int> open_log(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor >= 0) return descriptor;
  return Error{.code = code_of(errno),
               .message = "cannot open the log file",
               .where = path,
               .why = std::strerror(errno),
               .retry = Retry::no};
}

std::string log_path_of(const JobSpec& spec, const GlobalFlags& global) {
  if (!global.log_file.empty()) return absolute_path(global.log_file, working_directory());
  // A log is appended to line by line, which only the local disk can take.
  if (spec.checkpoint_store != nullptr && is_local_path(spec.checkpoint_root)) {
    return join_path(join_path(spec.checkpoint_root, to_string(spec.id)), "streamrun.log");
  }
  const std::string folder =
      writable_state_folder().value_or(std::filesystem::temp_directory_path().string());
  return join_path(folder, to_string(spec.id) + ".log");
}

std::unique_ptr<Background> Background::enter(const JobId& id, std::string log_path,
                                              const GlobalFlags& global) {
  int ends[2] = {-1, -1};
  const pid_t child = ::pipe2(ends, O_CLOEXEC) == 0 ? ::fork() : -1;
  if (child < 0) {
    throw_error({.code = ErrorCode::unavailable,
                 .message = std::string("cannot fork: ") + std::strerror(errno)});
  }
  if (child > 0) {
    ::close(ends[1]);
    child_of_parent = child;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction before {};
      ::sigaction(signal, nullptr, &before);
      if (before.sa_handler != SIG_IGN) ::signal(signal, &pass_on);
    }
    const char word = wait_for_word(ends[0]);
    if (word == '\0') std::_Exit(wait_for_status(child));
    try {
      tell(id, child, word == kLogs ? log_path : "", global);
    } catch (const ErrorException& thrown) {
      print_error(thrown.error(), global);
      std::_Exit(info_of(thrown.error().code).exit_status);
    }
    std::_Exit(0);
  }
  ::close(ends[0]);
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  return std::unique_ptr<Background>(new Background(ends[1], std::move(log_path)));
}

Background::~Background() {
  if (parent_ >= 0) ::close(parent_);
}

void Background::started(const std::function<void()>& announce) {
  if (parent_ < 0) return;
  const Result<int> log = open_log(log_path_);
  if (!log) {
    say("warning: " + log.error().headline() + ": " + log.error().why + "\n");
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, STDERR_FILENO);
  } else {
    ::dup2(*log, STDERR_FILENO);
    ::close(*log);
    announce();
  }
  const char word = log ? kLogs : kLogsNot;
  // If the parent is gone, there is nobody to be told.
  [[maybe_unused]] const ssize_t written = ::write(parent_, &word, 1);
  ::close(std::exchange(parent_, -1));
}

}  // namespace streamrun
