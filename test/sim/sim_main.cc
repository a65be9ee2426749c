#include <streamrun/base/assert.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/isolated.h"
#include "sim/sim_flags.h"
#include "sim/simulation.h"
#include "sim/tape_file.h"

namespace streamrun::sim {
namespace {

/// Each so many seeds one runs twice.
constexpr std::uint64_t kTwiceEvery = 20;

/// For the assertion handler, which has no other way to know.
std::uint64_t g_seed = 0;
bool g_expects_violation = false;

[[noreturn]] void on_assertion(const char* condition, const char* text, const char* file,
                               int line) {
  std::printf("seed %" PRIu64 ": E-BUG: %s (%s:%d: %s)\n", g_seed, text, file, line, condition);
  std::fflush(stdout);
  if (g_expects_violation) std::_Exit(0);
  std::abort();
}

[[noreturn]] void give_up(const std::string& wrong) {
  std::fprintf(stderr, "error: %s\n", wrong.c_str());
  std::exit(2);
}

/// The first word of each line that is no comment.
std::vector<std::uint64_t> read_seeds(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::string word = line.substr(0, line.find(' '));
    std::uint64_t seed = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, seed);
    if (error != std::errc() || stop != end)
      give_up(fmt::format("{}: \"{}\" is no seed", file, word));
    seeds.push_back(seed);
  }
  if (seeds.empty()) give_up(file + " holds no seed");
  return seeds;
}

class Runner {
 public:
  explicit Runner(const SimFlags& flags)
      : flags_(flags), mutant_(flags.mutant.value_or(Mutant::none)) {
    if (flags_.tape_file.empty()) return;
    Result<RecordedTape> tape = read_tape_file(flags_.tape_file);
    if (!tape) give_up(tape.error().where + ": " + tape.error().message);
    recorded_ = *std::move(tape);
    mutant_ = flags_.mutant.value_or(recorded_->mutant);
  }

  int run() {
    for (const std::uint64_t seed : seeds()) {
      const IsolatedRun run = run_seed(seed);
      total_.add(run.outcome.statistics);
      ++topologies_[static_cast<std::size_t>(run.outcome.topology)];
      ++histories_;
      if (run.outcome.violation) return report_violation(seed, run);
      if (is_alone() || flags_.verbose) report(seed, run.outcome);
    }
    std::printf("%" PRIu64 " histories: %s\n", histories_, total_.describe().c_str());
    report_topologies();
    if (is_idle()) {
      std::printf("too little happened for this to prove anything\n");
      return 1;
    }
    if (!flags_.expects_violation) return 0;
    std::printf("mutant %d was not caught\n", static_cast<int>(mutant_));
    return 1;
  }

 private:
  bool is_alone() const { return flags_.seeds == 1 && flags_.seeds_file.empty(); }

  /// Many histories in which a kind of fault never came, or no checkpoint: the simulation is
  /// broken.
  bool is_idle() const {
    constexpr std::uint64_t kMany = 100;
    if (histories_ < kMany) return false;
    const Statistics& all = total_;
    const bool is_remote =
        flags_.guarantees == Guarantees::hdfs || flags_.guarantees == Guarantees::s3;
    if (!is_remote && all.power_cuts == 0) return true;
    if (std::min({all.kills, all.restores, all.rescales, all.restarts, all.stops, all.savepoints,
                  all.checkpoints, all.failed_checkpoints, all.write_errors, all.read_errors,
                  all.thrown}) == 0) {
      return true;
    }
    const auto absent = std::count(topologies_.begin(), topologies_.end(), 0);
    switch (flags_.guarantees) {
      case Guarantees::mixed:
      case Guarantees::kafka:
      case Guarantees::hdfs:
      case Guarantees::s3:
        return all.in_flight == 0 || all.increments == 0 || absent > 0;
      case Guarantees::aligned:
        return absent > 1;  // one only shows what overtaking can break
      case Guarantees::at_least_once:
        return all.repeated_lines == 0;
    }
    return false;
  }

