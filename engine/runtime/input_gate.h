#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/runtime/channel.h>
#include <streamrun/runtime/channel_set.h>
#include <streamrun/time/watermark_valve.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace streamrun {

struct NoInput {};

/// How it ended that a gate gave away what a barrier overtook.
enum class OvertakingEnd {
  complete,  ///< all channels have delivered the barrier
  aborted,   ///< its checkpoint was
  subsumed,  ///< a channel delivered a newer one instead
};

/// Who takes what a barrier overtakes. Calls come from the gate's owner.
struct Overtaken {
  /// Of each channel in order. The batch stays with the gate and is read later, or is about to be.
  std::function<void(std::size_t channel, const AnyBatch& batch)> record;
  /// The last call.
  std::function<void(OvertakingEnd)> end;
};

/// What the gate has next: a batch, an event that holds for all inputs, or nothing.
using GateInput =
    std::variant<NoInput, std::unique_ptr<AnyBatch>, CheckpointBarrier, EndOfInput, WatermarkEvent>;

/// All channels into one task. With exactly-once it aligns barriers: a channel that has delivered
/// barrier N is not read until all have, and a newer barrier ends the alignment of an older one.
/// With at-least-once it only counts them, of as many checkpoints at once as there are, up to a
/// limit. Barriers that are not newer than the last one delivered, or were aborted, are ignored.
///
/// Watermarks of the channels become one that holds for all (`WatermarkValve`); what a channel has
/// delivered in its place among its records is told in this place among all.
///
/// A barrier that is announced may overtake, from a time on that it brings, unless all channels
/// deliver it before: an unaligned checkpoint. The task asks for it (`due_to_overtake`) before it
/// looks at anything that back pressure may hold up, snapshots, and calls `overtake`. What a
/// channel holds before its own barrier is recorded, each batch once: `pull` takes it out of the
/// rings of channels that have announced the barrier, which makes room for what their writers hold
/// back; of the others `poll` records what it reads. What is behind a barrier is never pulled.
/// Owner's thread.
class InputGate {
 public:
  /// `clock` is read at barriers only; without one alignments are not timed and nothing overtakes.
  InputGate(std::size_t channels, bool exactly_once, const Clock* clock = nullptr);

  ReadyChannels& ready_channels() { return ready_; }
  /// For channels that may announce barriers; needs exactly-once and a clock.
  ReadyChannels& announced_channels() { return announcements_; }
  void set_channel(std::size_t index, Channel& channel) { channels_[index].channel = &channel; }
  std::size_t size() const { return channels_.size(); }

  GateInput poll();
  /// Whether `due_to_overtake` and `pull` may have something to do. One relaxed load in most steps.
  bool may_overtake() const { return announced_ || overtaking_ != 0 || announcements_.any(); }
  /// The barrier that is to overtake now, if there is one: `overtake` must follow.
  std::optional<CheckpointBarrier> due_to_overtake();
  /// When it will be due, if all else stays as it is.
  std::optional<Instant> overtakes_at() const;
  /// The task has taken the snapshot of the barrier that is due: what is there belongs to it too.
  void overtake(Overtaken overtaken);
  /// Goes on with that, a bounded piece; whether there was anything.
  bool pull();

  /// Gives the batch that `poll` returned last back to its producer.
  void recycle(std::unique_ptr<AnyBatch> batch);
  /// Checkpoint `id` will not complete: channels that wait for it are read again.
  void abort_checkpoint(CheckpointId id);
  /// When the first channel delivered the barrier that `poll` returned last.
  Instant alignment_began() const { return alignment_began_; }
  /// Where the highest id of all barriers that came is to stand, for any thread.
  void show_barriers_in(std::atomic<CheckpointId>& newest) { newest_barrier_ = &newest; }
  /// For a dump of the task: `barrier 7: 2 of 3`.
  std::string describe_alignment() const;

 private:
  struct Input {
    Channel* channel = nullptr;
    bool blocked = false;  ///< it delivered the barrier that the others have not
    bool ended = false;
    bool delivered = false;  ///< the barrier being aligned
    bool reached = false;    ///< the barrier that overtakes
    CheckpointId announced = 0;
    std::unique_ptr<std::deque<StreamElement>> held = {};  ///< pulled, to be read before the ring
  };
  bool take(std::size_t index, StreamElement& element);
  void watch(std::size_t index, const StreamElement& element);
  void hold(std::size_t index, StreamElement element);
  void record_held(std::size_t index);
  void read_announcements();
  void end_overtaking(OvertakingEnd how);
  void take_marks();
  std::optional<std::size_t> next_ready() const;
  std::optional<GateInput> on_event(std::size_t index, const StreamEvent& event);
  std::optional<GateInput> on_end(std::size_t index);
  WatermarkValve& valve();
  std::optional<GateInput> tell(const WatermarkValve::Change& change);
  std::optional<CheckpointBarrier> on_barrier(Input& input, const CheckpointBarrier& barrier);
  std::optional<CheckpointBarrier> count_barrier(const CheckpointBarrier& barrier);
  Instant now() const { return clock_ != nullptr ? clock_->now() : Instant(); }
  void end_alignment();
  void settle(CheckpointId id);

  // Shared with the writers.
  ReadyChannels ready_;
  ReadyChannels announcements_;
  // Owned by the task.
  std::vector<Input> channels_;
  ChannelSet seen_ready_;  ///< marked channels that may have more
  std::size_t next_ = 0;
  std::size_t last_polled_ = 0;
  std::size_t ended_ = 0;
  std::unique_ptr<WatermarkValve> valve_;  ///< from the first watermark on
  std::optional<WatermarkStatus> status_;  ///< behind the watermark that was told last
  bool exactly_once_;
  // Exactly once.
  CheckpointId aligning_ = 0;  ///< 0: none
  std::size_t barriers_ = 0;
  std::optional<CheckpointBarrier> announced_;  ///< the newest that has not overtaken
  Instant announced_since_{};
  CheckpointId overtaking_ = 0;  ///< 0: none
  std::size_t reached_ = 0;
  Overtaken overtaken_;
  /// At least once: how many channels have delivered each barrier that some have.
  struct Counted {
    std::size_t channels = 0;
    Instant began{};
  };
  std::map<CheckpointId, Counted> counted_;
  CheckpointId last_done_ = 0;      ///< delivered, or passed over
  std::set<CheckpointId> aborted_;  ///< later than `last_done_`
  const Clock* clock_;
  Instant aligning_since_{};
  Instant alignment_began_{};
  std::atomic<CheckpointId>* newest_barrier_ = nullptr;
};

}  // namespace streamrun
