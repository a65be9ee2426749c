#pragma once

#include <streamrun/stream/batch.h>

#include <array>
#include <charconv>
#include <string>
#include <type_traits>

namespace streamrun {

/// How a record becomes a line (without its end). A job says it for a type of its own with a
/// function next to the type,
///
///     void to_line(std::string& out, const WordCount& row);
///
/// that appends to `out`, or by specialising this. Strings and numbers are lines already.
template <typename T>
struct LineFormat {
  static void append(std::string& out, RecordRef<T> record) requires requires {
    to_line(out, record);
  }
  { to_line(out, record); }
};

template <>
struct LineFormat<std::string> {
  static void append(std::string& out, RecordRef<std::string> record) { out += record; }
};

/// Numbers as `std::to_chars` writes them: without loss, independent of the locale.
template <typename T>
requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
         !std::is_same_v<T, char>) struct LineFormat<T> {
  static void append(std::string& out, RecordRef<T> record) {
    std::array<char, 64> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), record);
    SR_ASSERT(error == std::errc(), "64 characters hold any number");
    out.append(digits.data(), end);
  }
};

/// A type that can be written as a line.
template <typename T>
concept LineWritable = requires(std::string& out, RecordRef<T> record) {
  LineFormat<T>::append(out, record);
};

}  // namespace streamrun
