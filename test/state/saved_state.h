#pragma once

#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/state_file.h>

#include <string>
#include <string_view>

namespace streamrun {

/// What a full snapshot of a table holds, inline.
inline KeyedStateHandle saved(KeyedTableBase& table) {
  KeyedStateHandle handle{.key_groups = table.key_groups(),
                          .entries = 0,
                          .states = table.descriptions(),
                          .pieces = {StateHandle()}};
  StateFileBuilder builder;
  TableSnapshot& snapshot = table.start_snapshot([&](SnapshotBlock block) {
    StateBytes scratch;
    block.encode(scratch);
    if (block.rows > 0) {
      const std::string_view payload(block.bytes.data() + kStateBlockHeader,
                                     block.bytes.size() - kStateBlockHeader);
      handle.pieces.front().inline_bytes += builder.block(block.key_group, block.rows, payload);
      handle.entries += block.rows;
    }
    return StateBytes();
  });
  while (!table.advance(snapshot, 1000)) {
  }
  table.end_snapshot(snapshot);
  handle.pieces.front().inline_bytes += builder.end();
  return handle;
}

/// Fills an empty table from it.
inline Result<void> restore_saved(KeyedTableBase& table, const KeyedStateHandle& handle) {
  return HashMapStateBackend(table).restore({handle}, nullptr);
}

}  // namespace streamrun
