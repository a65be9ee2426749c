#include "snapshot_operand.h"

#include <streamrun/checkpoint/resolve_snapshot.h>

#include "load.h"
#include "usage_error.h"

namespace streamrun {

FoundSnapshot find_snapshot(const std::string& where, const FileSystems& stores) {
  if (where.empty()) {
    usage_error("which snapshot? give its folder, its _metadata, or a job's folder",
                {"streamrun list-checkpoints"});
  }
  const auto [path, files] = value_or_throw(stores.place(where, working_directory()));
  return {.files = files, .snapshot = value_or_throw(resolve_snapshot(*files, path))};
}

const char* name_of(SnapshotKind kind) {
  return kind == SnapshotKind::checkpoint ? "checkpoint" : "savepoint";
}

}  // namespace streamrun
