#pragma once

#include <streamrun/checkpoint/checkpoint_statistics.h>

#include <string>

#include <nlohmann/json.hpp>

namespace streamrun {

/// One snapshot's statistics as `_metadata` holds them and `inspect --json` prints them.
nlohmann::ordered_json statistics_as_json(const CheckpointStatistics& statistics);

}  // namespace streamrun
