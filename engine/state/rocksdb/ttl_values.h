#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/compaction_filter.h>

namespace streamrun {

/// What of a serialized value with a time to live has not expired at `dead_since`
/// (`ValueOperations`). `rewritten` gets it where that is a part. A value that can't be read is
/// left alone.
Liveness live_part(const ValueOperations& operations, std::int64_t dead_since,
                   std::string_view value, std::string& rewritten);

/// Lets compactions drop what has expired. `clock` outlives the database.
std::shared_ptr<rocksdb::CompactionFilterFactory> make_ttl_filter(const ValueOperations& operations,
                                                                  const Clock& clock);

}  // namespace streamrun
