#include <streamrun/base/strings.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("strings: a long text shows its two ends and its length, by whole characters", "[base]") {
  CHECK(shortened("short") == "short");
  const std::string line(2048, 'a');
  CHECK(shortened(line) == line);
  CHECK(shortened("before\n" + line + "b\nafter") == "before\n" + std::string(192, 'a') +
                                                         "[… 2049 bytes …]" + std::string(63, 'a') +
                                                         "b\nafter");
  std::string umlauts;
  while (umlauts.size() < 3000) umlauts += "ä";
  CHECK(is_valid_utf8(shortened(umlauts)));
  CHECK(is_valid_utf8(shortened("x" + umlauts)));
  CHECK(shortened(std::string(20000, '\x80')).size() < 300);
  std::string lines;
  while (lines.size() <= 16384) lines += "x\n";
  CHECK(shortened(lines).size() < 300);
}

TEST_CASE("nearest: finds the word that a slip was meant for", "[base]") {
  const std::vector<std::string> words = {"run", "list", "savepoint", "cancel", "stop"};
  CHECK(nearest_of("lsit", words) == "list");
  CHECK(nearest_of("savpoint", words) == "savepoint");
  CHECK(nearest_of("cancle", words) == "cancel");
  CHECK(nearest_of("runn", words) == "run");
  CHECK(nearest_of("wordcount", words).empty());
  CHECK(nearest_of("list", {}).empty());
  CHECK(nearest_of(std::string(100'000, 'x'), words).empty());
}

TEST_CASE("split: keeps empty parts, and join undoes it", "[base]") {
  CHECK(split("a,b", ',') == std::vector<std::string>{"a", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(split(",a,,", ',') == std::vector<std::string>{"", "a", "", ""});
  CHECK(join(split(",a,,", ','), ",") == ",a,,");
  CHECK(join({}, ", ").empty());
}

TEST_CASE("trim: takes blanks off both ends only", "[base]") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(trim("a") == "a");
}

TEST_CASE("to_lower_ascii: leaves other alphabets alone", "[base]") {
  CHECK(to_lower_ascii("AbÉ-Z9") == "abÉ-z9");
}

TEST_CASE("utf-8: accepts every well-formed length", "[base]") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("a\u00e9\u20ac\U0001F600\U0010FFFF"));
  CHECK(is_valid_utf8(std::string_view("\0", 1)));
}

TEST_CASE("utf-8: refuses overlong, surrogate, cut and stray bytes", "[base]") {
  const std::string text =
      GENERATE("\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
               "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "\xff");
  CHECK_FALSE(is_valid_utf8(text));
  CHECK_FALSE(is_valid_utf8("before" + text));
}

TEST_CASE("human bytes: at most four digits and a unit", "[base]") {
  CHECK(human_bytes(0) == "0B");
  CHECK(human_bytes(1023) == "1023B");
  CHECK(human_bytes(1024) == "1.0KiB");
  CHECK(human_bytes(1229) == "1.2KiB");
  CHECK(human_bytes(10 * 1024) == "10KiB");
  CHECK(human_bytes(38U << 20U) == "38MiB");
  CHECK(human_bytes((1U << 20U) - 1) == "1.0MiB");
  CHECK(human_bytes(~0ULL) == "16384PiB");
}

TEST_CASE("human age: one unit, rounded down, never negative", "[base]") {
  CHECK(human_age(-5) == "0s");
  CHECK(human_age(42'999) == "42s");
  CHECK(human_age(120'000) == "2m");
  CHECK(human_age(3 * 3'600'000) == "3h");
  CHECK(human_age(5LL * 86'400'000) == "5d");
}

TEST_CASE("rfc3339: prints UTC with milliseconds, also before 1970", "[base]") {
  CHECK(rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(1'769'842'800'007) == "2026-01-31T07:00:00.007Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace streamrun
