#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"
#include "readme_state_example.h"

namespace streamrun::test {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("README: its example of keyed state is the one that is compiled", "[operators]") {
  constexpr std::string_view kMark = "// [README]\n";
  const std::string example = text_of(STREAMRUN_README_EXAMPLE);
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

}  // namespace
}  // namespace streamrun::test
