#pragma once

#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/storage/file_systems.h>

#include <string>

namespace streamrun {

/// A snapshot that a person named, and the store it is in.
struct FoundSnapshot {
  FileSystem* files = nullptr;
  ResolvedSnapshot snapshot;
};

/// The snapshot that `where` means, as `run -s` takes it; relative paths count from the working
/// directory. Throws.
FoundSnapshot find_snapshot(const std::string& where, const FileSystems& stores);

/// `checkpoint` or `savepoint`.
const char* name_of(SnapshotKind kind);

}  // namespace streamrun
