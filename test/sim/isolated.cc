#include "sim/isolated.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/bytes.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace streamrun::sim {
namespace {

/// A history that takes longer hangs.
constexpr unsigned kMostSeconds = 60;

// Of the child alone: its assertion handler has no other way to know.
const Tape* g_tape = nullptr;
int g_pipe = -1;

std::string encode(const IsolatedRun& run) {
  static_assert(std::is_trivially_copyable_v<Statistics>);
  std::string bytes;
  ByteWriter out(bytes);
  out.text(run.outcome.violation.value_or(""));
  out.text(run.outcome.options);
  out.u8(static_cast<std::uint8_t>(run.outcome.topology));
  out.u64(run.outcome.trace_hash);
  out.text({reinterpret_cast<const char*>(&run.outcome.statistics), sizeof(Statistics)});
  out.varint(run.drawn.size());
  for (const std::uint64_t number : run.drawn) out.u64(number);
  return bytes;
}

IsolatedRun decode(const std::string& bytes) {
  ByteReader in(bytes);
  IsolatedRun run;
  const std::string violation(in.text());
  if (!violation.empty()) run.outcome.violation = violation;
  run.outcome.options = std::string(in.text());
  run.outcome.topology = static_cast<Topology>(in.u8());
  run.outcome.trace_hash = in.u64();
  in.text().copy(reinterpret_cast<char*>(&run.outcome.statistics), sizeof(Statistics));
  for (std::uint64_t left = in.varint(); left > 0; --left) run.drawn.push_back(in.u64());
  SR_ASSERT(in.done(), "a child tells what its parent expects");
  return run;
}

[[noreturn]] void tell_and_exit(const IsolatedRun& run) {
  const std::string bytes = encode(run);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = ::write(g_pipe, bytes.data() + at, bytes.size() - at);
    if (count < 0 && errno != EINTR) std::_Exit(1);
    if (count > 0) at += static_cast<std::size_t>(count);
  }
  std::_Exit(0);
}

[[noreturn]] void on_assertion(const char* condition, const char* text, const char* file,
                               int line) {
  IsolatedRun run;
  run.outcome.violation = fmt::format("E-BUG: {} ({}:{}: {})", text, file, line, condition);
  run.drawn = g_tape->drawn();
  tell_and_exit(run);
}

std::string read_all(int pipe) {
  std::string bytes;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

[[noreturn]] void be_the_child(Tape tape, const std::function<Outcome(Tape&)>& history) {
  ::alarm(kMostSeconds);
  g_tape = &tape;
  set_assertion_handler(&on_assertion);
  IsolatedRun run;
  run.outcome = history(tape);
  run.drawn = tape.drawn();
  tell_and_exit(run);
}

}  // namespace

IsolatedRun simulate_isolated(const Tape& tape, Mutant mutant) {
  return run_isolated(tape, [mutant](Tape& own) { return simulate(own, mutant); });
}

IsolatedRun run_isolated(const Tape& tape, const std::function<Outcome(Tape&)>& history) {
  int ends[2] = {-1, -1};
  SR_ASSERT(::pipe(ends) == 0, "there is a pipe to be had");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  SR_ASSERT(child >= 0, "there is a process to be had");
  if (child == 0) {
    ::close(ends[0]);
    g_pipe = ends[1];
    be_the_child(tape, history);
  }
  ::close(ends[1]);
  const std::string told = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return decode(told);
  IsolatedRun run;
  run.outcome.violation =
      WIFSIGNALED(status) ? fmt::format("the process ended by signal {}", WTERMSIG(status))
                          : fmt::format("the process ended with status {}", WEXITSTATUS(status));
  return run;
}

}  // namespace streamrun::sim
