#include "sim/tape_file.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace streamrun::sim {
namespace {

constexpr std::string_view kFirstLine = "streamrun-tape 1";

Error wrong(std::size_t line, std::string message) {
  return {.code = ErrorCode::usage,
          .message = std::move(message),
          .where = fmt::format("line {}", line),
          .retry = Retry::no};
}

std::optional<std::uint64_t> number_of(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Line after line; nothing behind the last.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line;
  }
  /// What stands behind the word that the next line is to begin with.
  Result<std::string_view> value_of(std::string_view word) {
    const auto line = next();
    if (!line) return wrong(number_, fmt::format("the tape ends before its \"{}\"", word));
    if (!line->starts_with(word) || (line->size() > word.size() && (*line)[word.size()] != ' ')) {
      return wrong(number_, fmt::format("\"{}\" is expected here", word));
    }
    return line->substr(std::min(word.size() + 1, line->size()));
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

Result<std::uint64_t> number_behind(Lines& lines, std::string_view word, int base = 10) {
  const std::string_view text = SR_TRY(lines.value_of(word));
  if (const auto number = number_of(text, base)) return *number;
  return wrong(lines.number(), fmt::format("\"{}\" is no number", text));
}

Result<Numbers> numbers_in(Lines& lines) {
  const std::uint64_t count = SR_TRY(number_behind(lines, "numbers"));
  Numbers numbers;
  while (const auto line = lines.next()) {
    const auto number = number_of(*line);
    if (!number) return wrong(lines.number(), fmt::format("\"{}\" is no number", *line));
    numbers.push_back(*number);
  }
  if (numbers.size() == count) return numbers;
  return wrong(lines.number(), fmt::format("the tape ends here with {} numbers, it is to have {}",
                                           numbers.size(), count));
}

}  // namespace

std::string to_text(const RecordedTape& tape) {
  std::string violation = tape.violation;
  std::replace(violation.begin(), violation.end(), '\n', ' ');
  std::string text =
      fmt::format("{}\nmutant {}\nviolation {}\ntrace {:016x}\nnumbers {}\n", kFirstLine,
                  static_cast<int>(tape.mutant), violation, tape.trace_hash, tape.numbers.size());
  for (const std::uint64_t number : tape.numbers) text += fmt::format("{}\n", number);
  return text;
}

Result<RecordedTape> parse_tape(std::string_view text) {
  Lines lines(text);
  const auto first = lines.next();
  if (!first || *first != kFirstLine) {
    return wrong(1, fmt::format("this is no tape: it does not begin with \"{}\"", kFirstLine));
  }
  RecordedTape tape;
  const std::uint64_t mutant = SR_TRY(number_behind(lines, "mutant"));
  if (mutant > kMutants) return wrong(lines.number(), fmt::format("there is no mutant {}", mutant));
  tape.mutant = static_cast<Mutant>(mutant);
  tape.violation = std::string(SR_TRY(lines.value_of("violation")));
  tape.trace_hash = SR_TRY(number_behind(lines, "trace", 16));
  tape.numbers = SR_TRY(numbers_in(lines));
  return tape;
}

Result<void> write_tape_file(const std::string& path, const RecordedTape& tape) {
  std::ofstream out(path, std::ios::binary);
  out << to_text(tape);
  out.close();
  if (out) return {};
  return Error{.code = ErrorCode::path, .message = "the tape can't be written", .where = path};
}

Result<RecordedTape> read_tape_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return Error{.code = ErrorCode::path, .message = "there is no tape", .where = path};
  Result<RecordedTape> tape = parse_tape(text);
  if (tape) return tape;
  Error error = std::move(tape).error();
  error.where = path + ", " + error.where;
  return error;
}

}  // namespace streamrun::sim
