#pragma once

#include <streamrun/config/option_table.h>

#include <vector>

namespace streamrun {

/// Flink's options that streamrun accepts, with their types checked, but does not act on yet.
std::vector<OptionInfo> accepted_options();

}  // namespace streamrun
