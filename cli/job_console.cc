#include "job_console.h"

#include <streamrun/base/strings.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

namespace streamrun {
namespace {

constexpr std::string_view kErase = "\r\x1b[2K";
constexpr std::string_view kLineUp = "\x1b[1A";

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

LogLevel level_of(const GlobalFlags& flags) {
  const std::string name = to_lower_ascii(flags.log_level);
  if (name == "debug") return LogLevel::debug;
  if (name == "warn" || name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  if (name.empty() && flags.verbose > 0) return LogLevel::debug;
  return flags.quiet ? LogLevel::warning : LogLevel::info;
}

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "DEBUG";
    case LogLevel::info:
      return "INFO";
    case LogLevel::warning:
      return "WARN";
    case LogLevel::error:
      return "ERROR";
  }
  return "?";
}

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string seconds_text(std::int64_t ms) {
  return ms < 1000 ? fmt::format("{} ms", ms)
                   : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

/// `1.24 M/s`, `310 k/s`.
std::string rate_text(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.2f} M/s", per_second / 1e6);
  if (per_second >= 1e3) return fmt::format("{:.0f} k/s", per_second / 1e3);
  return fmt::format("{:.0f}/s", per_second);
}

std::string clock_text(Duration uptime) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(uptime).count();
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/// The event, with what was at the bottom of the error if that is known: what a server answered.
nlohmann::ordered_json with_why(nlohmann::ordered_json event, const Error& error) {
  if (!error.why.empty()) event["why"] = error.why;
  return event;
}

std::string dashes_for_blanks(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '-');
  return text;
}

}  // namespace

JobConsole::JobConsole(const GlobalFlags& flags, bool redraw, int descriptor,
                       std::function<std::int64_t()> unix_milliseconds)
    : descriptor_(descriptor),
      json_(flags.json || flags.log_format == "json"),
      quiet_(flags.quiet),
      redraw_(redraw && !json_ && !flags.quiet),
      level_(level_of(flags)),
      unix_milliseconds_(std::move(unix_milliseconds)) {}

void JobConsole::start(const Start& start) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{{"v", 1},
                                              {"event", "start"},
                                              {"job", start.name},
                                              {"job_id", start.id},
                                              {"parallelism", start.parallelism},
                                              {"state", start.state},
                                              {"checkpoints", start.checkpoints},
                                              {"restored_from", start.from_path}});
  }
  if (level_ > LogLevel::info) return;
  line_locked(fmt::format("{} {}  parallelism {}  state {}  checkpoints {}", start.name, start.id,
                          start.parallelism, start.state, start.checkpoints));
  line_locked(start.from);
}

void JobConsole::warning_with_tries(const std::string& text,
                                    const std::vector<std::string>& tries) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(
        nlohmann::ordered_json{{"v", 1}, {"event", "warning"}, {"message", text}, {"try", tries}});
  }
  line_locked("warning: " + text);
  for (const std::string& each : tries) line_locked("  " + each);
}

void JobConsole::write(LogLevel level, std::string_view message) {
  if (level < level_) return;
  say(level == LogLevel::warning ? "warning"
      : level == LogLevel::error ? "error"
                                 : name_of(level),
      std::string(message));
}

void JobConsole::say(const char* kind, const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(
        nlohmann::ordered_json{{"v", 1}, {"event", to_lower_ascii(kind)}, {"message", text}});
  }
  if (quiet_ && std::string_view(kind) == "notice") return;
  line_locked(std::string(kind) == "INFO" || std::string(kind) == "DEBUG"
                  ? text
                  : fmt::format("{}: {}", kind, text));
}

void JobConsole::running() {
  const std::lock_guard lock(mutex_);
  if (json_) return json_locked(nlohmann::ordered_json{{"v", 1}, {"event", "running"}});
  if (!redraw_ && level_ <= LogLevel::info) line_locked("RUNNING");
}

