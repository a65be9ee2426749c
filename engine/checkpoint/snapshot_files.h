#pragma once

#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// Every file that the snapshot needs, each path once, in the order of the states. The pointers are
/// into `metadata`.
std::vector<const StateFile*> files_of(const CheckpointMetadata& metadata);

/// Whether the file lies in the snapshot's own folder and belongs to it alone.
bool is_exclusive(const StateFile& file);

/// Whether the file lies in `shared` beside the snapshot's folder, and others may need it too.
bool is_shared(const StateFile& file);

/// The names in `shared` that the snapshot needs.
std::set<std::string> shared_names_of(const CheckpointMetadata& metadata);

/// Bytes of all state: files (each once), what stands in the metadata itself, lists and
/// coordinators.
std::uint64_t full_bytes(const CheckpointMetadata& metadata);
std::uint64_t state_bytes(const OperatorSnapshot& snapshot);
/// Bytes of state that stand in the metadata itself.
std::uint64_t inline_bytes(const CheckpointMetadata& metadata);

}  // namespace streamrun
