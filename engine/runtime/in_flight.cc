#include <streamrun/base/crash_point.h>
#include <streamrun/runtime/in_flight.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <utility>

namespace streamrun {

InFlightRecorder::InFlightRecorder(const OperatorContext& context,
                                   const std::vector<InputEdge>& edges,
                                   std::shared_ptr<const SnapshotTarget> target, Done done)
    : context_(context), edges_(edges), target_(std::move(target)), done_(std::move(done)) {}

InFlightRecorder::~InFlightRecorder() = default;

InFlightRecorder::OpenPiece& InFlightRecorder::piece_of(std::size_t edge) {
  const auto [found, is_new] = pieces_.try_emplace(edge);
  if (is_new) {
    found->second.builder = std::make_shared<StateFileBuilder>(target_->compressed);
    found->second.writer = std::make_shared<SnapshotFileWriter>(
        context_.environment.io, context_.post, target_->file_system, target_->directory,
        context_.environment.random.uuid(), target_->inline_threshold);
  }
  return found->second;
}

void InFlightRecorder::record(std::size_t edge, const AnyBatch& batch) {
  if (batch.empty()) return;
  SR_ASSERT(edges_[edge].codec != nullptr, "what stays aligned has nothing in flight");
  OpenPiece& piece = piece_of(edge);
  payload_.clear();
  ByteWriter out(payload_);
  edges_[edge].codec->write(out, batch);
  StateBytes block = piece.writer->take_spare();
  std::copy(payload_.begin(), payload_.end(),
            block.extend(kStateBlockHeader + payload_.size()) + kStateBlockHeader);
  // A block is one batch, so that it has one row.
  piece.writer->append(std::move(block),
                       [builder = piece.builder](StateBytes& bytes, StateBytes& scratch) {
                         builder->begin_block(bytes, scratch, 0, 1);
                         seal_state_block(bytes);
                       });
  piece.records += batch.size();
  SR_CRASH("cp.inflight.mid");
}

void InFlightRecorder::finish() {
  end_pieces(true);
}

void InFlightRecorder::abandon() {
  if (done_ == nullptr || std::exchange(is_abandoned_, true)) return;
  error_ = Error{.code = ErrorCode::cancelled, .message = "the snapshot was aborted"};
  end_pieces(false);
}

void InFlightRecorder::end_pieces(bool wanted) {
  std::vector<std::size_t> edges;
  for (const auto& [edge, piece] : pieces_) {
    if (!piece.is_done) edges.push_back(edge);
  }
  missing_ = edges.size();
  if (edges.empty()) return answer();
  for (const std::size_t edge : edges) {
    const OpenPiece& piece = pieces_.at(edge);
    // The task keeps it until it has answered, and a writer keeps what it was given.
    const auto done = [self = weak_from_this(), edge](Result<StateHandle> data) {
      if (const auto recorder = self.lock()) recorder->piece_done(edge, std::move(data));
    };
    if (!wanted) {
      piece.writer->abandon(done);
      continue;
    }
    piece.writer->append(StateBytes(), [builder = piece.builder](StateBytes& bytes, StateBytes&) {
      const std::string index = builder->end();
      std::copy(index.begin(), index.end(), bytes.extend(index.size()));
    });
    piece.writer->finish(done);
  }
}

void InFlightRecorder::piece_done(std::size_t edge, Result<StateHandle> data) {
  OpenPiece& piece = pieces_.at(edge);
  piece.is_done = true;
  if (!data) {
    if (!error_) error_ = std::move(data).error();
  } else {
    finished_.push_back({.position = edges_[edge].position,
                         .handle = {.upstream = edges_[edge].upstream,
                                    .mapper = edges_[edge].mapper,
                                    .type = edges_[edge].codec->type_name(),
                                    .records = piece.records,
                                    .data = *std::move(data)}});
  }
  if (--missing_ == 0) answer();
}

void InFlightRecorder::answer() {
  const Done done = std::exchange(done_, nullptr);
  done(error_ ? Result<void>(*error_) : Result<void>(), std::move(finished_));
}

Result<void> read_in_flight(const InFlightHandle& handle, const std::vector<InputEdge>& edges,
                            std::size_t edge, const OperatorContext& context,
                            std::deque<RestoredBatch>& batches) {
  // State files of checkpoints lie on one store; the JobMaster has made their paths absolute.
  FileSystem* const file_system = handle.data.file ? &context.file_systems : nullptr;
  const StateFileReader reader = SR_TRY(open_state(handle.data, file_system));
  // A subtask at another parallelism reads what was in flight to several old ones.
  const BatchCodec::Keeps is_own = [&](std::uint32_t hash) {
    return context.key_groups.contains(key_group_of_hash(hash, context.max_parallelism));
  };
  StateBytes buffer;
  for (const StateBlock& block : reader.blocks()) {
    const std::string_view payload = SR_TRY(reader.payload(block, buffer));
    std::unique_ptr<AnyBatch> batch = edges[edge].codec->read(payload, is_own);
    if (batch == nullptr) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "state file holds records in flight that can't be read",
                   .where = reader.name() + ", offset " + std::to_string(block.offset),
                   .retry = Retry::no};
    }
    if (!batch->empty()) batches.push_back({.edge = edge, .batch = std::move(batch)});
    SR_CRASH("rs.inflight.mid");
  }
  return {};
}

}  // namespace streamrun
