#include <streamrun/base/assert.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "sim/simulation.h"

namespace streamrun::sim {
namespace {

/// Each so many seeds one runs twice.
constexpr std::uint64_t kTwiceEvery = 20;

struct Flags {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::string seeds_file;
  std::string tape_file;
  std::string save_tape;
  Mutant mutant = Mutant::none;
  bool expects_violation = false;
  bool verbose = false;
};

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

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "streamrun_sim [--seed S] [--seeds N] [--seeds-file FILE] [--mutant K] "
               "[--expect-violation] [--tape FILE] [--save-tape FILE] [--verbose]\n");
  std::exit(2);
}

Flags parse(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) usage();
      return argv[i];
    };
    const auto number = [&] { return std::strtoull(value().c_str(), nullptr, 10); };
    if (name == "--seed") {
      flags.seed = number();
    } else if (name == "--seeds") {
      flags.seeds = number();
    } else if (name == "--seeds-file") {
      flags.seeds_file = value();
    } else if (name == "--mutant") {
      flags.mutant = static_cast<Mutant>(number());
    } else if (name == "--expect-violation") {
      flags.expects_violation = true;
    } else if (name == "--tape") {
      flags.tape_file = value();
    } else if (name == "--save-tape") {
      flags.save_tape = value();
    } else if (name == "--verbose") {
      flags.verbose = true;
    } else {
      usage();
    }
  }
  if (static_cast<int>(flags.mutant) > kMutants) usage();
  return flags;
}

std::vector<std::uint64_t> read_tape(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; in >> number;) numbers.push_back(number);
  return numbers;
}

void write_tape(const std::string& file, const std::vector<std::uint64_t>& numbers) {
  std::ofstream out(file);
  for (const std::uint64_t number : numbers) out << number << '\n';
}

/// The first word of each line that is no comment.
std::vector<std::uint64_t> read_seeds(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
  return seeds;
}

class Runner {
 public:
  explicit Runner(const Flags& flags) : flags_(flags) {}

  int run() {
    for (const std::uint64_t seed : seeds()) {
      const Outcome outcome = run_seed(seed);
      total_.add(outcome.statistics);
      ++histories_;
      if (outcome.violation) return report_violation(seed, outcome);
      if (is_alone() || flags_.verbose) report(seed, outcome);
    }
    std::printf("%" PRIu64 " histories: %s\n", histories_, total_.describe().c_str());
    if (is_idle()) {
      std::printf("too little happened for this to prove anything\n");
      return 1;
    }
    if (!flags_.expects_violation) return 0;
    std::printf("mutant %d was not caught\n", static_cast<int>(flags_.mutant));
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
    return std::min({all.kills, all.power_cuts, all.restores, all.rescales, all.restarts, all.stops,
                     all.checkpoints, all.failed_checkpoints, all.write_errors, all.read_errors,
                     all.thrown}) == 0;
  }

  std::vector<std::uint64_t> seeds() const {
    if (!flags_.seeds_file.empty()) return read_seeds(flags_.seeds_file);
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t i = 0; i < flags_.seeds; ++i) seeds.push_back(flags_.seed + i);
    return seeds;
  }

  Tape tape_of(std::uint64_t seed) const {
    return flags_.tape_file.empty() ? Tape(seed) : Tape(read_tape(flags_.tape_file));
  }

  Outcome run_seed(std::uint64_t seed) const {
    g_seed = seed;
    World::Talk talk;
    if (flags_.verbose) talk = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
    Tape tape = tape_of(seed);
    Outcome outcome = simulate(tape, flags_.mutant, talk);
    if (!flags_.save_tape.empty()) write_tape(flags_.save_tape, tape.drawn());
    if (seed % kTwiceEvery != 0 || outcome.violation) return outcome;
    Tape again = tape_of(seed);
    const Outcome second = simulate(again, flags_.mutant);
    if (second.trace_hash != outcome.trace_hash) {
      outcome.violation = "the same seed gives another history the second time";
    }
    return outcome;
  }

  static void report(std::uint64_t seed, const Outcome& outcome) {
    std::printf("seed %" PRIu64 ", trace %016" PRIx64 "\n  %s\n  %s\n", seed, outcome.trace_hash,
                outcome.options.c_str(), outcome.statistics.describe().c_str());
  }

  int report_violation(std::uint64_t seed, const Outcome& outcome) const {
    std::printf("VIOLATION after %" PRIu64 " histories: %s\n", histories_,
                outcome.violation->c_str());
    report(seed, outcome);
    std::printf("replay: streamrun_sim --seed %" PRIu64 "%s --verbose\n", seed,
                flags_.mutant == Mutant::none
                    ? ""
                    : (" --mutant " + std::to_string(static_cast<int>(flags_.mutant))).c_str());
    return flags_.expects_violation ? 0 : 1;
  }

  const Flags& flags_;
  Statistics total_;
  std::uint64_t histories_ = 0;
};

}  // namespace
}  // namespace streamrun::sim

int main(int argc, char** argv) {
  using namespace streamrun::sim;
  const Flags flags = parse(argc, argv);
  g_expects_violation = flags.expects_violation;
  streamrun::set_assertion_handler(&on_assertion);
  return Runner(flags).run();
}
