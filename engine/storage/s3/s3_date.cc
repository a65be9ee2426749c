#include "s3_date.h"

#include <array>
#include <charconv>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "sigv4.h"

namespace streamrun {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The number in `length` digits at `at`; -1 if there is none.
int number_at(std::string_view text, std::size_t at, std::size_t length) {
  int number = -1;
  if (at + length > text.size()) return -1;
  const char* const end = text.data() + at + length;
  const auto [stop, problem] = std::from_chars(text.data() + at, end, number);
  return problem == std::errc() && stop == end ? number : -1;
}

struct Day {
  int year = -1;
  int month = -1;
  int day = -1;
};

std::optional<std::int64_t> moment(const Day& day, std::string_view time, int milliseconds) {
  const int hour = number_at(time, 0, 2);
  const int minute = number_at(time, 3, 2);
  const int second = number_at(time, 6, 2);
  const std::chrono::year_month_day date{std::chrono::year(day.year),
                                         std::chrono::month(static_cast<unsigned>(day.month)),
                                         std::chrono::day(static_cast<unsigned>(day.day))};
  const bool good = day.year >= 1970 && date.ok() && hour >= 0 && hour < 24 && minute >= 0 &&
                    minute < 60 && second >= 0 && second <= 60;
  if (!good) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60'000 + std::int64_t{second} * 1000 + milliseconds;
}

int month_of(std::string_view name) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths.at(i) == name) return static_cast<int>(i) + 1;
  }
  return -1;
}

}  // namespace

std::string amz_date(std::int64_t unix_milliseconds) {
  const std::chrono::sys_time<std::chrono::milliseconds> now{
      std::chrono::milliseconds(unix_milliseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::optional<std::int64_t> parse_s3_date(std::string_view text) {
  if (text.size() == 29 && text.substr(3, 2) == ", ") {
    const Day day{number_at(text, 12, 4), month_of(text.substr(8, 3)), number_at(text, 5, 2)};
    return moment(day, text.substr(17), 0);
  }
  if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z') return std::nullopt;
  const Day day{number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2)};
  const int milliseconds = text[19] == '.' ? number_at(text, 20, 3) : 0;
  return moment(day, text.substr(11), milliseconds < 0 ? 0 : milliseconds);
}

}  // namespace streamrun
