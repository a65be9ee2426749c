// A tape from anywhere: as a file of one, and as the choices of a history, which must keep what
// every history keeps, whoever chooses.
#include <streamrun/base/bytes.h>

#include <cstdio>

#include "fuzz_target.h"
#include "sim/simulation.h"
#include "sim/tape.h"
#include "sim/tape_file.h"

namespace {

using namespace streamrun;

void check_text(std::string_view text) {
  const Result<sim::RecordedTape> tape = sim::parse_tape(text);
  if (!tape) return;
  const std::string written = sim::to_text(*tape);
  const Result<sim::RecordedTape> again = sim::parse_tape(written);
  fuzz::require(again.has_value() && sim::to_text(*again) == written,
                "a tape that was read is written and read as itself");
}

sim::Numbers choices_in(std::string_view bytes) {
  sim::Numbers numbers;
  ByteReader in(bytes);
  while (in.remaining() > 0) {
    const std::uint64_t number = in.varint();
    if (in.failed()) break;
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  check_text(bytes);
  sim::Tape tape(choices_in(bytes));
  const sim::Outcome outcome = sim::simulate(tape, sim::Mutant::none);
  if (outcome.violation) std::fprintf(stderr, "%s\n", outcome.violation->c_str());
  fuzz::require(!outcome.violation, "a history keeps the invariants");
  return 0;
}
