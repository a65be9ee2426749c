#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"
#include "readme_state_example.h"
#include "readme_timers_example.h"

namespace streamrun::test {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("README: its examples of state and timers are those that are compiled", "[operators]") {
  constexpr std::string_view kMark = "// [README]\n";
  const std::string example =
      text_of(GENERATE(STREAMRUN_README_EXAMPLE, STREAMRUN_README_OPERATOR_STATE_EXAMPLE,
                       STREAMRUN_README_TIMERS_EXAMPLE));
  const std::size_t begin = example.find(kMark) + kMark.size();
  const std::size_t end = example.find(kMark, begin);
  REQUIRE(end != std::string::npos);
  const std::string readme = text_of(STREAMRUN_README);
  CHECK(readme.find("```cpp\n" + example.substr(begin, end - begin) + "```\n") !=
        std::string::npos);
}

TEST_CASE("README: its example of keyed state works, over any snapshot", "[operators]") {
  using Operator =
      KeyedProcessOperator<Click, std::string, std::string, std::string Click::*, Sessions>;
  const OperatorUnderTest<Click, std::string> tested{
      .make = [] { return std::make_unique<Operator>(&Click::user, Sessions()); },
      .key_hash = [](const Click& click) { return key_hash_of<std::string>(click.user); }};
  require_results<Click, std::string>(
      tested, {{"ann", "/", 5}, {"bob", "/b", 7}, {"ann", "/a", 6}, {"ann", "/", 1}},
      {"ann 5 ms: / /=1", "bob 7 ms: /b /b=1", "ann 11 ms: / /a /=1 /a=1",
       "ann 12 ms: / /a / /=2 /a=1"});
}

TEST_CASE("README: its example of timers works, over any snapshot", "[operators]") {
  using Operator =
      KeyedProcessOperator<Reading, std::string, std::string, std::string Reading::*, Silence>;
  const OperatorUnderTest<Reading, std::string> tested{
      .make = [] { return std::make_unique<Operator>(&Reading::sensor, Silence()); },
      .key_hash = [](const Reading& reading) { return key_hash_of<std::string>(reading.sensor); }};
  require_results<Reading, std::string>(
      tested, {{"roof", 1000}, {"cellar", 500}, {"roof", 900}, {"roof", 50'000}},
      {"cellar is silent at 60500", "roof is silent at 110000"});
}

}  // namespace
}  // namespace streamrun::test
