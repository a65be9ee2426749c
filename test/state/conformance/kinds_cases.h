#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"

namespace streamrun {

/// An operator with a state of every kind, and texts as keys.
using KindsOperator = KeyedOperator<std::string, EveryKind>;

/// Steps with what they have to show, and the rows that they leave.
struct KindsCase {
  std::string name;
  std::function<void(KindsOperator&)> steps;
  std::optional<Lines> rows = {};  ///< not written down: many, or of no interest
  OperatorSetting setting = {};
};

inline ConformanceCases cases_of(const std::vector<KindsCase>& table) {
  ConformanceCases cases;
  for (const KindsCase& each : table) {
    cases.push_back({each.name, [each] {
                       conforms<std::string, EveryKind>(each.setting, each.steps, each.rows);
                     }});
  }
  return cases;
}

}  // namespace streamrun
