#pragma once

#include <streamrun/base/error.h>
#include <streamrun/config/configuration.h>

#include <string>
#include <vector>

namespace streamrun {

/// Everything in which values of several keys contradict each other, or a value lies outside its
/// bounds, where Flink goes on or fails later. Each E-CONF names the keys and where they were set.
/// Empty: nothing to say against it.
std::vector<Error> contradictions(const Configuration& configuration);

/// What is allowed, but hardly means what was meant: a sentence each, with the keys.
std::vector<std::string> doubts(const Configuration& configuration);

}  // namespace streamrun
