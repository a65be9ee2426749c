#include <cstdint>
#include <string>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;

void fill_all(EveryKind& states) {
  states.value.update("x");
  states.list.update({1, 2});
  states.map.put_all({{1, "one"}, {2, "two"}});
  states.reducing.add(5);
  states.aggregating.add(7);
}

const SeenKinds& filled() {
  static const SeenKinds kFilled = {
      .value = "x", .list = {1, 2}, .map = {{1, "one"}, {2, "two"}}, .reduced = 5, .mean = 7};
  return kFilled;
}

/// A clear of one of the states, with what is left in words of the snapshot.
KindsCase clear_of_one(const char* kind, void (*clear)(EveryKind&), void (*forget)(SeenKinds&),
                       const char* left) {
  return {std::string("several states: a clear of the ") + kind + " leaves the others",
          [clear, forget](Op& op) {
            fill_all(op.at("a"));
            clear(op.at("a"));
            SeenKinds expected = filled();
            forget(expected);
            CHECK(seen(op.at("a")) == expected);
            op.restart();
            CHECK(seen(op.at("a")) == expected);
          },
          Lines{std::string(R"("a" )") + left}};
}

}  // namespace

ConformanceCases several_states_cases() {
  return cases_of({
      clear_of_one(
          "value", [](EveryKind& states) { states.value.clear(); },
          [](SeenKinds& all) { all.value.reset(); },
          R"(list=[1,2] map=[[1,"one"],[2,"two"]] reducing=5 aggregating=[1,7])"),
      clear_of_one(
          "list", [](EveryKind& states) { states.list.clear(); },
          [](SeenKinds& all) { all.list.clear(); },
          R"(value="x" map=[[1,"one"],[2,"two"]] reducing=5 aggregating=[1,7])"),
      clear_of_one(
          "map", [](EveryKind& states) { states.map.clear(); },
          [](SeenKinds& all) { all.map.clear(); },
          R"(value="x" list=[1,2] reducing=5 aggregating=[1,7])"),
      clear_of_one(
          "reducing state", [](EveryKind& states) { states.reducing.clear(); },
          [](SeenKinds& all) { all.reduced.reset(); },
          R"(value="x" list=[1,2] map=[[1,"one"],[2,"two"]] aggregating=[1,7])"),
      clear_of_one(
          "aggregating state", [](EveryKind& states) { states.aggregating.clear(); },
          [](SeenKinds& all) { all.mean.reset(); },
          R"(value="x" list=[1,2] map=[[1,"one"],[2,"two"]] reducing=5)"),
      {"several states: a key may have all of them",
       [](Op& op) {
         fill_all(op.at("a"));
         CHECK(seen(op.at("a")) == filled());
         CHECK(seen(op.at("b")) == SeenKinds{});
       },
       Lines{R"("a" value="x" list=[1,2] map=[[1,"one"],[2,"two"]] reducing=5 aggregating=[1,7])"}},
      {"several states: each key may have another",
       [](Op& op) {
         op.at("a").value.update("x");
         op.at("b").list.add(1);
         op.at("c").map.put(1, "one");
         op.at("d").reducing.add(2);
         op.at("e").aggregating.add(3);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         CHECK(seen(op.at("b")) == SeenKinds{.list = {1}});
         CHECK(seen(op.at("c")) == SeenKinds{.map = {{1, "one"}}});
         CHECK(seen(op.at("d")) == SeenKinds{.reduced = 2});
         CHECK(seen(op.at("e")) == SeenKinds{.mean = 3});
       },
       Lines{R"("a" value="x")", R"("b" list=[1])", R"("c" map=[[1,"one"]])", R"("d" reducing=2)",
             R"("e" aggregating=[1,3])"}},
      {"several states: a key without any of them is gone",
       [](Op& op) {
         fill_all(op.at("a"));
         op.at("a").aggregating.clear();
         op.at("a").list.update(std::vector<std::int64_t>());
         op.at("a").map.remove(2);
         op.at("a").map.remove(1);
         op.at("a").reducing.clear();
         op.at("a").value.clear();
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{}},
      {"several states: a key that was gone may come back with another state",
       [](Op& op) {
         op.at("a").value.update("x");
         op.at("a").value.clear();
         op.restart();
         op.at("a").list.add(4);
         CHECK(seen(op.at("a")) == SeenKinds{.list = {4}});
       },
       Lines{R"("a" list=[4])"}},
  });
}

}  // namespace streamrun
