#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/cli_harness.h"

namespace streamrun::test {

/// What a command is expected to answer to a bad input.
struct Answer {
  int status = 0;
  std::string code;  ///< such as `E-PATH`; empty: no error is printed
  std::string word;  ///< stands in what it says
};

/// A wordcount that ran, was stopped and left three checkpoints and its output. Everything is done
/// as an ordinary user: root passes every permission check, so the process gives that up at its
/// first World.
class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Folder& folder() const { return folder_; }
  /// Absolute paths: a complete checkpoint, the one before it, their job's folder.
  const std::string& newest() const { return newest_; }
  const std::string& older() const { return older_; }
  std::string job_folder() const;
  std::string metadata() const { return newest_ + "/_metadata"; }
  std::string state_file() const;
  /// A state file's name in a folder of a checkpoint.
  static std::string state_file_in(const std::string& checkpoint);

  /// Puts everything back to how it was when the wordcount had stopped.
  void reset() const;

  /// Flags with which the wordcount ran: checkpoints every 20 ms, all state in files.
  static const std::vector<std::string>& settings();
  /// `run` with the settings, `flags` and, unless empty, a job with its arguments.
  Outcome run_with(const std::vector<std::string>& flags, const std::vector<std::string>& job = {},
                   const std::map<std::string, std::string>& environment = {}) const;

  /// Every name below the folder with the bytes of its file.
  std::map<std::string, std::string> contents() const;
  /// The lines of all finished parts, sorted.
  std::vector<std::string> output_lines() const;

 private:
  Folder folder_;
  std::string newest_;
  std::string older_;
  std::string kept_;
};

/// Checks the status, and that the error is told as promised: code, then what and where, no trace.
void check_answer(const Outcome& outcome, const Answer& answer);

/// Checks that of `before` all is still there, byte for byte (but for lock files), and that the
/// older checkpoint resumes and writes no line of output again.
void check_nothing_lost(const World& world, const std::map<std::string, std::string>& before);

std::string bytes_of(const std::string& path);
void write_bytes(const std::string& path, std::string_view bytes);

}  // namespace streamrun::test
