#include <streamrun/types/described_type.h>
#include <streamrun/types/type_serializer.h>

#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sample_types.h"

namespace streamrun {
namespace {

template <typename T>
std::string json_of(const T& value) {
  const std::string bytes = to_bytes(value);
  ByteReader in(bytes);
  std::string json;
  DescribedType::parse(TypeSerializer<T>::type_name()).value().read_as_json(in, json);
  CHECK(in.done());
  return json;
}

TEST_CASE("described type: values are read by the name that their serializer gives", "[types]") {
  CHECK(json_of(true) == "true");
  CHECK(json_of(std::int8_t{-7}) == "-7");
  CHECK(json_of(std::uint16_t{65535}) == "65535");
  CHECK(json_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(json_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(json_of(-0.5) == "-0.5");
  CHECK(json_of(1.5F) == "1.5");
  CHECK(json_of(std::numeric_limits<double>::quiet_NaN()) == "\"NaN\"");
  CHECK(json_of(-std::numeric_limits<double>::infinity()) == "\"-Infinity\"");
  CHECK(json_of(std::string("a \"b\"\n")) == R"("a \"b\"\n")");
  CHECK(json_of(std::string("\xff")) == "\"\xef\xbf\xbd\"");
  CHECK(json_of(Colour::blue) == "2");
  CHECK(json_of(Point{1, -2}) == "[1,-2]");
  CHECK(json_of(std::optional<Point>()) == "null");
  CHECK(json_of(std::map<std::int32_t, bool>{{1, true}, {2, false}}) == "[[1,true],[2,false]]");
  CHECK(json_of(std::vector<std::string>()) == "[]");
  CHECK(
      json_of(sample()) ==
      "[true,-7,65535,-1234567890123,-0.5,1.5,\"a\\u0000b" + std::string(40, 'z') +
          R"(",2,[1,-2],[[3,4],[5,6]],{"":[],"primes":[2,3,5]},["tail",[true,[7,8]],"AP8=",[[-1,[]],[7,[true,false]]]]])");
}

struct Visit {
  std::int64_t count = 3;
  std::string page = "home";
  static auto fields() {
    return named_fields(field("count", &Visit::count), field("page", &Visit::page, "none"));
  }
};

TEST_CASE("described type: fields that have names are shown with them", "[types]") {
  CHECK(json_of(Visit()) == R"({"count":3,"page":"home"})");
  const std::string bytes = to_bytes(std::pair(std::int64_t{1000}, std::string("x")));
  ByteReader in(bytes);
  std::string json;
  DescribedType::parse("ttl<string>").value().read_as_json(in, json);
  CHECK(json == R"({"last_access_ms":1000,"value":"x"})");
}

TEST_CASE("described type: names that no serializer gives are refused", "[types]") {
  for (const std::string name :
       {"", "int65", "list", "list<>", "list<int8", "map<int8>", "(int8", "struct", "int8,",
        "enum:", "optional<int8,int8>", "int8 ", "list<int8>>", "money@2", "record<int8>"}) {
    INFO(name);
    const auto parsed = DescribedType::parse(name);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::metadata_version);
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "list<";
  CHECK_FALSE(DescribedType::parse(deep));
}

TEST_CASE("described type: damaged bytes are told, not believed", "[types]") {
  const std::string bytes = to_bytes(sample());
  const DescribedType type = DescribedType::parse(TypeSerializer<Everything>::type_name()).value();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ByteReader in(std::string_view(bytes).substr(0, length));
    std::string json;
    type.read_as_json(in, json);
    CHECK(in.failed());
  }
}

}  // namespace
}  // namespace streamrun
