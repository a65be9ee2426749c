#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace streamrun {

/// `_metadata` as bytes: JSON that a person and `jq` can read, then one line that is a footer,
/// `{"length":…,"xxh3":"…"}`, over the exact bytes before it. The document starts with `magic` and
/// `format`, and holds one table of all files (`files`) which states refer to by path. No number in
/// it is above 2^53 - 1, the last one that `jq` keeps exact.

constexpr int kMetadataFormat = 1;
/// No `_metadata` is larger than this: neither written nor read.
constexpr std::uint64_t kMetadataLimitBytes = 512ULL << 20U;

/// Text that is not UTF-8 is written with U+FFFD for each bad byte. A file that several states
/// share must have the same facts in each.
std::string encode(const CheckpointMetadata& metadata);

/// The inverse of `encode`, safe for bytes from anywhere: E-META-CORRUPT (with the offset, or the
/// place in the document), E-META-VERSION, E-META-LIMIT. What it returns has passed
/// `check_structure`.
Result<CheckpointMetadata> decode(std::string_view bytes);

/// What must hold of any metadata apart from its bytes: ids unique, a state of every subtask, key
/// groups covered exactly once, paths that stay inside their folder or are absolute and normal.
/// E-META-CORRUPT with the place.
Result<void> check_structure(const CheckpointMetadata& metadata);

}  // namespace streamrun
