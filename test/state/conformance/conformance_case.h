#pragma once

#include <functional>
#include <string>
#include <vector>

namespace streamrun {

/// One thing that holds for keyed state, wherever it is kept: a row of a table, and a test of its
/// own for Catch2.
struct ConformanceCase {
  std::string name;
  std::function<void()> run;
};
using ConformanceCases = std::vector<ConformanceCase>;

// Each in the file of its name. They are made before `main`, so that none may refer to a variable
// of its file that is not constant.
ConformanceCases value_cases();
ConformanceCases list_cases();
ConformanceCases map_cases();
ConformanceCases folding_cases();  ///< Reducing and Aggregating
ConformanceCases several_states_cases();
ConformanceCases timer_cases();
ConformanceCases value_type_cases();
ConformanceCases key_type_cases();
ConformanceCases map_key_type_cases();
ConformanceCases ttl_cases();
ConformanceCases snapshot_cases();
ConformanceCases restore_cases();
ConformanceCases state_change_cases();
ConformanceCases random_cases();

}  // namespace streamrun
