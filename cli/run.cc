#include "run.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/options.h>
#include <streamrun/config/values.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "assemble.h"
#include "job_console.h"
#include "output.h"
#include "run_spec.h"

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
  ConsoleListener(JobConsole& console, Bell& bell) : console_(console), bell_(bell) {}
  void on_running() override { console_.running(); }
  void on_checkpoint_completed(const CheckpointSummary& summary) override {
    console_.checkpoint(summary);
  }
  void on_checkpoint_failed(CheckpointId id, const Error& error) override {
    console_.checkpoint_failed(id, error);
  }
  void on_restart(int restart, Duration delay, const Error& error) override {
    console_.restart(restart, delay, error);
  }
  void on_status(const JobReport& report) override {
    records_.store(report.records_in);
    if (!looking_only_.exchange(false)) console_.status(report);
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
  const JobResult& result() const { return result_; }  ///< once ended
  std::uint64_t records() const { return records_.load(); }

 private:
  JobConsole& console_;
  Bell& bell_;
  JobResult result_;
  std::atomic<bool> ended_{false};
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
    ::poll(fds, 2, watching ? 5 : give_up_at ? 200 : -1);
    if (stopping && !give_up_at) give_up_at = clock.now() + spec.shutdown_timeout + kGrace;
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

std::string last_line(const JobResult& result, const JobSpec& spec) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(result.ran_for).count();
  const std::string took = ms < 1000 ? fmt::format("{} ms", ms)
                                     : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  switch (result.status) {
    case JobStatus::finished:
      return fmt::format("FINISHED after {}: {} records in, {} out", took, result.records_in,
                         result.records_out);
    case JobStatus::suspended:
      if (!result.resume_path.empty()) {
        return fmt::format("stopped with {}; go on with: streamrun run -s {}", result.resume_path,
                           result.resume_path);
      }
      return spec.checkpoint_store != nullptr &&
                     spec.retention == CheckpointRetention::no_externalized_checkpoints
                 ? "stopped; its checkpoints are deleted (NO_EXTERNALIZED_CHECKPOINTS): there is "
                   "nothing to go on from"
                 : "stopped; there is no checkpoint to go on from";
    default:
      return result.resume_path.empty()
                 ? fmt::format("{} after {}", to_string(result.status), took)
                 : fmt::format("{} after {}; go on with: streamrun run -s {}",
                               to_string(result.status), took, result.resume_path);
  }
}

int exit_status_of(const JobResult& result, int stopped_by, const GlobalFlags& global) {
  if (result.status == JobStatus::failed) {
    // A reader that left (`| head -1`) is no failure: the rest was not wanted.
    if (result.error && result.error->code == ErrorCode::cancelled) return 0;
    if (result.error) print_error(*result.error, global);
    return result.error ? info_of(result.error->code).exit_status
                        : info_of(ErrorCode::job_failed).exit_status;
  }
  if (!result.stopped_cleanly && result.error) print_error(*result.error, global);
  if (stopped_by == SIGINT) die_of(SIGINT);
  if (!result.stopped_cleanly) return info_of(ErrorCode::stop_unclean).exit_status;
  return 0;
}

int execute(const GlobalFlags& global, const RunFlags& flags, PreparedRun prepared,
            FileSystems& file_systems, Random& random) {
  const StopAfter stop_after = parse_stop_after(flags.stop_after);
  RealClock clock;
  const bool stderr_is_terminal = is_terminal(STDERR_FILENO) && terminal_width(STDERR_FILENO) > 0;
  const bool prints_beside = prepared.prints_to_stdout && is_terminal(STDOUT_FILENO);
  const bool redraw = stderr_is_terminal && !prints_beside;
  JobConsole console(global, redraw, [&clock] { return clock.unix_milliseconds(); });
  JobSpec& spec = prepared.spec;
  // Here and not earlier: with -d this process is not the one that was started.
  spec.lock_note = fmt::format("pid {} since {}", ::getpid(), rfc3339(clock.unix_milliseconds()));
  console.start({.name = spec.name,
                 .id = to_string(spec.id),
                 .parallelism = spec.parallelism,
                 .checkpoints = prepared.checkpoints_text,
                 .from = prepared.from_text,
                 .from_path = spec.restore ? spec.restore->directory : ""});
  if (!prepared.passed_over.empty()) {
    console.warning_with_tries(
        fmt::format("starting EMPTY, but {} checkpoints of {} exist; newest {}",
                    prepared.passed_over.size(), spec.name, prepared.passed_over.front()),
        {"to go on from it: streamrun run -s latest " + spec.registered_name});
  }
  for (const std::string& notice : prepared.notices) console.notice(notice);
  for (const std::string& warning : prepared.warnings) console.write(LogLevel::warning, warning);
  spec.status_period = redraw ? std::optional<Duration>(std::chrono::milliseconds(250))
                              : prepared.configuration.find(options::kStatusInterval);
  if (flags.dry_run) {
    console.write(
        LogLevel::info,
        "dry run: configuration, graph and restore are good; nothing was started or written");
    return 0;
  }

  const Signals signals;  // before any thread starts, so that all of them block these
  Bell bell;
  ConsoleListener listener(console, bell);
  // Declared in the order in which they must outlive each other.
  ThreadPool io(kIoThreads);
  const JobSpec told = spec;
  int stopped_by = 0;
  {
    ThreadedExecutor executor(spec.workers + 1);
    Environment environment{clock, random, executor, io, console};
    JobMaster master(environment, file_systems, std::move(spec), listener);
    master.start();
    stopped_by = wait_for_end(master, listener, console, signals, bell, stop_after, told);
  }
  const JobResult result = listener.result();
  const bool reader_left = result.error && result.error->code == ErrorCode::cancelled;
  if (!reader_left) console.end(result, last_line(result, told));
  return exit_status_of(result, stopped_by, global);
}

/// Goes to the background. In the parent: prints the job's id and does not return.
void detach(const JobId& id, const GlobalFlags& global) {
  const pid_t child = ::fork();
  if (child < 0) {
    throw_error({.code = ErrorCode::unavailable,
                 .message = std::string("cannot fork: ") + std::strerror(errno)});
  }
  if (child > 0) {
    std::printf("%s\n", to_string(id).c_str());
    std::fflush(stdout);
    std::_Exit(0);
  }
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log = global.log_file.empty() ? null
                                          : ::open(global.log_file.c_str(),
                                                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(log >= 0 ? log : null, STDERR_FILENO);
}

}  // namespace

int run_job(const GlobalFlags& global, const RunFlags& flags, const JobTable& jobs) {
  const std::unique_ptr<FileSystems> file_systems = make_file_systems();
  RealRandom random;
  PreparedRun prepared =
      prepare_run(global, flags, jobs, *file_systems, random, RealClock().unix_milliseconds());
  if (prepared.nothing_left) {
    if (!global.quiet) std::fprintf(stderr, "%s\n", prepared.nothing_left->c_str());
    return 0;
  }
  if (flags.detached && !flags.dry_run) detach(prepared.spec.id, global);
  return execute(global, flags, std::move(prepared), *file_systems, random);
}

}  // namespace streamrun
