#include <streamrun/config/options.h>
#include <streamrun/config/values.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

template <typename T>
void check_refused(const Result<T>& result, const std::string& text) {
  INFO(text);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::config);
  CHECK(result.error().why.find("accepted: ") == 0);
}

TEST_CASE("duration: every unit of Flink is read, in any case and with any blanks", "[config]") {
  struct Row {
    std::string text;
    std::chrono::nanoseconds value;
  };
  const std::vector<Row> rows = {
      {"10", 10ms},
      {"0", 0ms},
      {"010", 10ms},
      {"  7 ms ", 7ms},
      {"1d", 24h},
      {"2 day", 48h},
      {"2 DAYS", 48h},
      {"3h", 3h},
      {"3 hour", 3h},
      {"3hours", 3h},
      {"5 min", 5min},
      {"5m", 5min},
      {"5 M", 5min},
      {"5 minute", 5min},
      {"5   minutes", 5min},
      {"6s", 6s},
      {"6 Sec", 6s},
      {"6secs", 6s},
      {"6 second", 6s},
      {"6 SECONDS", 6s},
      {"8ms", 8ms},
      {"8 milli", 8ms},
      {"8 millis", 8ms},
      {"8 millisecond", 8ms},
      {"8 milliseconds", 8ms},
      {"9\xC2\xB5s", 9us},
      {"9 micro", 9us},
      {"9 micros", 9us},
      {"9 microsecond", 9us},
      {"9 microseconds", 9us},
      {"4ns", 4ns},
      {"4 nano", 4ns},
      {"4 nanos", 4ns},
      {"4 nanosecond", 4ns},
      {"4 nanoseconds", 4ns},
      {"9223372036854775807 ns", std::chrono::nanoseconds::max()},
      {"PT10S", 10s},
      {"pt1h30m", 90min},
      {"P1D", 24h},
      {"P1DT1S", 24h + 1s},
      {"PT0.25S", 250ms},
      {"PT0,000000001S", 1ns},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto parsed = parse_duration(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.value);
  }
}

TEST_CASE("duration: what Flink refuses and what overflows is refused", "[config]") {
  for (const std::string text : {"",
                                 " ",
                                 "s",
                                 "5 mins",
                                 "1 hr",
                                 "1 w",
                                 "1.5s",
                                 "1.5 h",
                                 "-1 s",
                                 "-1",
                                 "+1 s",
                                 "5 parsecs",
                                 "1 s s",
                                 "1 s 5 ms",
                                 "99999999999 d",
                                 "9223372036854775808 ns",
                                 "9223372036854775807",
                                 "18446744073709551616",
                                 "P",
                                 "PT",
                                 "P1DT",
                                 "PT-1S",
                                 "-PT1S",
                                 "PT1S1H",
                                 "PT1D",
                                 "P1H",
                                 "PT1",
                                 "PT1.5H",
                                 "PT1.0000000001S",
                                 "P99999999999D",
                                 "PT1S ago",
                                 "1 m\xC3\xA4rz"}) {
    check_refused(parse_duration(text), text);
  }
}

TEST_CASE("memory size: units are powers of 1024 and a plain number is bytes", "[config]") {
  struct Row {
    std::string text;
    std::uint64_t bytes;
  };
  const std::vector<Row> rows = {
      {"0", 0},
      {"17", 17},
      {"17 b", 17},
      {"17bytes", 17},
      {"20k", 20480},
      {"20 kb", 20480},
      {"20 KB", 20480},
      {"1 kibibytes", 1024},
      {"3m", 3ULL << 20U},
      {"3 mb", 3ULL << 20U},
      {"3 mebibytes", 3ULL << 20U},
      {"4 g", 4ULL << 30U},
      {"4gb", 4ULL << 30U},
      {"4 gibibytes", 4ULL << 30U},
      {"5 t", 5ULL << 40U},
      {"5 tb", 5ULL << 40U},
      {"5 tebibytes", 5ULL << 40U},
      {"9223372036854775807", 9223372036854775807ULL},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto parsed = parse_memory_size(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.bytes);
  }
  for (const std::string text : {"", "mb", "1 gib", "1 kib", "1.5 mb", "-1", "1 pb", "8388608 tb",
                                 "9223372036854775808", "99999999999999999999", "1 m b"}) {
    check_refused(parse_memory_size(text), text);
  }
}

