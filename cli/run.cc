#include "run.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/options.h>
#include <streamrun/config/values.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/runtime/job_master.h>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "assemble.h"
#include "background.h"
#include "job_console.h"
#include "output.h"
#include "outside.h"
#include "resume_line.h"
#include "run_spec.h"
#include "savepoint.h"
#include "served_job.h"
#include "usage_error.h"
#include "version.h"

namespace streamrun {
namespace {

/// Blocking calls that may be under way at once: reads, checkpoint files and commits of a few
/// tasks.
constexpr int kIoThreads = 8;
/// For cleaning up after `execution.shutdown-timeout` has passed.
constexpr Duration kGrace = std::chrono::seconds(2);

/// When to stop by itself, for tests and demonstrations.
struct StopAfter {
  std::optional<Duration> time;
  std::optional<std::uint64_t> records;
};

StopAfter parse_stop_after(const std::string& text) {
  StopAfter stop;
  if (text.empty()) return stop;
  constexpr std::string_view kRecords = "-records";
  if (text.size() > kRecords.size() && text.ends_with(kRecords)) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size() - kRecords.size();
    if (std::from_chars(text.data(), end, count).ptr == end) {
      stop.records = count;
      return stop;
    }
  }
  const auto duration = parse_duration(text);
  if (!duration) {
    throw_error({.code = ErrorCode::usage,
                 .message = "--stop-after takes a duration such as 5s, or N-records, not \"" +
                            text.substr(0, 64) + "\"",
                 .retry = Retry::no});
  }
  stop.time = *duration;
  return stop;
}

/// A word from the job's threads to the main thread, which waits for signals.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SR_ASSERT(fd_ >= 0, "the kernel gives an eventfd");
  }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  /// Until it rings again.
  void hush() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(fd_, &count, sizeof count);
  }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Passes on what happens to the console, and the result to the main thread.
class ConsoleListener final : public JobListener {
 public:
  /// `started` is called when the job runs, or waits to be started again; it calls what it is given
  /// once, which says so.
  ConsoleListener(JobConsole& console, Bell& bell, Duration shutdown_timeout,
                  std::function<void(const std::function<void()>& say)> started)
      : console_(console),
        bell_(bell),
        shutdown_timeout_(shutdown_timeout),
        started_(std::move(started)) {}
  void on_running() override {
    started_([this] { console_.running(); });
  }
  void on_checkpoint_completed(const CheckpointSummary& summary) override {
    console_.checkpoint(summary);
  }
  void on_checkpoint_failed(CheckpointId id, const Error& error) override {
    console_.checkpoint_failed(id, error);
  }
  void on_savepoint_completed(const CheckpointSummary& summary) override {
    console_.savepoint(summary);
  }
  void on_savepoint_failed(const Error& error) override { console_.savepoint_failed(error); }
  void on_restart(int restart, Duration delay, const Error& error,
                  const std::string& from) override {
    console_.restart(restart, delay, error, from);
    started_([] {});
  }
  void on_stopping(const std::string& why) override {
    console_.stopping_by_itself(why, shutdown_timeout_);
    stopping_.store(true);
    bell_.ring();
  }
  void on_status(const JobReport& report) override {
    records_.store(report.records_in);
    if (!looking_only_.exchange(false)) console_.status(report);
  }
  /// A command has cancelled the job. Any thread.
  void cancelling() {
    console_.write(LogLevel::info, "a command cancels the job");
    stopping_.store(true);
    bell_.ring();
  }
  /// The next report is for `records()` alone.
  void look_only() { looking_only_.store(true); }
  void on_dump(const std::string& text) override { console_.dump(text); }
  void on_end(const JobResult& result) override {
    result_ = result;
    ended_.store(true);
    bell_.ring();
  }

  bool ended() const { return ended_.load(); }
  bool stopping() const { return stopping_.load(); }   ///< not by a signal
  const JobResult& result() const { return result_; }  ///< once ended
  std::uint64_t records() const { return records_.load(); }

 private:
  JobConsole& console_;
  Bell& bell_;
  const Duration shutdown_timeout_;
  const std::function<void(const std::function<void()>& say)> started_;
  JobResult result_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> records_{0};
  std::atomic<bool> looking_only_{false};
};

