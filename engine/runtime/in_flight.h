#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/state/snapshot_file_writer.h>
#include <streamrun/state/state_file.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/stream/batch_codec.h>
#include <streamrun/stream/events.h>
#include <streamrun/stream/operator_context.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// An edge into an operator of a task, for the records in flight on it. Constant while it runs.
struct InputEdge {
  std::size_t position = 0;  ///< in the task's chain, of the operator that reads
  OperatorId upstream;
  SubtaskStateMapper mapper = SubtaskStateMapper::range;
  std::shared_ptr<const BatchCodec> codec;  ///< null: nothing on it is ever saved
};

/// Records of one edge that were saved in flight and are to be processed before any others.
struct RestoredBatch {
  std::size_t edge = 0;  ///< of the task
  std::unique_ptr<AnyBatch> batch;
};

/// Writes what a barrier overtook in one task to its snapshot: serialized as it comes, compressed
/// and sealed where it is written, a file (or
/// inline bytes) for each edge. Owner's thread; lives until it has answered.
class InFlightRecorder : public std::enable_shared_from_this<InFlightRecorder> {
 public:
  struct Piece {
    std::size_t position = 0;  ///< in the task's chain
    InFlightHandle handle;
  };
  /// What was written, also when it failed: it is to be removed then.
  using Done = std::function<void(Result<void>, std::vector<Piece>)>;

  /// `context` and `edges` outlive it. `done` is called once after `finish` or `abandon`, on the
  /// owner's thread, perhaps at once.
  InFlightRecorder(const OperatorContext& context, const std::vector<InputEdge>& edges,
                   std::shared_ptr<const SnapshotTarget> target, Done done);
  ~InFlightRecorder();

  void record(std::size_t edge, const AnyBatch& batch);
  /// Nothing follows: makes it durable.
  void finish();
  /// Nobody wants it any more: removes what is written, and answers with E-CANCELLED. Also behind
  /// `finish`; does nothing once it has answered.
  void abandon();

 private:
  struct OpenPiece {
    std::shared_ptr<StateFileBuilder> builder;
    std::shared_ptr<SnapshotFileWriter> writer;
    std::uint64_t records = 0;
    bool is_done = false;
  };
  OpenPiece& piece_of(std::size_t edge);
  void end_pieces(bool wanted);
  void piece_done(std::size_t edge, Result<StateHandle> data);
  void answer();

  const OperatorContext& context_;
  const std::vector<InputEdge>& edges_;
  std::shared_ptr<const SnapshotTarget> target_;
  std::map<std::size_t, OpenPiece> pieces_;  ///< by edge
  std::string payload_;
  std::size_t missing_ = 0;
  bool is_abandoned_ = false;
  std::vector<Piece> finished_;
  std::optional<Error> error_;
  Done done_;
};

/// Reads back what was saved on `edges[edge]`, in order, and appends what belongs to the subtask of
/// `context`. E-STATE-CORRUPT for damage. Blocking; on an I/O thread.
Result<void> read_in_flight(const InFlightHandle& handle, const std::vector<InputEdge>& edges,
                            std::size_t edge, const OperatorContext& context,
                            std::deque<RestoredBatch>& batches);

}  // namespace streamrun
