#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace streamrun::test {

/// How to start a program.
struct Command {
  std::string program;  ///< a path, not searched for
  std::vector<std::string> arguments = {};
  /// Variables beside `PATH` and `HOME`; nothing else of the test's own environment is handed on.
  std::map<std::string, std::string> environment = {};
  std::string working_directory = {};  ///< empty: the test's own
  std::string stdin_file = "/dev/null";
  std::string stdout_file = {};  ///< where stdout goes instead of being captured; empty: captured
};

/// What became of a program.
struct Outcome {
  std::optional<int> status;  ///< exit status; none if a signal ended it
  int signal = 0;             ///< the signal that ended it; 0: it exited
  bool timed_out = false;     ///< it was killed, since it did not end in time
  std::string out;
  std::string err;
};

/// A program that runs while the test goes on. Its output is captured in files, so it never waits
/// for a reader. Destroyed, it is killed with all processes of its group.
class Process {
 public:
  explicit Process(const Command& command);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  /// Sends a signal, unless it has ended and been waited for.
  void kill(int signal);
  /// What it has written so far.
  std::string out() const;
  std::string err() const;
  /// Waits until `text` stands in stderr (`false`: it ended, or the time is over).
  bool wait_for_err(const std::string& text, std::chrono::milliseconds timeout);
  /// Waits for its end; kills it after `timeout`.
  Outcome wait(std::chrono::milliseconds timeout = std::chrono::seconds(30));

 private:
  bool has_ended();

  pid_t pid_ = -1;
  std::optional<int> wait_status_;
  int out_file_ = -1;
  int err_file_ = -1;
};

/// Runs a program to its end.
Outcome run(const Command& command, std::chrono::milliseconds timeout = std::chrono::seconds(30));

}  // namespace streamrun::test
