#include <streamrun/runtime/input_gate.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace streamrun {
namespace {

/// Barriers that are counted at once, as in Flink's CheckpointBarrierTracker; the oldest is given
/// up for one more.
constexpr std::size_t kMostCounted = 50;
/// What one step pulls at most: recording a batch takes about as long as processing it.
constexpr int kPulls = 16;

}  // namespace

InputGate::InputGate(std::size_t channels, bool exactly_once, const Clock* clock)
    : ready_(channels),
      announcements_(channels),
      channels_(channels),
      seen_ready_(channels),
      exactly_once_(exactly_once),
      clock_(clock) {}

void InputGate::take_marks() {
  ready_.take(
      [this](std::size_t word, std::uint64_t marks) { seen_ready_.insert_all(word, marks); });
}

/// In turn, starting after the channel read last, so that none starves.
std::optional<std::size_t> InputGate::next_ready() const {
  return seen_ready_.next(next_,
                          [this](std::size_t channel) { return !channels_[channel].blocked; });
}

GateInput InputGate::poll() {
  if (status_) [[unlikely]]
    return WatermarkEvent(*std::exchange(status_, std::nullopt));
  // Once: who marks a channel after that wakes the task too.
  take_marks();
  while (const std::optional<std::size_t> index = next_ready()) {
    StreamElement element;
    if (!take(*index, element)) {
      seen_ready_.erase(*index);
      continue;
    }
    if (element.batch != nullptr) {
      last_polled_ = *index;
      next_ = *index + 1 == channels_.size() ? 0 : *index + 1;
      return std::move(element.batch);
    }
    if (auto event = on_event(*index, element.event)) return *std::move(event);
  }
  return NoInput{};
}

std::optional<GateInput> InputGate::on_event(std::size_t index, const StreamEvent& event) {
  if (const auto* const barrier = std::get_if<CheckpointBarrier>(&event))
    return on_barrier(channels_[index], *barrier);
  if (std::holds_alternative<EndOfInput>(event)) return on_end(index);
  return tell(valve().on_event(index, std::get<WatermarkEvent>(event)));
}

std::optional<GateInput> InputGate::on_end(std::size_t index) {
  Input& input = channels_[index];
  SR_ASSERT(!input.ended, "a channel ends once");
  input.ended = true;
  if (++ended_ == channels_.size()) return EndOfInput{};
  return valve_ != nullptr ? tell(valve_->on_end(index)) : std::nullopt;
}

WatermarkValve& InputGate::valve() {
  if (valve_ == nullptr) {
    valve_ = std::make_unique<WatermarkValve>(channels_.size());
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      if (channels_[i].ended) valve_->on_end(i);
    }
  }
  return *valve_;
}

std::optional<GateInput> InputGate::tell(const WatermarkValve::Change& change) {
  if (change.watermark) {
    status_ = change.status;
    return WatermarkEvent(*change.watermark);
  }
  if (change.status) return WatermarkEvent(*change.status);
  return std::nullopt;
}

bool InputGate::take(std::size_t index, StreamElement& element) {
  Input& input = channels_[index];
  if (input.held != nullptr) [[unlikely]] {
    element = std::move(input.held->front());
    input.held->pop_front();
    input.channel->set_pulled(input.held->size());
    if (input.held->empty()) input.held.reset();
    return true;
  }
  if (!input.channel->try_pop(element)) return false;
  if (overtaking_ != 0) [[unlikely]]
    watch(index, element);
  return true;
}

std::optional<CheckpointBarrier> InputGate::on_barrier(Input& input,
                                                       const CheckpointBarrier& barrier) {
  if (newest_barrier_ != nullptr && barrier.id > *newest_barrier_) *newest_barrier_ = barrier.id;
  if (!exactly_once_) return count_barrier(barrier);
  if (barrier.id <= last_done_ || barrier.id < aligning_) return std::nullopt;
  if (barrier.id > aligning_) {
    end_alignment();  // this channel will never deliver the older one
    if (aborted_.contains(barrier.id)) {
      settle(barrier.id);
      return std::nullopt;
    }
    aligning_ = barrier.id;
    aligning_since_ = now();
    if (announced_ && announced_->id < barrier.id) announced_.reset();
  }
  SR_ASSERT(!input.delivered, "S1: a channel delivers each barrier once");
  input.delivered = true;
  input.blocked = true;
  if (++barriers_ < channels_.size()) return std::nullopt;
  alignment_began_ = aligning_since_;
  end_alignment();
  settle(barrier.id);
  return barrier;
}

std::optional<CheckpointBarrier> InputGate::count_barrier(const CheckpointBarrier& barrier) {
  if (barrier.id <= last_done_) return std::nullopt;
  Counted& counted = counted_[barrier.id];
  if (counted.channels == 0) counted.began = now();
  if (++counted.channels == channels_.size()) {
    const bool aborted = aborted_.contains(barrier.id);
    if (!aborted) alignment_began_ = counted.began;
    // Channels deliver in order, so an older one that lacks some will never have all.
    settle(barrier.id);
    if (aborted) return std::nullopt;
    return barrier;
  }
  if (counted_.size() > kMostCounted) settle(counted_.begin()->first);
  return std::nullopt;
}

/// No checkpoint up to `id` will be delivered any more.
void InputGate::settle(CheckpointId id) {
  last_done_ = id;
  aborted_.erase(aborted_.begin(), aborted_.upper_bound(id));
  if (announced_ && announced_->id <= id) announced_.reset();
  counted_.erase(counted_.begin(), counted_.upper_bound(id));
}