void JobConsole::checkpoint(const CheckpointSummary& summary) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{{"v", 1},
                                              {"event", "checkpoint"},
                                              {"id", summary.id},
                                              {"took_ms", summary.took_ms},
                                              {"full_bytes", summary.full_bytes},
                                              {"new_bytes", summary.new_bytes},
                                              {"in_flight_bytes", summary.in_flight_bytes},
                                              {"path", summary.path}});
  }
  if (redraw_ || level_ > LogLevel::info) return;
  const std::string in_flight = summary.in_flight_bytes == 0
                                    ? ""
                                    : ", " + human_bytes(summary.in_flight_bytes) + " in flight";
  line_locked(fmt::format("chk-{} done: {}, {} new of {}{}{}", summary.id,
                          seconds_text(summary.took_ms), human_bytes(summary.new_bytes),
                          human_bytes(summary.full_bytes), in_flight,
                          summary.path.empty() ? ", in memory" : ""));
}

void JobConsole::checkpoint_failed(CheckpointId id, const Error& error) {
  // Overtaken: nothing is wrong with checkpoints.
  if (error.code == ErrorCode::cancelled && level_ > LogLevel::debug) return;
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(with_why(
        {{"v", 1}, {"event", "checkpoint_failed"}, {"id", id}, {"error", error.headline()}},
        error));
  }
  line_locked(fmt::format("warning: chk-{} failed: {}", id, error.headline()));
  if (!error.why.empty()) line_locked("  why: " + error.why);
}

void JobConsole::savepoint(const CheckpointSummary& summary) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{{"v", 1},
                                              {"event", "savepoint"},
                                              {"id", summary.id},
                                              {"took_ms", summary.took_ms},
                                              {"full_bytes", summary.full_bytes},
                                              {"path", summary.path}});
  }
  if (redraw_ || level_ > LogLevel::info) return;
  line_locked(fmt::format("savepoint done: {}, {}: {}", seconds_text(summary.took_ms),
                          human_bytes(summary.full_bytes), summary.path));
}

void JobConsole::savepoint_failed(const Error& error) {
  if (error.code == ErrorCode::cancelled && level_ > LogLevel::debug) return;
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(
        with_why({{"v", 1}, {"event", "savepoint_failed"}, {"error", error.headline()}}, error));
  }
  line_locked("warning: a savepoint failed: " + error.headline());
  if (!error.why.empty()) line_locked("  why: " + error.why);
}

void JobConsole::restart(int restart, Duration delay, const Error& error, const std::string& from) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(with_why({{"v", 1},
                                 {"event", "restart"},
                                 {"restart", restart},
                                 {"delay_ms", milliseconds(delay)},
                                 {"from", from},
                                 {"error", error.headline()}},
                                error));
  }
  line_locked(fmt::format("warning: RESTARTING ({}) in {} from {}: {}", restart,
                          seconds_text(milliseconds(delay)), from, error.headline()));
  if (!error.why.empty()) line_locked("  why: " + error.why);
}

std::string JobConsole::status_text(const JobReport& report) {
  const double seconds = static_cast<double>((report.uptime - last_uptime_).count()) / 1e9;
  const bool same_attempt =
      report.records_in >= last_in_ && report.tasks.size() == last_busy_.size();
  const double in =
      same_attempt && seconds > 0 ? static_cast<double>(report.records_in - last_in_) / seconds : 0;
  const double out = same_attempt && report.records_out >= last_out_ && seconds > 0
                         ? static_cast<double>(report.records_out - last_out_) / seconds
                         : 0;
  std::string busiest;
  double most = -1;
  for (std::size_t i = 0; same_attempt && i < report.tasks.size(); ++i) {
    const double busy =
        static_cast<double>(report.tasks[i].busy_nanoseconds - last_busy_[i]) / 1e9 / seconds;
    if (busy > most) {
      most = busy;
      busiest = report.tasks[i].name;
    }
  }
  last_in_ = report.records_in;
  last_out_ = report.records_out;
  last_uptime_ = report.uptime;
  last_busy_.clear();
  for (const TaskStatus& task : report.tasks) last_busy_.push_back(task.busy_nanoseconds);
  std::string text = fmt::format("{} {}  in {}  out {}", to_string(report.status),
                                 clock_text(report.uptime), rate_text(in), rate_text(out));
  if (most >= 0) {
    text +=
        fmt::format("  busiest {} {:.0f} %", dashes_for_blanks(busiest), std::min(most, 1.0) * 100);
  }
  if (report.restarts > 0) text += fmt::format("  restarts {}", report.restarts);
  return text;
}

