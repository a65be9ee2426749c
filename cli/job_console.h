#pragma once

#include <streamrun/platform/log.h>
#include <streamrun/runtime/job_listener.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "flags.h"

namespace streamrun {

/// What a person or a supervisor hears of a running job, on stderr: two lines that are redrawn on a
/// terminal, log lines otherwise, JSON lines with `--json`. Thread-safe: the job, its I/O and the
/// main thread all talk.
class JobConsole final : public Log {
 public:
  /// `redraw`: stderr is a terminal of known width and nothing else is printed to it. `descriptor`
  /// is where all is written: stderr, or the file of `--log-file`.
  JobConsole(const GlobalFlags& flags, bool redraw, int descriptor,
             std::function<std::int64_t()> unix_milliseconds);

  // What is said before the job runs.
  struct Start {
    std::string name;
    std::string id;
    int parallelism = 1;
    std::string state;        ///< where keyed state lives: `hashmap`
    std::string checkpoints;  ///< `ckpt every 60 s, keep 3`
    std::string from;         ///< what it starts from, for a person
    std::string from_path;    ///< empty: it starts empty
  };
  void start(const Start& start);
  void notice(const std::string& text) { say("notice", text); }
  void warning_with_tries(const std::string& text, const std::vector<std::string>& tries);

  // Log.
  void write(LogLevel level, std::string_view message) override;

  // What happens; called by the job's listener.
  void running();
  void checkpoint(const CheckpointSummary& summary);
  void checkpoint_failed(CheckpointId id, const Error& error);
  void savepoint(const CheckpointSummary& summary);
  void savepoint_failed(const Error& error);
  void restart(int restart, Duration delay, const Error& error, const std::string& from);
  void status(const JobReport& report);
  void stopping_by_itself(const std::string& why, Duration most);
  void stopping(const std::string& why, Duration most);
  void end(const JobResult& result, const std::string& last_line);

  void dump(const std::string& text) { say("dump", text); }

 private:
  void say(const char* kind, const std::string& text);
  void line_locked(const std::string& text);
  void json_locked(const nlohmann::ordered_json& document);
  void draw_locked(const std::vector<std::string>& lines);
  void erase_locked();
  std::string status_text(const JobReport& report);

  void write_out(std::string_view text) const;

  // Constant after construction.
  int descriptor_;
  bool json_;
  bool quiet_;
  bool redraw_;
  LogLevel level_;
  std::function<std::int64_t()> unix_milliseconds_;

  std::mutex mutex_;
  std::size_t drawn_ = 0;                 // lines on the terminal; guarded by mutex_
  std::uint64_t last_in_ = 0;             // guarded by mutex_
  std::uint64_t last_out_ = 0;            // guarded by mutex_
  std::vector<std::uint64_t> last_busy_;  // guarded by mutex_
  Duration last_uptime_{0};               // guarded by mutex_
};

}  // namespace streamrun
