// What keyed state means, on both backends: 366 cases, each of which takes the same steps on the
// hashmap backend and on the rocksdb backend (where every second access has to read its row from
// the database), compares what they show with what Flink says, what snapshots hold, and what either
// makes of what the other wrote. 64 of them are random (random_cases.cc).
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "conformance_case.h"

namespace streamrun {
namespace {

const ConformanceCases& all_cases() {
  static const ConformanceCases kAll = [] {
    ConformanceCases all;
    for (const auto table :
         {value_cases, list_cases, map_cases, folding_cases, several_states_cases, timer_cases,
          value_type_cases, key_type_cases, map_key_type_cases, ttl_cases, snapshot_cases,
          restore_cases, state_change_cases, random_cases}) {
      ConformanceCases some = table();
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  }();
  return kAll;
}

class RunCase final : public Catch::ITestInvoker {
 public:
  explicit RunCase(const ConformanceCase& it) : case_(it) {}
  void invoke() const override { case_.run(); }

 private:
  const ConformanceCase& case_;
};

/// As TEST_CASE does, so that each is counted, listed and run alone by its name.
bool register_all() {
  for (const ConformanceCase& each : all_cases()) {
    const Catch::AutoReg registered(new RunCase(each), CATCH_INTERNAL_LINEINFO, Catch::StringRef(),
                                    Catch::NameAndTags{each.name, "[state][conformance]"});
  }
  return true;
}
const bool kRegistered = register_all();

TEST_CASE("conformance: no case gets lost", "[state]") {
  CHECK(kRegistered);
  CHECK(all_cases().size() >= 366);
  CHECK(random_cases().size() >= 64);
  std::set<std::string> names;
  for (const ConformanceCase& each : all_cases()) names.insert(each.name);
  CHECK(names.size() == all_cases().size());
}

}  // namespace
}  // namespace streamrun