  std::vector<std::uint64_t> seeds() const {
    if (recorded_) return {flags_.seed};
    if (!flags_.seeds_file.empty()) return read_seeds(flags_.seeds_file);
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t i = 0; i < flags_.seeds; ++i) seeds.push_back(flags_.seed + i);
    return seeds;
  }

  Tape tape_of(std::uint64_t seed) const {
    return recorded_ ? Tape(recorded_->numbers) : Tape(seed);
  }

  IsolatedRun run_seed(std::uint64_t seed) const {
    g_seed = seed;
    IsolatedRun run = flags_.shrinks ? run_isolated(seed) : run_here(seed);
    if (!flags_.save_tape.empty()) save(flags_.save_tape, run.outcome, run.drawn);
    if (seed % kTwiceEvery != 0 || run.outcome.violation) return run;
    Tape again = tape_of(seed);
    if (simulate(again, mutant_, {}, flags_.guarantees).trace_hash != run.outcome.trace_hash) {
      run.outcome.violation = "the same seed gives another history the second time";
    }
    return run;
  }

  IsolatedRun run_here(std::uint64_t seed) const {
    World::Talk talk;
    if (flags_.verbose) talk = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
    Tape tape = tape_of(seed);
    IsolatedRun run;
    run.outcome = simulate(tape, mutant_, talk, flags_.guarantees);
    if (run.outcome.violation || !flags_.save_tape.empty()) run.drawn = tape.drawn();
    return run;
  }

  /// Of one that crashed it is not known how much was drawn: so much is more than any draws.
  IsolatedRun run_isolated(std::uint64_t seed) const {
    constexpr int kPlenty = 1 << 18;
    IsolatedRun run = simulate_isolated(tape_of(seed), mutant_);
    if (run.outcome.violation && run.drawn.empty()) {
      Tape tape = tape_of(seed);
      for (int i = 0; i < kPlenty; ++i) tape.next();
      run.drawn = tape.drawn();
    }
    return run;
  }

  void save(const std::string& path, const Outcome& outcome, const Numbers& numbers) const {
    const Result<void> written = write_tape_file(path, {.mutant = mutant_,
                                                        .violation = outcome.violation.value_or(""),
                                                        .trace_hash = outcome.trace_hash,
                                                        .numbers = numbers});
    if (!written) give_up(written.error().where + ": " + written.error().message);
  }

  void report_topologies() const {
    std::printf("jobs:");
    for (int i = 0; i < kTopologies; ++i) {
      std::printf(" %s %" PRIu64, to_string(static_cast<Topology>(i)),
                  topologies_[static_cast<std::size_t>(i)]);
    }
    std::printf("\n");
  }

  void report(std::uint64_t seed, const Outcome& outcome) const {
    if (recorded_) {
      const bool is_same = outcome.trace_hash == recorded_->trace_hash;
      std::printf("%s, trace %016" PRIx64 ", %s\n", flags_.tape_file.c_str(), outcome.trace_hash,
                  is_same ? "as recorded" : "another than was recorded");
    } else {
      std::printf("seed %" PRIu64 ", trace %016" PRIx64 "\n", seed, outcome.trace_hash);
    }
    std::printf("  %s\n  %s\n", outcome.options.c_str(), outcome.statistics.describe().c_str());
  }

  /// What makes this history of its seed.
  std::string other_flags() const {
    std::string flags;
    if (flags_.guarantees == Guarantees::aligned) flags += " --aligned";
    if (flags_.guarantees == Guarantees::at_least_once) flags += " --at-least-once";
    if (flags_.guarantees == Guarantees::kafka) flags += " --kafka";
    if (flags_.guarantees == Guarantees::hdfs) flags += " --hdfs";
    if (flags_.guarantees == Guarantees::s3) flags += " --s3";
    if (mutant_ != Mutant::none) flags += " --mutant " + std::to_string(static_cast<int>(mutant_));
    return flags;
  }

  int report_violation(std::uint64_t seed, const IsolatedRun& run) const {
    std::printf("VIOLATION after %" PRIu64 " histories: %s\n", histories_,
                run.outcome.violation->c_str());
    report(seed, run.outcome);
    if (!recorded_) {
      std::printf("replay: streamrun_sim --seed %" PRIu64 "%s --verbose\n", seed,
                  other_flags().c_str());
    }
    if (flags_.shrinks) shrink(seed, run);
    return flags_.expects_violation ? 0 : 1;
  }

  void shrink(std::uint64_t seed, const IsolatedRun& found) const {
    using SteadyClock = std::chrono::steady_clock;
    const auto end = SteadyClock::now() + std::chrono::seconds(flags_.shrink_seconds);
    const std::string kind = kind_of(*found.outcome.violation);
    Shrinker shrinker(
        found.drawn,
        [&](const Numbers& numbers) -> std::optional<Numbers> {
          IsolatedRun run = simulate_isolated(Tape(numbers), mutant_);
          if (!run.outcome.violation || kind_of(*run.outcome.violation) != kind) return {};
          return run.drawn.empty() ? numbers : run.drawn;
        },
        [&] { return SteadyClock::now() < end; });
    const Numbers& numbers = shrinker.shrink();
    const Outcome shortest = simulate_isolated(Tape(numbers), mutant_).outcome;
    const std::string path =
        flags_.save_tape.empty() ? "sim-" + std::to_string(seed) + ".tape" : flags_.save_tape;
    save(path, shortest, numbers);
    std::printf("SHRUNK from %zu numbers to %zu in %" PRIu64 " tries: %s\n  %s\n  %s\n",
                found.drawn.size(), numbers.size(), shrinker.tries(),
                shortest.violation.value_or("no violation").c_str(), shortest.options.c_str(),
                shortest.statistics.describe().c_str());
    constexpr std::size_t kShort = 100;
    if (numbers.size() <= kShort) {
      std::printf(" ");
      for (const std::uint64_t number : numbers) std::printf(" %" PRIu64, number);
      std::printf("\n");
    }
    std::printf("replay: streamrun_sim --tape %s --verbose\n", path.c_str());
  }

  const SimFlags& flags_;
  Mutant mutant_;
  std::optional<RecordedTape> recorded_;
  Statistics total_;
  std::uint64_t histories_ = 0;
  std::array<std::uint64_t, kTopologies> topologies_{};
};

}  // namespace
}  // namespace streamrun::sim

int main(int argc, char** argv) {
  using namespace streamrun::sim;
  const SimFlags flags = parse_flags(argc, argv);
  g_expects_violation = flags.expects_violation;
  streamrun::set_assertion_handler(&on_assertion);
  return Runner(flags).run();
}