TEST_CASE("boolean: only true and false, in any case", "[config]") {
  CHECK(*parse_bool("true"));
  CHECK(*parse_bool(" TRUE "));
  CHECK_FALSE(*parse_bool("False"));
  for (const std::string text : {"", "yes", "no", "1", "0", "on", "off", "t"})
    check_refused(parse_bool(text), text);
}

TEST_CASE("integer: out of range is an error", "[config]") {
  CHECK(*parse_int("2147483647") == 2147483647);
  CHECK(*parse_int("-2147483648") == -2147483647 - 1);
  CHECK(*parse_int("+5") == 5);
  CHECK(*parse_int("007") == 7);
  CHECK(*parse_long("9223372036854775807") == 9223372036854775807LL);
  for (const std::string text :
       {"", "2147483648", "1.0", "1e3", "0x10", "+-5", "+", "1 000", "five"}) {
    check_refused(parse_int(text), text);
  }
  check_refused(parse_long("9223372036854775808"), "9223372036854775808");
}

TEST_CASE("number: finite decimals only", "[config]") {
  CHECK(*parse_double("1.5") == 1.5);
  CHECK(*parse_double("1e3") == 1000.0);
  CHECK(*parse_double("-0.25") == -0.25);
  CHECK(*parse_double("2") == 2.0);
  for (const std::string text : {"", "nan", "inf", "-Infinity", "1,5", "1e999", "0.1x"}) {
    check_refused(parse_double(text), text);
  }
}

TEST_CASE("enum: case does not matter, everything else does", "[config]") {
  CHECK(*parse_choice<CheckpointingMode>("exactly_once") == CheckpointingMode::exactly_once);
  CHECK(*parse_choice<CheckpointingMode>(" At_Least_Once ") == CheckpointingMode::at_least_once);
  for (const std::string text : {"EXACTLY-ONCE", "exactlyonce", "", "EXACTLY_ONCE2"}) {
    check_refused(parse_choice<CheckpointingMode>(text), text);
  }
  CHECK(parse_choice<CheckpointingMode>("x").error().why.find("EXACTLY_ONCE, AT_LEAST_ONCE") !=
        std::string::npos);
}

TEST_CASE("restart strategy: each of Flink's spellings is read", "[config]") {
  CHECK(*parse_choice<RestartStrategyType>("OFF") == RestartStrategyType::none);
  CHECK(*parse_choice<RestartStrategyType>("disable") == RestartStrategyType::none);
  CHECK(*parse_choice<RestartStrategyType>("fixeddelay") == RestartStrategyType::fixed_delay);
  CHECK(*parse_choice<RestartStrategyType>("Failure-Rate") == RestartStrategyType::failure_rate);
  CHECK(*parse_choice<RestartStrategyType>("exponentialdelay") ==
        RestartStrategyType::exponential_delay);
  check_refused(parse_choice<RestartStrategyType>("foo"), "foo");
  check_refused(parse_choice<RestartStrategyType>("fixed_delay"), "fixed_delay");
}

