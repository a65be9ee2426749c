#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"

// A job that comes back with other states than it left with.

namespace streamrun {
namespace {

constexpr std::int64_t kKeysOfJob = 60;

/// From each backend to each; whatever way, what is there in the end is the same.
template <typename Before, typename After>
ConformanceCase change(std::string name,
                       std::function<void(KeyedOperator<std::int64_t, Before>&)> fill,
                       std::function<void(KeyedOperator<std::int64_t, After>&)> check) {
  return {"changed job: " + name, [fill = std::move(fill), check = std::move(check)] {
            BackendWorld world(std::uint64_t{16} << 20U);
            std::optional<Lines> first;
            for (const Where from : {Where::hashmap, Where::rocksdb}) {
              KeyedOperator<std::int64_t, Before> before(world, from, {});
              fill(before);
              const SubtaskHandles handles = before.snapshot();
              for (const Where to : {Where::hashmap, Where::rocksdb_forgetful}) {
                INFO("from " << name_of(from) << " to " << name_of(to));
                KeyedOperator<std::int64_t, After> after(world, to, {.parallelism = 2}, handles);
                check(after);
                after.restart(1);  // what was changed is the job's own now
                check(after);
                const Lines rows = dump(after.snapshot(), world.files);
                if (!first) first = rows;
                CHECK(rows == *first);
              }
            }
          }};
}

/// From each backend to each: E-JOB-MISMATCH.
template <Key OldKey, typename Before, Key NewKey, typename After>
ConformanceCase refused(std::string name, OldKey key, std::function<void(Before&)> fill) {
  return {"changed job: " + name, [key, fill = std::move(fill)] {
            BackendWorld world(std::uint64_t{16} << 20U);
            for (const Where from : {Where::hashmap, Where::rocksdb}) {
              KeyedOperator<OldKey, Before> before(world, from, {});
              fill(before.at(key));
              const SubtaskHandles handles = before.snapshot();
              for (StateBackend* const to : {static_cast<StateBackend*>(nullptr),
                                             static_cast<StateBackend*>(world.rocksdb.get())}) {
                KeyedTable<NewKey> table(8, {0, 7});
                After states;
                bind_states(states, table, TypeSerializer<NewKey>::type_name());
                const auto backend = world.make(to, table);
                const Result<void> restored = backend->restore(handles, &world.files);
                REQUIRE_FALSE(restored);
                CHECK(restored.error().code == ErrorCode::job_mismatch);
              }
            }
          }};
}

struct One {
  ValueState<std::string> one{"one"};
};
struct Two {
  ListState<std::int32_t> two{"two"};
  ValueState<std::string> one{"one"};
};
struct OneOfNumbers {
  ValueState<std::int64_t> one{"one"};
};
struct OneAsList {
  ListState<std::string> one{"one"};
};
struct OneAsReducing {
  ReducingState<std::string, std::plus<>> one{"one"};
};
struct Renamed {
  ValueState<std::string> other{"other"};
};
struct ThreeInOrder {
  ValueState<std::string> a{"a"};
  ListState<std::int32_t> b{"b"};
  MapState<std::string, bool> c{"c"};
};
struct ThreeInAnother {
  MapState<std::string, bool> c{"c"};
  ValueState<std::string> a{"a"};
  ListState<std::int32_t> b{"b"};
};

/// What a job kept of a visit in its first version, and what it keeps in later ones.
struct Visit {
  std::int64_t count = 0;
  std::string page;
  static auto fields() {
    return named_fields(field("count", &Visit::count), field("page", &Visit::page));
  }
};
struct VisitWithMore {
  std::optional<double> score;
  std::int64_t count = 0;
  std::vector<std::string> tags;
  std::string page;
  static auto fields() {
    return named_fields(
        field("score", &VisitWithMore::score, 0.5), field("count", &VisitWithMore::count),
        field("tags", &VisitWithMore::tags, {"new"}), field("page", &VisitWithMore::page));
  }
};
struct VisitWithLess {
  std::int64_t count = 0;
  static auto fields() { return named_fields(field("count", &VisitWithLess::count)); }
};
struct VisitTurnedRound {
  std::string page;
  std::int64_t count = 0;
  static auto fields() {
    return named_fields(field("page", &VisitTurnedRound::page),
                        field("count", &VisitTurnedRound::count));
  }
};
struct VisitWithoutDefault {
  std::int64_t count = 0;
  std::string page;
  bool fresh = false;
  static auto fields() {
    return named_fields(field("count", &VisitWithoutDefault::count),
                        field("page", &VisitWithoutDefault::page),
                        field("fresh", &VisitWithoutDefault::fresh));
  }
};
struct VisitOfOtherTypes {
  std::int32_t count = 0;
  std::string page;
  static auto fields() {
    return named_fields(field("count", &VisitOfOtherTypes::count),
                        field("page", &VisitOfOtherTypes::page));
  }
};
struct WithoutNames {
  std::int64_t count = 0;
  std::string page;
};
struct WithoutNamesAndMore {
  std::int64_t count = 0;
  std::string page;
  bool fresh = false;
};

template <typename V>
V later_visit(V, V next) {
  return next;
}

/// Visits in the states of every kind, at the top and within other types.
template <typename V>
struct VisitsIn {
  ValueState<V> value{"value"};
  ListState<V> list{"list"};
  MapState<std::string, V> map{"map"};
  ReducingState<V> reducing{"reducing", later_visit<V>};
  ValueState<std::map<std::string, std::optional<std::pair<V, bool>>>> deep{"deep"};
};
using VisitsOperator = KeyedOperator<std::int64_t, VisitsIn<Visit>>;

void fill_visits(VisitsOperator& op) {
  for (std::int64_t key = 0; key < kKeysOfJob; ++key) {
    const Visit visit{.count = key, .page = std::string(static_cast<std::size_t>(key), 'p')};
    VisitsIn<Visit>& states = op.at(key);
    states.value.update(visit);
    if (key % 2 == 0) states.list.add_all({visit, visit});
    if (key % 3 == 0) states.map.put("visit", visit);
    if (key % 5 == 0) states.reducing.add(visit);
    if (key % 7 == 0) states.deep.update({{"none", {}}, {"one", {{visit, true}}}});
  }
}
/// Calls `check_visit` with each visit and its key.
template <typename V, typename F>
void for_each_visit(KeyedOperator<std::int64_t, VisitsIn<V>>& op, F&& check_visit) {
  for (std::int64_t key = 0; key < kKeysOfJob; ++key) {
    INFO("key " << key);
    VisitsIn<V>& states = op.at(key);
    REQUIRE(states.value.get() != nullptr);
    check_visit(*states.value.get(), key);
    std::int64_t elements = 0;
    for (const V& element : states.list.get()) {
      check_visit(element, key);
      ++elements;
    }
    CHECK(elements == (key % 2 == 0 ? 2 : 0));
    REQUIRE(states.map.contains("visit") == (key % 3 == 0));
    if (key % 3 == 0) check_visit(*states.map.get("visit"), key);
    REQUIRE((states.reducing.get() != nullptr) == (key % 5 == 0));
    if (key % 5 == 0) check_visit(*states.reducing.get(), key);
    REQUIRE((states.deep.get() != nullptr) == (key % 7 == 0));
    if (key % 7 == 0) check_visit(states.deep.get()->at("one")->first, key);
  }
}

template <typename V>
struct VisitOnly {
  ValueState<V> visit{"visit"};
};
template <typename Old, typename New>
ConformanceCase refused_visit(std::string name) {
  return refused<std::int64_t, VisitOnly<Old>, std::int64_t, VisitOnly<New>>(
      std::move(name), 1, [](VisitOnly<Old>& states) { states.visit.update({}); });
}
template <typename After, typename NewKey = std::int64_t>
ConformanceCase refused_one(std::string name) {
  return refused<std::int64_t, One, NewKey, After>(std::move(name), 1,
                                                   [](One& states) { states.one.update("x"); });
}

}  // namespace

ConformanceCases state_change_cases() {
  return {
      change<One, Two>(
          "a state may be added",
          [](auto& op) {
            for (std::int64_t key = 0; key < kKeysOfJob; ++key)
              op.at(key).one.update(std::to_string(key));
          },
          [](auto& op) {
            for (std::int64_t key = 0; key < kKeysOfJob; ++key) {
              CHECK(op.at(key).one.value_or("none") == std::to_string(key));
              CHECK(op.at(key).two.get().empty());
            }
            op.at(3).two.add(3);
            CHECK_FALSE(op.at(3).two.get().empty());
            op.at(3).two.clear();
          }),
      change<ThreeInOrder, ThreeInAnother>(
          "states are known by their names, not by their order",
          [](auto& op) {
            for (std::int64_t key = 0; key < kKeysOfJob; ++key) {
              if (key % 2 == 0) op.at(key).a.update(std::to_string(key));
              if (key % 3 == 0) op.at(key).b.add(static_cast<std::int32_t>(key));
              if (key % 5 == 0) op.at(key).c.put("x", true);
            }
          },
          [](auto& op) {
            for (std::int64_t key = 0; key < kKeysOfJob; ++key) {
              CHECK((op.at(key).a.get() != nullptr) == (key % 2 == 0));
              CHECK(op.at(key).b.get().empty() == (key % 3 != 0));
              CHECK(op.at(key).c.contains("x") == (key % 5 == 0));
              if (key % 3 == 0) CHECK(*op.at(key).b.get().begin() == key);
            }
          }),
      change<VisitsIn<Visit>, VisitsIn<VisitWithMore>>(
          "a struct may get fields, which have their defaults", fill_visits,
          [](auto& op) {
            for_each_visit(op, [](const VisitWithMore& visit, std::int64_t key) {
              CHECK(visit.count == key);
              CHECK(visit.page.size() == static_cast<std::size_t>(key));
              CHECK(visit.score == 0.5);
              CHECK(visit.tags == std::vector<std::string>{"new"});
            });
          }),
      change<VisitsIn<Visit>, VisitsIn<VisitWithLess>>(
          "a struct may lose fields", fill_visits,
          [](auto& op) {
            for_each_visit(op, [](const VisitWithLess& visit, std::int64_t key) {
              CHECK(visit.count == key);
            });
          }),
      change<VisitsIn<Visit>, VisitsIn<VisitTurnedRound>>(
          "the fields of a struct may change their order", fill_visits,
          [](auto& op) {
            for_each_visit(op, [](const VisitTurnedRound& visit, std::int64_t key) {
              CHECK(visit.count == key);
              CHECK(visit.page.size() == static_cast<std::size_t>(key));
            });
          }),
      refused<std::int64_t, Two, std::int64_t, One>("a state that it no longer has is refused", 1,
                                                    [](Two& states) { states.two.add(1); }),
      refused_one<Renamed>("a state of another name is refused"),
      refused_one<OneOfNumbers>("values of another type are refused"),
      refused_one<OneAsList>("a state of another kind is refused"),
      refused_one<OneAsReducing>("a state of another kind with the same values is refused"),
      refused_one<One, std::int32_t>("keys of another type are refused"),
      refused_one<One, std::string>("keys that are texts for numbers are refused"),
      refused_visit<Visit, VisitWithoutDefault>("a new field without a default is refused"),
      refused_visit<Visit, VisitOfOtherTypes>("a field of another type is refused"),
      refused_visit<WithoutNames, WithoutNamesAndMore>("a change without names is refused"),
      refused_visit<WithoutNames, Visit>("names for what had none are refused"),
  };
}

}  // namespace streamrun
