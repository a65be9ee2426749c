#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// The candidate nearest to `word` by edits (insert, delete, replace, swap), if near enough to be a
/// slip; else empty.
std::string nearest_of(std::string_view word, const std::vector<std::string>& candidates);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower_ascii(std::string_view text);
std::string_view trim(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// A text for people: of a line above 2 KiB, and of a text above 16 KiB, only the two ends with the
/// length between them. Characters stay whole.
std::string shortened(std::string_view text);

/// `38MiB`, `1.2KiB`, `0B`: for tables, which have no blanks inside a cell.
std::string human_bytes(std::uint64_t bytes);
/// `42s`, `2m`, `3h`, `5d` of milliseconds.
std::string human_age(std::int64_t milliseconds);
/// RFC 3339 in UTC with milliseconds: `2026-01-31T07:00:00.000Z`.
std::string rfc3339(std::int64_t unix_milliseconds);

}  // namespace streamrun
