#pragma once

#include <streamrun/base/crash_point.h>
#include <streamrun/stream/sink.h>
#include <streamrun/stream/stream_operator.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

inline constexpr const char* kCommittablesState = "committables";

/// The part of a two-phase sink that does not depend on the type of its records: which committables
/// belong to which snapshot, and that each is committed once its snapshot is complete. Invariants
/// E1, E2: a committable is in every snapshot from the one that prepared it to the one that learns
/// of its commit, and is committed after the first of these is complete.
template <typename T>
class SinkOperator final : public StreamOperator {
 public:
  explicit SinkOperator(std::unique_ptr<SinkWriter<T>> writer) : writer_(std::move(writer)) {}

  OperatorStateShape state_shape() override {
    return {.keyed = {}, .lists = {committables_state({})}};
  }
  void open(const OperatorContext& context, const OperatorSubtaskState& restored) override {
    context_ = &context;
    for (const OperatorListState& list : restored.lists) {
      if (list.name == kCommittablesState) restored_ = list.elements;
    }
    writer_->set_restored_committables(restored_);
    writer_->open(context);
  }
  void commit_recovered() override {
    if (!restored_.empty()) value_or_throw(writer_->commit(restored_));
    SR_CRASH("rs.recommit.mid");
    restored_.clear();
  }
  void remove_leftovers() override { value_or_throw(writer_->remove_leftovers()); }

  /// Commits that do not keep up hold up what would have to be committed later.
  bool ready() const override { return waiting_.size() < kCommitsBehind && writer_->ready(); }
  std::optional<Instant> ready_at() const override { return writer_->ready_at(); }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    records_in_ += records.size();
    writer_->write(records);
  }
  void flush() override {}

  void snapshot(std::shared_ptr<SnapshotPart> part) override {
    const CheckpointId id = part->barrier.id;
    writer_->prepare(
        id, [this, id, part = std::move(part)](Result<std::vector<std::string>> prepared) {
          SR_ASSERT(id > last_prepared_,
                    "E2: a sink's writer answers in the order in which it was asked");
          last_prepared_ = id;
          if (!prepared) return part->failed(std::move(prepared).error());
          if (!prepared->empty()) pending_[id] = *std::move(prepared);
          OperatorSubtaskState state;
          std::vector<std::string> elements;
          for (const auto& [prepared_for, committables] : pending_) {
            if (prepared_for <= id)
              elements.insert(elements.end(), committables.begin(), committables.end());
          }
          if (!elements.empty()) state.lists.push_back(committables_state(elements));
          part->done(std::move(state));
        });
  }

  void notify_complete(CheckpointId id, std::function<void()> done) override {
    waiting_.push_back({id, std::move(done)});
    commit_up_to(id);
    answer_waiting();
  }
  std::uint64_t records_in() const override { return records_in_; }

 private:
  OperatorListState committables_state(const std::vector<std::string>& elements) const {
    return {.name = kCommittablesState,
            .type = writer_->committable_type(),
            .redistribution =
                writer_->commits_in_order() ? Redistribution::by_subtask : Redistribution::split,
            .elements = elements};
  }
  void commit_up_to(CheckpointId id) {
    complete_ = std::max(complete_, id);
    // One after another, in the order of the snapshots, as readers are to see them.
    if (!committing_.empty()) return;
    // A notification may have been lost: complete(n) covers everything prepared up to n.
    std::vector<std::string> committables;
    std::vector<CheckpointId> ids;
    for (const auto& [prepared_for, prepared] : pending_) {
      if (prepared_for > complete_) continue;
      ids.push_back(prepared_for);
      committables.insert(committables.end(), prepared.begin(), prepared.end());
    }
    if (committables.empty()) return;
    committing_.insert(ids.begin(), ids.end());
    context_->environment.io.submit([this, post = context_->post,
                                     committables = std::move(committables),
                                     ids = std::move(ids)]() mutable {
      Result<void> result = writer_->commit(committables);
      post([this, result = std::move(result), ids = std::move(ids)] {
        if (!result) throw_error(result.error());
        committed(ids);
      });
    });
  }
  void committed(const std::vector<CheckpointId>& ids) {
    for (const CheckpointId id : ids) {
      // Only now: a snapshot taken before the commit is done must still name what may not be
      // visible yet.
      pending_.erase(id);
      committing_.erase(id);
    }
    answer_waiting();
    commit_up_to(complete_);
  }
  /// The effects of a complete snapshot include those of all before it: a commit that an earlier
  /// notification began may still be under way, and may fail.
  void answer_waiting() {
    while (!waiting_.empty() &&
           (pending_.empty() || pending_.begin()->first > waiting_.front().id)) {
      const std::function<void()> done = std::move(waiting_.front().done);
      waiting_.pop_front();
      done();
    }
  }

  static constexpr std::size_t kCommitsBehind = 2;

  struct Waiting {
    CheckpointId id;
    std::function<void()> done;
  };
  const OperatorContext* context_ = nullptr;
  std::unique_ptr<SinkWriter<T>> writer_;
  std::vector<std::string> restored_;
  std::map<CheckpointId, std::vector<std::string>>
      pending_;                        ///< prepared, not known to be committed
  std::set<CheckpointId> committing_;  ///< those of them that an I/O job commits
  std::deque<Waiting> waiting_;        ///< notifications not answered, in order
  CheckpointId complete_ = 0;          ///< the highest that is known to be
  CheckpointId last_prepared_ = 0;
  std::uint64_t records_in_ = 0;
};

}  // namespace streamrun
