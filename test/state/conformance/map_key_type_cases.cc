#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"
#include "typed_values.h"

namespace streamrun {
namespace {

template <typename UK>
struct MapOf {
  MapState<UK, std::int32_t> map{"map"};
};

template <typename UK>
std::vector<UK> keys_in(const MapState<UK, std::int32_t>& map) {
  std::vector<UK> keys;
  for (const UK& key : map.keys()) keys.push_back(key);
  return keys;
}

template <typename UK>
void check_entries(KeyedOperator<std::int64_t, MapOf<UK>>& op, const std::vector<UK>& keys) {
  CHECK(same(keys_in(op.at(1).map), keys));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    INFO("entry " << i);
    const std::int32_t* const value = op.at(1).map.get(keys[i]);
    REQUIRE(value != nullptr);
    CHECK(*value == static_cast<std::int32_t>(i));
  }
}

/// `keys` in the order in which the state gives them.
template <typename UK>
void entries_are_apart(const std::vector<UK>& keys) {
  using Operator = KeyedOperator<std::int64_t, MapOf<UK>>;
  conforms<std::int64_t, MapOf<UK>>({}, [&](Operator& op) {
    for (std::size_t left = keys.size(); left > 0; --left) {
      CHECK_FALSE(op.at(1).map.contains(keys[left - 1]));
      op.at(1).map.put(keys[left - 1], -1);
      op.at(1).map.put(keys[left - 1], static_cast<std::int32_t>(left - 1));
    }
    check_entries(op, keys);
    op.restart();
    check_entries(op, keys);
    for (std::size_t left = keys.size(); left > 0; --left) {
      op.at(1).map.remove(keys[left - 1]);
      CHECK_FALSE(op.at(1).map.contains(keys[left - 1]));
      CHECK(keys_in(op.at(1).map).size() == left - 1);
    }
    CHECK(op.at(1).map.empty());
    for (const UK& key : keys) op.at(2).map.put(key, 0);
  });
}

template <typename UK>
void add_entries_under(ConformanceCases& cases, const std::string& type,
                       const std::vector<UK>& keys) {
  cases.push_back(
      {"entries under " + type + ": each is one of its own", [keys] { entries_are_apart(keys); }});
}

}  // namespace

ConformanceCases map_key_type_cases() {
  using Text = std::string;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ConformanceCases cases;
  add_entries_under<bool>(cases, "bool", {false, true});
  add_entries_under<std::int8_t>(cases, "int8", {-128, -1, 0, 1, 127});
  add_entries_under<std::int64_t>(cases, "int64",
                                  {std::numeric_limits<std::int64_t>::min(), -1, 0, 1});
  add_entries_under<std::uint64_t>(cases, "uint64", {0, 1, 0x7fffffffffffffff, 0xffffffffffffffff});
  add_entries_under<SignedEnum>(cases, "an enum",
                                {SignedEnum::least, SignedEnum::nought, SignedEnum::most});
  add_entries_under<Text>(cases, "string", {"", Text("\0", 1), "a", "aa", "b", Text(300, 'x')});
  // Java's order, and its equality.
  add_entries_under<double>(cases, "float64", {-kInfinity, -1.5, -0.0, 0.0, 1.5, kInfinity, NAN});
  add_entries_under<float>(cases, "float32", {-1.5F, -0.0F, 0.0F, 1.5F, NAN});
  add_entries_under<std::pair<Text, std::int32_t>>(cases, "(string,int32)",
                                                   {{"", -1}, {"", 1}, {"a", -2}});
  add_entries_under<std::pair<double, double>>(
      cases, "(float64,float64)",
      {{-0.0, 1.0}, {-0.0, NAN}, {0.0, -1.0}, {1.0, -0.0}, {1.0, 0.0}, {NAN, 2.0}, {NAN, NAN}});
  add_entries_under<std::tuple<bool, std::int32_t, Text>>(
      cases, "(bool,int32,string)", {{false, 1, "b"}, {false, 2, "a"}, {true, -1, ""}});
  add_entries_under<std::optional<std::int32_t>>(cases, "optional<int32>", {{}, {-1}, {0}});
  add_entries_under<std::vector<std::int32_t>>(cases, "list<int32>", {{}, {-1}, {-1, 0}, {0}});
  return cases;
}

}  // namespace streamrun
