#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"
#include "typed_values.h"

namespace streamrun {
namespace {

template <typename V>
V later_of(V, V next) {
  return next;
}

/// Values of one type in the states of every kind that takes any.
template <typename V>
struct StatesOf {
  explicit StatesOf(const StateTtlConfig& ttl)
      : value("value", ttl),
        list("list", ttl),
        map("map", ttl),
        reducing("reducing", later_of<V>, ttl) {}
  auto states() { return std::tie(value, list, map, reducing); }

  ValueState<V> value;
  ListState<V> list;
  MapState<std::int32_t, V> map;
  ReducingState<V> reducing;
};

template <typename V>
void check_values(KeyedOperator<std::int64_t, StatesOf<V>>& op, const std::vector<V>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    StatesOf<V>& states = op.at(static_cast<std::int64_t>(i));
    INFO("value " << i);
    REQUIRE(states.value.get() != nullptr);
    CHECK(same<V>(*states.value.get(), values[i]));
    REQUIRE(states.reducing.get() != nullptr);
    CHECK(same<V>(*states.reducing.get(), values[i]));
  }
  StatesOf<V>& states = op.at(-1);
  std::vector<V> list;
  for (const V& each : states.list.get()) list.push_back(each);
  CHECK(same(list, values));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const V* const entry = states.map.get(static_cast<std::int32_t>(i));
    REQUIRE(entry != nullptr);
    CHECK(same<V>(*entry, values[i]));
  }
}

template <typename V>
void values_come_back(const StateTtlConfig& ttl, const std::vector<V>& values) {
  using Operator = KeyedOperator<std::int64_t, StatesOf<V>>;
  conforms<std::int64_t, StatesOf<V>>({.ttl = ttl}, [&](Operator& op) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      StatesOf<V>& states = op.at(static_cast<std::int64_t>(i));
      states.value.update(values.front());
      states.value.update(values[i]);
      states.reducing.add(values.back());
      states.reducing.add(values[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      op.at(-1).list.add(values[i]);
      op.at(-1).map.put(static_cast<std::int32_t>(i), values[i]);
    }
    check_values(op, values);
    op.restart();
    check_values(op, values);
  });
}

/// Without a time to live and with one.
template <typename V>
void add_values_of(ConformanceCases& cases, const std::string& type, const std::vector<V>& values) {
  cases.push_back({"values of " + type + ": each comes back as it was",
                   [values] { values_come_back<V>({}, values); }});
  cases.push_back({"values of " + type + ": each comes back with its time to live",
                   [values] { values_come_back<V>({.ttl = std::chrono::hours(1)}, values); }});
}

std::vector<std::byte> some_bytes() {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

}  // namespace

ConformanceCases value_type_cases() {
  using Text = std::string;
  ConformanceCases cases;
  add_values_of<bool>(cases, "bool", {true, false});
  add_values_of(cases, "int8", edge_numbers<std::int8_t>());
  add_values_of(cases, "int16", edge_numbers<std::int16_t>());
  add_values_of(cases, "int32", edge_numbers<std::int32_t>());
  add_values_of(cases, "int64", edge_numbers<std::int64_t>());
  add_values_of(cases, "uint8", edge_numbers<std::uint8_t>());
  add_values_of(cases, "uint16", edge_numbers<std::uint16_t>());
  add_values_of(cases, "uint32", edge_numbers<std::uint32_t>());
  add_values_of(cases, "uint64", edge_numbers<std::uint64_t>());
  add_values_of(cases, "float32", edge_reals<float>());
  add_values_of(cases, "float64", edge_reals<double>());
  add_values_of(cases, "string", edge_texts());
  add_values_of<std::vector<std::byte>>(cases, "bytes", {{}, {std::byte{0}}, some_bytes()});
  add_values_of<SignedEnum>(cases, "a signed enum",
                            {SignedEnum::least, SignedEnum::nought, SignedEnum::most});
  add_values_of<WideEnum>(cases, "a wide enum", {WideEnum::first, WideEnum::last});
  add_values_of<std::optional<Text>>(cases, "optional<string>",
                                     {{}, {""}, {"x"}, Text(70000, 'z')});
  add_values_of<std::optional<std::optional<std::int32_t>>>(
      cases, "optional<optional<int32>>", {std::nullopt, std::optional<std::int32_t>(), {0}, {-1}});
  add_values_of<std::vector<std::int32_t>>(cases, "list<int32>",
                                           {{}, {0}, {-1, 1}, std::vector<std::int32_t>(300, 7)});
  add_values_of<std::vector<bool>>(cases, "list<bool>", {{}, {true}, {false, true, true}});
  add_values_of<std::vector<std::vector<Text>>>(cases, "list<list<string>>",
                                                {{}, {{}}, {{}, {""}, {"a", "b"}}});
  add_values_of<std::map<Text, std::int64_t>>(cases, "map<string,int64>",
                                              {{}, {{"", 0}}, {{"b", -1}, {"a", 1}}});
  add_values_of<std::unordered_map<Text, Text>>(
      cases, "an unordered map", {{}, {{"", ""}}, {{"b", "1"}, {"a", "2"}, {"c", "3"}}});
  add_values_of<std::pair<std::int8_t, Text>>(cases, "(int8,string)",
                                              {{0, ""}, {-128, "x"}, {127, "y"}});
  add_values_of<std::tuple<bool, double, Text>>(cases, "(bool,float64,string)",
                                                {{false, 0.0, ""}, {true, -0.0, Text(200, 't')}});
  add_values_of<Plain>(cases, "a struct", {{}, {.number = -1, .text = "x"}});
  add_values_of<Named>(cases, "a struct that names its fields",
                       {{}, {.count = 1, .texts = {"", "x"}}});
  add_values_of<Nested>(cases, "a struct of structs",
                        {{},
                         {.plain = {.number = 1, .text = "x"},
                          .named = {{"", {}}, {"n", {.count = 2, .texts = {"y"}}}},
                          .real = -0.0}});
  return cases;
}

}  // namespace streamrun