/// The signals that `run` answers, blocked in all threads and read here.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2}) sigaddset(&set_, signal);
    struct sigaction hangup {};
    sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) sigaddset(&set_, SIGHUP);  // not under nohup
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    ::signal(SIGPIPE, SIG_IGN);
    fd_ = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
    SR_ASSERT(fd_ >= 0, "the kernel gives a signalfd");
  }
  ~Signals() {
    ::close(fd_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int fd() const { return fd_; }
  std::optional<int> take() const {
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
  int fd_ = -1;
};

/// Ends this process by the signal itself, so that a shell sees it.
[[noreturn]] void die_of(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::_Exit(128 + signal);
}

/// Waits for the end of the job and answers signals meanwhile. Returns the first stopping signal, 0
/// for none.
int wait_for_end(JobMaster& master, ConsoleListener& listener, JobConsole& console,
                 const Signals& signals, const Bell& bell, const StopAfter& stop_after,
                 const JobSpec& spec) {
  int stopped_by = 0;
  bool stopping = false;
  RealClock clock;
  const Instant start = clock.now();
  std::optional<Instant> give_up_at;
  while (!listener.ended()) {
    pollfd fds[2] = {{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                     {.fd = bell.fd(), .events = POLLIN, .revents = 0}};
    const bool watching = !stopping && (stop_after.time || stop_after.records);
    if (stopping && !give_up_at) give_up_at = clock.now() + spec.shutdown_timeout + kGrace;
    ::poll(fds, 2, watching ? 5 : give_up_at ? 200 : -1);
    bell.hush();
    stopping = stopping || listener.stopping();
    if (give_up_at && clock.now() >= *give_up_at && !listener.ended()) {
      // A call that hangs (a disk that is gone, a reader that does not read) can't be waited for.
      console.write(LogLevel::error,
                    "E-STOP-UNCLEAN: a blocking call does not return; leaving; the newest complete "
                    "checkpoint stays");
      if (stopped_by == SIGINT) die_of(SIGINT);
      std::_Exit(info_of(ErrorCode::stop_unclean).exit_status);
    }
    if (watching) {
      if (stop_after.records) {
        listener.look_only();
        master.request_status();
      }
      const bool due = (stop_after.time && clock.now() - start >= *stop_after.time) ||
                       (stop_after.records && listener.records() >= *stop_after.records);
      if (due) {
        stopping = true;
        master.request_stop();
      }
    }
    while (const std::optional<int> signal = signals.take()) {
      switch (*signal) {
        case SIGUSR1:
          master.request_status();
          break;
        case SIGUSR2:
          master.request_checkpoint();
          break;
        case SIGQUIT:
          master.request_dump();
          break;
        default:
          if (stopped_by != 0) {
            console.write(LogLevel::warning,
                          "leaving at once; the newest complete checkpoint stays");
            if (*signal == SIGINT) die_of(SIGINT);
            std::_Exit(info_of(ErrorCode::stop_unclean).exit_status);
          }
          stopped_by = *signal;
          stopping = true;
          console.stopping(*signal == SIGINT   ? "SIGINT"
                           : *signal == SIGHUP ? "SIGHUP"
                                               : "SIGTERM",
                           spec.shutdown_timeout);
          master.request_stop();
      }
    }
  }
  return stopped_by;
}

std::string name_of_this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unknown host";
}

/// It can't be gone on from there either.
bool is_snapshot_damaged(const JobResult& result) {
  return result.error && (result.error->code == ErrorCode::state_corrupt ||
                          result.error->code == ErrorCode::state_missing);
}

std::string last_line(const JobResult& result, const JobSpec& spec) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(result.ran_for).count();
  const std::string took = ms < 1000 ? fmt::format("{} ms", ms)
                                     : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  switch (result.status) {
    case JobStatus::finished:
      return fmt::format("FINISHED after {}: {} records in, {} out", took, result.records_in,
                         result.records_out) +
             (result.resume_path.empty()
                  ? ""
                  : fmt::format("; stopped with {}; go on with: streamrun run -s {}",
                                result.resume_path, shell_word(result.resume_path)));
    case JobStatus::suspended:
      if (!result.resume_path.empty()) {
        return fmt::format("stopped with {}; go on with: streamrun run -s {}", result.resume_path,
                           shell_word(result.resume_path));
      }
      return spec.checkpoint_store != nullptr &&
                     spec.retention == CheckpointRetention::no_externalized_checkpoints
                 ? "stopped; its checkpoints are deleted (NO_EXTERNALIZED_CHECKPOINTS): there is "
                   "nothing to go on from"
                 : "stopped; there is no checkpoint to go on from";
    default:
      return result.resume_path.empty() || is_snapshot_damaged(result)
                 ? fmt::format("{} after {}", to_string(result.status), took)
                 : fmt::format("{} after {}; go on with: streamrun run -s {}",
                               to_string(result.status), took, shell_word(result.resume_path));
  }
}

int exit_status_of(const JobResult& result, int stopped_by) {
  if (result.status == JobStatus::failed) {
    return info_of(result.error ? result.error->code : ErrorCode::job_failed).exit_status;
  }
  if (stopped_by == SIGINT) die_of(SIGINT);
  if (!result.stopped_cleanly) return info_of(ErrorCode::stop_unclean).exit_status;
  return 0;
}

/// One run, from what was prepared to its exit status.
class Run {
 public:
  Run(const GlobalFlags& global, const RunFlags& flags, PreparedRun prepared,
      FileSystems& file_systems, Random& random)
      : global_(global),
        flags_(flags),
        prepared_(std::move(prepared)),
        file_systems_(file_systems),
        random_(random) {}

  int run() {
    const StopAfter stop_after = parse_stop_after(flags_.stop_after);
    if (prepared_.plan && flags_.job_arguments.empty()) refuse_lost_output();
    if (flags_.dry_run) return check_only();
    int log = STDERR_FILENO;
    // Opened even for a run in the background, which opens it again: an error is to be seen now.
    if (!global_.log_file.empty()) log = value_or_throw(open_log(global_.log_file));
    std::unique_ptr<Background> background;
    if (flags_.detached) {
      // Sources look for their input once the job runs, when nobody waits for an answer any more.
      if (const int status = report_problems(false)) return status;
      log = STDERR_FILENO;
      if (prepared_.prints_to_stdout) {
        prepared_.warnings.emplace_back(
            "with -d nobody reads standard output: what the job prints there is thrown away");
      }
      background =
          Background::enter(prepared_.spec.id, log_path_of(prepared_.spec, global_), global_);
    }
    return execute(stop_after, log, background.get());
  }

 private:
  void refuse_lost_output() const {
    const JobSpec& spec = prepared_.spec;
    auto lost = lost_output(spec.graph, spec.working_directory);
    if (lost) throw_error(with_hints(*std::move(lost), spec, global_, flags_));
  }

  bool may_redraw(int log) const {
    const bool stderr_is_terminal = is_terminal(STDERR_FILENO) && terminal_width(STDERR_FILENO) > 0;
    const bool prints_beside = prepared_.prints_to_stdout && is_terminal(STDOUT_FILENO);
    return stderr_is_terminal && !prints_beside && log == STDERR_FILENO && !flags_.detached;
  }

  JobConsole console_at(int log) {
    return {global_, may_redraw(log), log, [this] { return clock_.unix_milliseconds(); }};
  }

  void announce(JobConsole& console) const {
    const JobSpec& spec = prepared_.spec;
    console.start(
        {.name = spec.name,
         .id = to_string(spec.id),
         .parallelism = spec.parallelism,
         .state = std::string(choice_name(prepared_.configuration.get(options::kStateBackend))),
         .checkpoints = prepared_.checkpoints_text,
         .from = prepared_.from_text,
         .from_path = spec.restore ? spec.restore->directory : ""});
    if (!prepared_.passed_over.empty()) {
      console.warning_with_tries(
          fmt::format("starting EMPTY, but {} checkpoints of {} exist; newest {}",
                      prepared_.passed_over.size(), spec.name, prepared_.passed_over.front()),
          {"to go on from it: " + run_line(global_, flags_, {.from = "latest"})});
    }
    for (const std::string& notice : prepared_.notices) console.notice(notice);
    for (const std::string& warning : prepared_.warnings) {
      console.write(LogLevel::warning, warning);
    }
  }

  int check_only() {
    JobConsole console = console_at(STDERR_FILENO);
    announce(console);
    if (const int status = report_problems(true)) return status;
    console.write(LogLevel::info,
                  "dry run: configuration, graph, restore, input and output are good; nothing was "
                  "started or written");
    return 0;
  }

  /// Prints what would keep the job from its first record; the exit status of that, or 0.
  int report_problems(bool read_data) const {
    const std::vector<Error> problems = problems_outside(
        prepared_.spec, prepared_.plan ? &*prepared_.plan : nullptr, file_systems_, read_data);
    for (const Error& problem : problems) {
      print_error(with_hints(problem, prepared_.spec, global_, flags_), global_);
    }
    return problems.empty() ? 0 : info_of(problems.front().code).exit_status;
  }

  int execute(const StopAfter& stop_after, int log, Background* background) {
    JobConsole console = console_at(log);
    JobSpec& spec = prepared_.spec;
    // Here and not earlier: with -d this process is not the one that was started.
    spec.lock_note = fmt::format("pid {} on {} since {}", ::getpid(), name_of_this_host(),
                                 rfc3339(clock_.unix_milliseconds()));
    spec.status_period = may_redraw(log) ? std::optional<Duration>(std::chrono::milliseconds(250))
                                         : prepared_.configuration.find(options::kStatusInterval);
    announce(console);

    const Signals signals;  // before any thread starts, so that all of them block these
    Bell bell;
    std::latch is_served(1);
    const auto started = [&](const std::function<void()>& say) {
      bool said = false;
      // Whoever waits for the job to run may look into its log at once: it is written before.
      const auto begin_log = [&] {
        announce(console);
        say();
        said = true;
      };
      if (background != nullptr) {
        is_served.wait();  // nor may a savepoint that is asked for at once find nobody
        background->started(begin_log);
      }
      if (!said) say();
    };
    ConsoleListener listener(console, bell, spec.shutdown_timeout, started);
    // Declared in the order in which they must outlive each other.
    const std::unique_ptr<StateBackend> state_backend =
        make_state_backend(prepared_.configuration, spec.parallelism, spec.working_directory,
                           file_systems_, random_, clock_, spec.lock_note);
    spec.state_backend = state_backend.get();
    ThreadPool io(kIoThreads);
    int stopped_by = 0;
    {
      ThreadedExecutor executor(spec.workers + 1);
      Environment environment{clock_, random_, executor, io, console};
      JobMaster master(environment, file_systems_, spec, listener);
      master.start();
      // Afterwards, so that the first record does not wait for it.
      ServedJob served(master, clock_, random_, console, prepared_.configuration,
                       served_options(listener));
      is_served.count_down();
      stopped_by = wait_for_end(master, listener, console, signals, bell, stop_after, spec);
      served.end(listener.result());
    }
    const JobResult result = listener.result();
    report(result, log, console);
    return exit_status_of(result, stopped_by);
  }

  JobApi::Options served_options(ConsoleListener& listener) const {
    const JobSpec& spec = prepared_.spec;
    return {.id = spec.id,
            .name = spec.name,
            .started_unix_ms = clock_.unix_milliseconds(),
            .has_savepoint_directory = spec.savepoint_store != nullptr,
            .version = std::string(kVersion),
            .host_names = {},
            .any_host = false,
            .dispose =
                [this](const std::string& path) {
                  return dispose_savepoint_at(path, prepared_.configuration, file_systems_);
                },
            .cancelling = [&listener] { listener.cancelling(); }};
  }

  /// The last words, in the log and, as far as a person must know them, on stderr.
  void report(const JobResult& result, int log, JobConsole& console) const {
    const std::string line = last_line(result, prepared_.spec);
    console.end(result, line);
    const bool logs_elsewhere = log != STDERR_FILENO;
    if (logs_elsewhere && result.status != JobStatus::finished && !global_.json) {
      JobConsole(global_, false, STDERR_FILENO, [this] {
        return clock_.unix_milliseconds();
      }).end(result, line);
    }
    const bool has_failed = result.status == JobStatus::failed || !result.stopped_cleanly;
    if (!has_failed || !result.error) return;
    const Error error = with_hints(*result.error, prepared_.spec, global_, flags_);
    if (logs_elsewhere) console.write(LogLevel::error, error.headline());
    print_error(error, global_);
  }

  const GlobalFlags& global_;
  const RunFlags& flags_;
  PreparedRun prepared_;
  FileSystems& file_systems_;
  Random& random_;
  RealClock clock_;
};

}  // namespace

int run_job(const GlobalFlags& global, const RunFlags& flags, const JobTable& jobs) {
  const std::unique_ptr<FileSystems> file_systems = make_file_systems(global);
  RealRandom random;
  PreparedRun prepared =
      prepare_run(global, flags, jobs, *file_systems, random, RealClock().unix_milliseconds());
  if (prepared.nothing_left) {
    if (!global.quiet) std::fprintf(stderr, "%s\n", prepared.nothing_left->c_str());
    return 0;
  }
  return Run(global, flags, std::move(prepared), *file_systems, random).run();
}

}  // namespace streamrun