void InputGate::end_alignment() {
  for (Input& input : channels_) {
    input.blocked = false;
    input.delivered = false;
  }
  barriers_ = 0;
  aligning_ = 0;
}

void InputGate::abort_checkpoint(CheckpointId id) {
  if (overtaking_ == id && id != 0) end_overtaking(OvertakingEnd::aborted);
  if (id <= last_done_) return;
  if (announced_ && announced_->id == id) announced_.reset();
  if (aligning_ != id) {  // an older one may still complete, so only this one is remembered
    aborted_.insert(id);
    return;
  }
  end_alignment();
  settle(id);
}

void InputGate::recycle(std::unique_ptr<AnyBatch> batch) {
  channels_[last_polled_].channel->recycle(std::move(batch));
}

void InputGate::read_announcements() {
  announcements_.take([this](std::size_t word, std::uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      Input& input = channels_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      CheckpointBarrier barrier;
      while (input.channel->take_announcement(barrier)) {
        input.announced = barrier.id;
        const bool is_late = barrier.id <= last_done_ || barrier.id < aligning_ ||
                             (announced_ && barrier.id <= announced_->id);
        if (is_late || aborted_.contains(barrier.id)) continue;
        if (newest_barrier_ != nullptr && barrier.id > *newest_barrier_)
          *newest_barrier_ = barrier.id;
        announced_ = std::move(barrier);
        announced_since_ = now();
      }
    }
  });
}

std::optional<CheckpointBarrier> InputGate::due_to_overtake() {
  read_announcements();
  if (!announced_ || now() < *announced_->overtake_at) return std::nullopt;
  alignment_began_ =
      aligning_ == announced_->id ? std::min(aligning_since_, announced_since_) : announced_since_;
  return announced_;
}

std::optional<Instant> InputGate::overtakes_at() const {
  if (!announced_) return std::nullopt;
  return announced_->overtake_at;
}

void InputGate::overtake(Overtaken overtaken) {
  SR_ASSERT(announced_, "a barrier overtakes that is due");
  if (overtaking_ != 0) end_overtaking(OvertakingEnd::subsumed);
  overtaking_ = announced_->id;
  overtaken_ = std::move(overtaken);
  const bool was_aligning = aligning_ == overtaking_;
  for (Input& input : channels_) {
    input.reached = was_aligning && input.delivered;
    if (input.reached) ++reached_;
  }
  end_alignment();
  settle(overtaking_);
  for (std::size_t i = 0; i < channels_.size(); ++i) record_held(i);
}

/// What an earlier barrier pulled and the task has not read yet.
void InputGate::record_held(std::size_t index) {
  const Input& input = channels_[index];
  if (input.held == nullptr) return;
  for (const StreamElement& element : *input.held) {
    if (overtaking_ == 0) return;
    watch(index, element);
  }
}

bool InputGate::pull() {
  int left = kPulls;
  for (std::size_t i = 0; i < channels_.size() && left > 0; ++i) {
    Input& input = channels_[i];
    while (overtaking_ != 0 && input.announced >= overtaking_ && !input.reached && left > 0) {
      StreamElement element;
      if (!input.channel->try_pop(element)) break;
      --left;
      watch(i, element);
      hold(i, std::move(element));
    }
  }
  return left < kPulls;
}

/// Each element that leaves a ring, or lies pulled when a barrier overtakes, comes by here once.
void InputGate::watch(std::size_t index, const StreamElement& element) {
  Input& input = channels_[index];
  if (input.reached) return;
  if (element.batch != nullptr) return overtaken_.record(index, *element.batch);
  const auto* const barrier = std::get_if<CheckpointBarrier>(&element.event);
  if (barrier == nullptr || barrier->id < overtaking_) return;
  if (barrier->id > overtaking_) return end_overtaking(OvertakingEnd::subsumed);
  input.reached = true;
  if (++reached_ == channels_.size()) end_overtaking(OvertakingEnd::complete);
}

void InputGate::hold(std::size_t index, StreamElement element) {
  Input& input = channels_[index];
  if (input.held == nullptr) input.held = std::make_unique<std::deque<StreamElement>>();
  input.held->push_back(std::move(element));
  input.channel->set_pulled(input.held->size());
  seen_ready_.insert(index);
}

void InputGate::end_overtaking(OvertakingEnd how) {
  overtaking_ = 0;
  reached_ = 0;
  const Overtaken overtaken = std::exchange(overtaken_, {});
  overtaken.end(how);
}

std::string InputGate::describe_alignment() const {
  if (overtaking_ != 0) {
    return "barrier " + std::to_string(overtaking_) + " overtakes: " + std::to_string(reached_) +
           " of " + std::to_string(channels_.size());
  }
  if (!counted_.empty()) {
    std::string text;
    for (const auto& [id, counted] : counted_) {
      text += (text.empty() ? "barrier " : "; barrier ") + std::to_string(id) + ": " +
              std::to_string(counted.channels) + " of " + std::to_string(channels_.size());
    }
    return text;
  }
  if (aligning_ == 0) return "no barrier";
  return "barrier " + std::to_string(aligning_) + ": " + std::to_string(barriers_) + " of " +
         std::to_string(channels_.size());
}

}  // namespace streamrun
