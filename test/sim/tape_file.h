#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/mutant.h"
#include "sim/shrink.h"

namespace streamrun::sim {

/// A history that can be replayed: every choice, and what came of it.
struct RecordedTape {
  Mutant mutant = Mutant::none;
  std::string violation;  ///< empty: none
  std::uint64_t trace_hash = 0;
  Numbers numbers;
};

/// As text: a line that says what it is, what came of it, and the numbers, one a line.
std::string to_text(const RecordedTape& tape);
/// E-USAGE naming the line, if it is not what `to_text` writes.
Result<RecordedTape> parse_tape(std::string_view text);

Result<void> write_tape_file(const std::string& path, const RecordedTape& tape);
Result<RecordedTape> read_tape_file(const std::string& path);

}  // namespace streamrun::sim
