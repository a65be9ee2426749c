#include "sim/sim_flags.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace streamrun::sim {
namespace {

[[noreturn]] void usage(const std::string& wrong) {
  std::fprintf(stderr,
               "error: %s\n"
               "streamrun_sim [--seed S] [--seeds N] [--seeds-file FILE] [--tape FILE] "
               "[--mutant K] [--aligned | --at-least-once | --kafka | --hdfs | --s3] "
               "[--expect-violation] "
               "[--save-tape FILE] "
               "[--shrink] "
               "[--shrink-seconds T] [--verbose]\n",
               wrong.c_str());
  std::exit(2);
}

class Arguments {
 public:
  Arguments(int argc, char** argv) : argc_(argc), argv_(argv) {}

  bool next() {
    if (++at_ >= argc_) return false;
    name_ = argv_[at_];
    return true;
  }
  bool is(const char* name) const { return name_ == name; }
  const std::string& name() const { return name_; }
  std::string value() {
    if (++at_ >= argc_) usage(name_ + " needs a value");
    return argv_[at_];
  }
  std::uint64_t number() {
    const std::string text = value();
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) usage(name_ + ": \"" + text + "\" is no number");
    return number;
  }

 private:
  const int argc_;
  char** const argv_;
  int at_ = 0;
  std::string name_;
};

}  // namespace

SimFlags parse_flags(int argc, char** argv) {
  SimFlags flags;
  for (Arguments arguments(argc, argv); arguments.next();) {
    if (arguments.is("--seed")) {
      flags.seed = arguments.number();
    } else if (arguments.is("--seeds")) {
      flags.seeds = arguments.number();
    } else if (arguments.is("--seeds-file")) {
      flags.seeds_file = arguments.value();
    } else if (arguments.is("--mutant")) {
      const std::uint64_t mutant = arguments.number();
      if (mutant > kMutants) usage("there are " + std::to_string(kMutants) + " mutants");
      flags.mutant = static_cast<Mutant>(mutant);
    } else if (arguments.is("--expect-violation")) {
      flags.expects_violation = true;
    } else if (arguments.is("--aligned")) {
      flags.guarantees = Guarantees::aligned;
    } else if (arguments.is("--at-least-once")) {
      flags.guarantees = Guarantees::at_least_once;
    } else if (arguments.is("--kafka")) {
      flags.guarantees = Guarantees::kafka;
    } else if (arguments.is("--hdfs")) {
      flags.guarantees = Guarantees::hdfs;
    } else if (arguments.is("--s3")) {
      flags.guarantees = Guarantees::s3;
    } else if (arguments.is("--tape")) {
      flags.tape_file = arguments.value();
    } else if (arguments.is("--save-tape")) {
      flags.save_tape = arguments.value();
    } else if (arguments.is("--shrink")) {
      flags.shrinks = true;
    } else if (arguments.is("--shrink-seconds")) {
      flags.shrinks = true;
      flags.shrink_seconds = arguments.number();
    } else if (arguments.is("--verbose")) {
      flags.verbose = true;
    } else {
      usage("there is no option " + arguments.name());
    }
  }
  if (flags.guarantees != Guarantees::mixed && (flags.shrinks || !flags.save_tape.empty()))
    usage("a tape does not say that it is --aligned, --at-least-once, --kafka, --hdfs or --s3");
  return flags;
}

}  // namespace streamrun::sim
