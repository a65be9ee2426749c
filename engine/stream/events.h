#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/platform/clock.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/time/watermark.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace streamrun {

/// Where the state of one snapshot goes.
struct SnapshotTarget {
  FileSystem* file_system = nullptr;  ///< null: everything stays in memory
  std::string directory;              ///< of this snapshot, `…/chk-N`; it exists
  std::uint64_t inline_threshold =
      0;                    ///< bytes up to which a piece of state needs no file of its own
  bool compressed = false;  ///< keyed state
  /// `…/shared`, for files that later checkpoints may refer to. Empty: all files are its own, and
  /// it refers to no others.
  std::string shared_directory = {};
  /// With a shared folder: the newest checkpoint that this attempt had completed when this one
  /// began; 0: none. Files of earlier ones may be gone, so it builds on this one, or on a later one
  /// that completes meanwhile, or is full.
  CheckpointId base = 0;
  /// Refers to nothing that others wrote; later ones may refer to its files.
  bool is_full = false;
};

/// Cuts the stream of records in two: those before it belong to snapshot `id`. Between two batches
/// only.
struct CheckpointBarrier {
  CheckpointId id = 0;
  std::shared_ptr<const SnapshotTarget> target;
  Instant triggered = {};
  /// From then on it may overtake records: an unaligned checkpoint. None: it never does.
  std::optional<Instant> overtake_at = {};
};

/// No record follows on this channel; barriers still may. Event time has come to its end there:
/// Flink sends a watermark of 2^63 - 1 before it, which goes without saying here.
struct EndOfInput {};

using StreamEvent = std::variant<CheckpointBarrier, EndOfInput, WatermarkEvent>;

}  // namespace streamrun
