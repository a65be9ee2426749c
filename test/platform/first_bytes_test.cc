#include <streamrun/platform/first_bytes.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("first bytes: short, on one line, and printable", "[platform]") {
  CHECK(first_bytes("") == "an empty body");
  CHECK(first_bytes("<html>\n\tno") == "<html>  no");
  CHECK(first_bytes(std::string("\x1b[31m\0\xff", 7)) == "?[31m??");
  CHECK(first_bytes(std::string(1000, 'x')) == std::string(200, 'x'));
}

}  // namespace
}  // namespace streamrun
