#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"
#include "typed_values.h"

namespace streamrun {
namespace {

/// Fixed in size, so that rows of a fixed key are copied, not serialised by their owner.
struct OfAKey {
  ValueState<std::int32_t> number{"number"};
};

template <typename K>
void check_keys(KeyedOperator<K, OfAKey>& op, const std::vector<K>& keys, bool odd_ones_only) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    INFO("key " << i);
    const auto number = static_cast<std::int32_t>(i);
    CHECK(op.at(keys[i]).number.value_or(-1) == (odd_ones_only && i % 2 == 0 ? -1 : number));
  }
}

/// `keys` are different ones.
template <typename K>
void add_keys_of(ConformanceCases& cases, const std::string& type, const std::vector<K>& keys) {
  using Operator = KeyedOperator<K, OfAKey>;
  const auto steps = [keys](Operator& op) {
    for (std::size_t i = 0; i < keys.size(); ++i)
      op.at(keys[i]).number.update(static_cast<std::int32_t>(i));
    check_keys(op, keys, false);
    op.restart(2);
    check_keys(op, keys, false);
    for (std::size_t i = 0; i < keys.size(); i += 2) op.at(keys[i]).number.clear();
    check_keys(op, keys, true);
  };
  cases.push_back({"keys of " + type + ": each has its own state",
                   [steps] { conforms<K, OfAKey>({}, steps); }});
}

/// A NaN of other bits than the usual one.
double another_nan() {
  return -std::nan("42");
}

}  // namespace

ConformanceCases key_type_cases() {
  using Text = std::string;
  ConformanceCases cases;
  add_keys_of<bool>(cases, "bool", {true, false});
  add_keys_of(cases, "int8", edge_numbers<std::int8_t>());
  add_keys_of(cases, "int16", edge_numbers<std::int16_t>());
  add_keys_of(cases, "int32", edge_numbers<std::int32_t>());
  add_keys_of(cases, "int64", edge_numbers<std::int64_t>());
  add_keys_of<std::uint8_t>(cases, "uint8", {0, 1, 127, 128, 255});
  add_keys_of<std::uint16_t>(cases, "uint16", {0, 1, 255, 256, 65535});
  add_keys_of<std::uint32_t>(cases, "uint32", {0, 1, 65536, 0x7fffffff, 0x80000000, 0xffffffff});
  add_keys_of<std::uint64_t>(
      cases, "uint64",
      {0, 1, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff});
  add_keys_of(cases, "float32", edge_reals<float>());
  add_keys_of(cases, "float64", edge_reals<double>());
  add_keys_of(cases, "string", edge_texts());
  add_keys_of<std::pair<Text, std::int32_t>>(
      cases, "(string,int32)", {{"", 0}, {"", -1}, {"a", 0}, {"a", 1}, {Text(300, 'k'), 1}});
  add_keys_of<std::pair<double, bool>>(cases, "(float64,bool)",
                                       {{0.0, true}, {-0.0, true}, {0.0, false}, {NAN, true}});
  add_keys_of<std::pair<std::pair<std::int8_t, std::uint64_t>, Text>>(
      cases, "((int8,uint64),string)",
      {{{-1, 1}, ""}, {{-1, 2}, ""}, {{1, 1}, ""}, {{-1, 1}, "x"}});
  cases.push_back({"keys of float64: all that is not a number is one key", [] {
                     using Operator = KeyedOperator<double, OfAKey>;
                     conforms<double, OfAKey>({}, [](Operator& op) {
                       op.at(std::numeric_limits<double>::quiet_NaN()).number.update(1);
                       CHECK(op.at(another_nan()).number.value_or(-1) == 1);
                       op.at(another_nan()).number.update(2);
                       op.restart(2);
                       CHECK(op.at(std::numeric_limits<double>::quiet_NaN()).number.value_or(-1) ==
                             2);
                       CHECK(op.at(0.0).number.get() == nullptr);
                     });
                   }});
  return cases;
}

}  // namespace streamrun
