#include "sim/shrink.h"

#include <streamrun/base/assert.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/isolated.h"
#include "sim/simulation.h"
#include "sim/tape_file.h"

namespace streamrun::sim {
namespace {

constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

/// The first history in which a mutant is found.
RecordedTape history_of(Mutant mutant) {
  for (std::uint64_t seed = 1;; ++seed) {
    Tape tape(seed);
    const Outcome outcome = simulate(tape, mutant);
    if (!outcome.violation) continue;
    return {.mutant = mutant,
            .violation = *outcome.violation,
            .trace_hash = outcome.trace_hash,
            .numbers = tape.drawn()};
  }
}

/// With the numbers of a shorter history that violates the same.
RecordedTape shrunk(RecordedTape found, int most_tries) {
  const std::string kind = kind_of(found.violation);
  Shrinker shrinker(
      found.numbers,
      [&](const Numbers& numbers) -> std::optional<Numbers> {
        Tape tape(numbers);
        const Outcome outcome = simulate(tape, found.mutant);
        if (!outcome.violation || kind_of(*outcome.violation) != kind) return std::nullopt;
        return tape.drawn();
      },
      [&most_tries] { return most_tries-- > 0; });
  found.numbers = shrinker.shrink();
  Tape tape(found.numbers);
  const Outcome outcome = simulate(tape, found.mutant);
  found.violation = outcome.violation.value_or("");
  found.trace_hash = outcome.trace_hash;
  return found;
}

std::string error_of(const std::string& text) {
  const Result<RecordedTape> tape = parse_tape(text);
  if (tape) return "";
  CHECK(tape.error().code == ErrorCode::usage);
  return tape.error().where + ": " + tape.error().message;
}

}  // namespace

TEST_CASE("shrinking: a mutant's history becomes shorter and shows the same violation", "[sim]") {
  const RecordedTape found = history_of(Mutant::restores_oldest);
  const RecordedTape shorter = shrunk(found, 250);
  CAPTURE(found.numbers.size(), shorter.numbers.size());
  // How much shorter in so many tries depends on the history, which changes with the engine.
  CHECK(shorter.numbers.size() < found.numbers.size() * 3 / 4);
  CHECK(kind_of(shorter.violation) == kind_of(found.violation));

  const Result<RecordedTape> read = parse_tape(to_text(shorter));
  REQUIRE(read);
  Tape replayed(read->numbers);
  const Outcome again = simulate(replayed, read->mutant);
  CHECK(again.violation == shorter.violation);
  CHECK(again.trace_hash == read->trace_hash);
  CHECK(read->trace_hash == shorter.trace_hash);
  // It is the mutant's doing.
  Tape without(read->numbers);
  CHECK_FALSE(simulate(without, Mutant::none).violation);
}

TEST_CASE("shrinking: what does not matter goes, what does is made small", "[sim]") {
  // Three equal numbers in a row are what is looked for.
  const auto replay = [](const Numbers& numbers) -> std::optional<Numbers> {
    for (std::size_t i = 0; i + 2 < numbers.size(); ++i) {
      const std::uint64_t one = numbers[i];
      if (one > 4 && numbers[i + 1] == one && numbers[i + 2] == one) return numbers;
    }
    return std::nullopt;
  };
  Numbers numbers;
  for (std::uint64_t i = 0; i < 300; ++i) numbers.push_back(1000 + i);
  std::fill(numbers.begin() + 100, numbers.begin() + 103, 7);
  Shrinker shrinker(numbers, replay, [] { return true; });
  CHECK(shrinker.shrink() == Numbers{7, 7, 7});
  CHECK(shrinker.tries() > 10);
}

TEST_CASE("shrinking: without time nothing is tried", "[sim]") {
  Shrinker shrinker(
      {5, 6, 0, 0}, [](const Numbers& numbers) { return std::optional(numbers); },
      [] { return false; });
  CHECK(shrinker.shrink() == Numbers{5, 6});
  CHECK(shrinker.tries() == 0);
}

TEST_CASE("violation: its kind is its words up to the first thing that it names", "[sim]") {
  CHECK(kind_of("D3: checkpoint 17 is complete after 19") == "D3: checkpoint");
  CHECK(kind_of("G3: in /out the line \"a\" stands 2 times") == "G3: in");
  CHECK(kind_of("L6: without faults the job does not end") ==
        "L6: without faults the job does not end");
  CHECK(kind_of("").empty());
}

TEST_CASE("isolated history: it is the same as one in this process", "[sim]") {
  Tape tape(std::uint64_t{7});
  const IsolatedRun isolated = simulate_isolated(tape, Mutant::none);
  const Outcome outcome = simulate(tape, Mutant::none);
  CHECK_FALSE(isolated.outcome.violation);
  CHECK(isolated.outcome.trace_hash == outcome.trace_hash);
  CHECK(isolated.outcome.options == outcome.options);
  CHECK(isolated.outcome.topology == outcome.topology);
  CHECK(isolated.outcome.statistics.describe() == outcome.statistics.describe());
  CHECK(isolated.drawn == tape.drawn());
}

TEST_CASE("isolated history: an assertion or a crash in it is a violation", "[sim]") {
  const auto after_two_draws = [](const std::function<void()>& end) {
    return run_isolated(Tape(Numbers{5, 6, 7}), [&](Tape& tape) {
      tape.next();
      tape.next();
      end();
      return Outcome{};
    });
  };
  const IsolatedRun assertion = after_two_draws([] { SR_ASSERT(false, "S1: planted"); });
  CHECK(assertion.outcome.violation.value_or("").starts_with("E-BUG: S1: planted ("));
  CHECK(assertion.drawn == Numbers{5, 6});
  const IsolatedRun crash = after_two_draws([] { ::raise(SIGKILL); });
  CHECK(crash.outcome.violation == "the process ended by signal 9");
  CHECK(crash.drawn.empty());
  const IsolatedRun exit = after_two_draws([] { std::_Exit(3); });
  CHECK(exit.outcome.violation == "the process ended with status 3");
  CHECK_FALSE(after_two_draws([] {}).outcome.violation);
}

TEST_CASE("tape file: what is written is read", "[sim]") {
  const RecordedTape tape{.mutant = Mutant::reuses_ids,
                          .violation = "D3: a\nb",
                          .trace_hash = 0xab,
                          .numbers = {0, 7, kHighest}};
  const Result<RecordedTape> read = parse_tape(to_text(tape));
  REQUIRE(read);
  CHECK(read->mutant == tape.mutant);
  CHECK(read->violation == "D3: a b");
  CHECK(read->trace_hash == tape.trace_hash);
  CHECK(read->numbers == tape.numbers);
  REQUIRE(parse_tape(to_text({})));
}

TEST_CASE("tape file: what is wrong with it is said, with the line", "[sim]") {
  const std::string head = "streamrun-tape 1\nmutant 3\nviolation D3: x\ntrace 00ab\nnumbers 2\n";
  CHECK(error_of(head + "1\n2\n").empty());
  CHECK(error_of("") == "line 1: this is no tape: it does not begin with \"streamrun-tape 1\"");
  CHECK(error_of("17\n18\n") ==
        "line 1: this is no tape: it does not begin with \"streamrun-tape 1\"");
  CHECK(error_of("streamrun-tape 1\n") == "line 1: the tape ends before its \"mutant\"");
  CHECK(error_of("streamrun-tape 1\nviolation x\n") == "line 2: \"mutant\" is expected here");
  CHECK(error_of("streamrun-tape 1\nmutant 99\n") == "line 2: there is no mutant 99");
  CHECK(error_of(head + "1\n") == "line 6: the tape ends here with 1 numbers, it is to have 2");
  CHECK(error_of(head + "1\n2\n3\n") ==
        "line 8: the tape ends here with 3 numbers, it is to have 2");
  CHECK(error_of(head + "1\n-2\n") == "line 7: \"-2\" is no number");
  CHECK(error_of(head + "1\n\n") == "line 7: \"\" is no number");
  CHECK(error_of(head + "1\n18446744073709551616\n") ==
        "line 7: \"18446744073709551616\" is no number");
  // Cut anywhere it is an error, but for its last line's end and digits.
  const std::string whole = head + "10\n20\n";
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    INFO("cut at " << length);
    CHECK_FALSE(parse_tape(whole.substr(0, length)));
  }
}

TEST_CASE("tape file: one that is not there is an error", "[sim]") {
  const Result<RecordedTape> tape = read_tape_file("/nowhere/a.tape");
  REQUIRE(!tape);
  CHECK(tape.error().code == ErrorCode::path);
  CHECK(!write_tape_file("/nowhere/a.tape", {}));
}

}  // namespace streamrun::sim