void JobConsole::status(const JobReport& report) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{{"v", 1},
                                              {"event", "status"},
                                              {"state", to_string(report.status)},
                                              {"uptime_ms", milliseconds(report.uptime)},
                                              {"records_in", report.records_in},
                                              {"records_out", report.records_out},
                                              {"restarts", report.restarts}});
  }
  const std::string first = status_text(report);
  if (!redraw_) {
    if (level_ <= LogLevel::info) line_locked(first);
    return;
  }
  std::string second = "no checkpoint yet";
  if (report.last_checkpoint) {
    const CheckpointSummary& last = *report.last_checkpoint;
    second = fmt::format("chk-{} done {} ago: {}, {}", last.id,
                         human_age(milliseconds(report.since_checkpoint)),
                         seconds_text(last.took_ms), human_bytes(last.full_bytes));
  }
  draw_locked({first, second + "   Ctrl-C stops with a checkpoint"});
}

void JobConsole::stopping(const std::string& why, Duration most) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{
        {"v", 1}, {"event", "stopping"}, {"signal", why}, {"timeout_ms", milliseconds(most)}});
  }
  line_locked(
      fmt::format("{}: waiting for the final checkpoint, at most {}; again to leave at once", why,
                  seconds_text(milliseconds(most))));
}

void JobConsole::stopping_by_itself(const std::string& why, Duration most) {
  const std::lock_guard lock(mutex_);
  if (json_) {
    return json_locked(nlohmann::ordered_json{
        {"v", 1}, {"event", "stopping"}, {"why", why}, {"timeout_ms", milliseconds(most)}});
  }
  line_locked(fmt::format("{}: the job stops; waiting for the final checkpoint, at most {}", why,
                          seconds_text(milliseconds(most))));
}

void JobConsole::end(const JobResult& result, const std::string& last_line) {
  const std::lock_guard lock(mutex_);
  erase_locked();
  if (json_) {
    return json_locked(nlohmann::ordered_json{{"v", 1},
                                              {"event", "end"},
                                              {"state", to_string(result.status)},
                                              {"ran_for_ms", milliseconds(result.ran_for)},
                                              {"records_in", result.records_in},
                                              {"records_out", result.records_out},
                                              {"restarts", result.restarts},
                                              {"resume_path", result.resume_path}});
  }
  if (!quiet_ || result.status != JobStatus::finished) line_locked(last_line);
}

void JobConsole::write_out(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count <= 0) return;  // nobody reads it: the job goes on
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void JobConsole::line_locked(const std::string& long_text) {
  erase_locked();
  const std::string text = shortened(long_text);
  if (redraw_) return write_out(text + "\n");
  write_out(rfc3339(unix_milliseconds_()) + " " + text + "\n");
}

void JobConsole::json_locked(const nlohmann::ordered_json& document) {
  // A file name need not be UTF-8; talking about it must not end the job.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  write_out(document.dump(-1, ' ', false, kReplace) + "\n");
}

void JobConsole::draw_locked(const std::vector<std::string>& lines) {
  erase_locked();
  const std::size_t width = terminal_width();
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, width - 1) + "\n";
  write_out(text);
  drawn_ = lines.size();
}

void JobConsole::erase_locked() {
  std::string text;
  for (; drawn_ > 0; --drawn_) {
    text += kLineUp;
    text += kErase;
  }
  write_out(text);
}

}  // namespace streamrun
