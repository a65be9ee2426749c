#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>

#include "database.h"
#include "row_iterator.h"

namespace streamrun {

/// Reads the rows of one snapshot of a database, part by part, as the blocks that every backend
/// writes. Made on the owner's thread; then whoever calls `next` has it.
class SnapshotScan {
 public:
  /// Fixes what the database holds now. What of it has expired is left out.
  SnapshotScan(std::shared_ptr<Database> database, const KeyedTableBase& table);
  ~SnapshotScan();
  SnapshotScan(const SnapshotScan&) = delete;
  SnapshotScan& operator=(const SnapshotScan&) = delete;

  /// Blocks of a few hundred KiB together; none with `done`. Blocking.
  Result<std::vector<SnapshotBlock>> next();
  /// Whether all has been read.
  bool done() const { return done_; }

 private:
  struct State {
    ValueOperations operations;
    std::int64_t dead_since;
    std::string rewritten = {};
  };
  /// Appends the row that the iterator stands at; false if nothing of it is alive.
  bool append_row(StateBytes& bytes);

  const std::shared_ptr<Database> database_;
  const rocksdb::Snapshot* const snapshot_;
  std::vector<State> states_;
  std::vector<std::string_view> values_;  ///< between calls only its memory
  std::optional<RowIterator> rows_;       ///< none before the first call
  bool done_ = false;
};

}  // namespace streamrun