TEST_CASE("list: YAML in brackets, else parts between semicolons with quotes", "[config]") {
  using List = std::vector<std::string>;
  CHECK(*parse_list("[a, 'b c', \"d;e\"]") == List{"a", "b c", "d;e"});
  CHECK(*parse_list("[]") == List{});
  CHECK(*parse_list("a;b;c") == List{"a", "b", "c"});
  CHECK(*parse_list(" a ; b ") == List{"a", "b"});
  CHECK(*parse_list("'a;b';\"c\"\"d\";'e''f'") == List{"a;b", "c\"d", "e'f"});
  CHECK(*parse_list("") == List{});
  CHECK(*parse_list("it's;ok") == List{"it's", "ok"});
  for (const std::string text : {"[a, b", "'a", "'a'b;c", "[a] [b]", "[a]: b"})
    check_refused(parse_list(text), text);
}

TEST_CASE("map: YAML in braces, else pairs between commas", "[config]") {
  using Map = std::map<std::string, std::string>;
  CHECK(*parse_map("{a: 1, b: 'x y'}") == Map{{"a", "1"}, {"b", "x y"}});
  CHECK(*parse_map("a:1,b:2") == Map{{"a", "1"}, {"b", "2"}});
  CHECK(*parse_map("") == Map{});
  for (const std::string text : {"a", "a:b:c", "a:1,a:2", "{a: 1, a: 2}", "{a: 1"})
    check_refused(parse_map(text), text);
}

TEST_CASE("port: 1 to 65535, and for ranges 0 alone", "[config]") {
  using Ranges = std::vector<PortRange>;
  CHECK(*parse_port("65535") == 65535);
  for (const std::string text : {"0", "-1", "65536", "70000", "http", ""})
    check_refused(parse_port(text), text);
  CHECK(*parse_port_ranges("8081") == Ranges{{8081, 8081}});
  CHECK(*parse_port_ranges("8081-8099, 9000") == Ranges{{8081, 8099}, {9000, 9000}});
  CHECK(*parse_port_ranges("0") == Ranges{{0, 0}});
  for (const std::string text :
       {"", "70000", "0-10", "9-8", "8081,", "8081-", "8081-8090-8099", "1,0"}) {
    check_refused(parse_port_ranges(text), text);
  }
}

TEST_CASE("value errors: a long or odd value is cut and stays UTF-8", "[config]") {
  const auto error =
      parse_int(std::string(63, 'x') + "\xC3\xA4" + std::string(100000, 'y')).error();
  CHECK(error.message == "'" + std::string(63, 'x') + "…' is not an integer");
  CHECK(parse_int("a\nb\x01").error().message == "'a?b?' is not an integer");
}

TEST_CASE("format_duration: the largest unit that loses nothing, and parse_duration reads it back",
          "[config]") {
  CHECK(format_duration(0ns) == "0 ms");
  CHECK(format_duration(1s) == "1 s");
  CHECK(format_duration(60s) == "60 s");
  CHECK(format_duration(90s) == "90 s");
  CHECK(format_duration(10min) == "10 min");
  CHECK(format_duration(1h) == "60 min");
  CHECK(format_duration(24h) == "24 h");
  CHECK(format_duration(48h) == "2 d");
  CHECK(format_duration(1500ms) == "1500 ms");
  CHECK(format_duration(7us) == "7 µs");
  CHECK(format_duration(1000001ns) == "1000001 ns");
  for (const auto duration :
       std::vector<std::chrono::nanoseconds>{0ns, 1ns, 999us, 1s, 61s, 36h, 30 * 24h}) {
    CHECK(*parse_duration(format_duration(duration)) == duration);
  }
}

TEST_CASE(
    "format_memory_size: the largest power that loses nothing, and parse_memory_size reads it back",
    "[config]") {
  CHECK(format_memory_size(0) == "0 bytes");
  CHECK(format_memory_size(1000) == "1000 bytes");
  CHECK(format_memory_size(20480) == "20 kb");
  CHECK(format_memory_size(1ULL << 50U) == "1024 tb");
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1536ULL, 64ULL << 20U, 1ULL << 50U}) {
    CHECK(*parse_memory_size(format_memory_size(bytes)) == bytes);
  }
}

}  // namespace
}  // namespace streamrun
