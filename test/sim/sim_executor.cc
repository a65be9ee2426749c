#include "sim/sim_executor.h"

#include <streamrun/base/assert.h>

#include <algorithm>
#include <utility>

namespace streamrun::sim {
namespace {

Duration up_to(Tape& tape, Duration most) {
  return Duration(
      static_cast<std::int64_t>(tape.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

}  // namespace

RunnableId SimExecutor::add(int worker, Runnable& runnable) {
  SR_ASSERT(worker >= 0, "a worker has a number");
  slots_.push_back({.runnable = &runnable, .generation = 1, .ready = true, .deadline = {}});
  return {.worker = 0, .slot = static_cast<int>(slots_.size()) - 1, .generation = 1};
}

SimExecutor::Slot* SimExecutor::slot_of(RunnableId id) {
  if (id.slot < 0 || id.slot >= static_cast<int>(slots_.size())) return nullptr;
  Slot& slot = slots_[static_cast<std::size_t>(id.slot)];
  return slot.runnable != nullptr && slot.generation == id.generation ? &slot : nullptr;
}

void SimExecutor::remove(RunnableId id) {
  if (Slot* const slot = slot_of(id)) slot->runnable = nullptr;
}

void SimExecutor::wake(RunnableId id) {
  if (Slot* const slot = slot_of(id)) slot->ready = true;
}

void SimExecutor::submit(UniqueFunction<void()> job) {
  const bool slow = tape_.one_in(pace_.slow_one_in);
  const Duration delay = up_to(tape_, slow ? pace_.slow_delay : pace_.most_io_delay);
  io_jobs_.push_back(
      {.number = submitted_++, .ready_at = clock_.now() + delay, .call = Fiber(std::move(job))});
}

bool SimExecutor::step() {
  find_candidates();
  while (candidates_.empty()) {
    if (!advance_to_next_deadline()) return false;
    find_candidates();
  }
  leave_out_the_starved();
  const Candidate chosen = candidates_[static_cast<std::size_t>(tape_.below(candidates_.size()))];
  ++steps_;
  trace_.fold(chosen.identity);
  trace_.fold(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()));
  if (chosen.is_io) {
    run_io(chosen.index);
  } else {
    run_slot(chosen.index);
  }
  clock_.advance(up_to(tape_, pace_.most_step_cost));
  return true;
}

void SimExecutor::find_candidates() {
  candidates_.clear();
  const Instant now = clock_.now();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.runnable == nullptr) continue;
    if (slot.deadline && *slot.deadline <= now) slot.ready = true;
    if (slot.ready) candidates_.push_back({.is_io = false, .index = i, .identity = 2 * i});
  }
  for (std::size_t i = 0; i < io_jobs_.size(); ++i) {
    if (io_jobs_[i].ready_at > now) continue;
    candidates_.push_back({.is_io = true, .index = i, .identity = 2 * io_jobs_[i].number + 1});
  }
}

void SimExecutor::leave_out_the_starved() {
  if (pace_.starving_steps == 0) return;
  if (steps_ % pace_.starving_steps == 0) starving_ = tape_.flip() ? tape_.next() : 0;
  if (starving_ == 0) return;
  const auto is_starved = [this](const Candidate& candidate) {
    return SplitMix(starving_ ^ candidate.identity).next() % 2 == 1;
  };
  if (std::all_of(candidates_.begin(), candidates_.end(), is_starved)) return;
  std::erase_if(candidates_, is_starved);
}

bool SimExecutor::advance_to_next_deadline() {
  std::optional<Instant> next;
  const auto consider = [&](Instant moment) { next = std::min(moment, next.value_or(moment)); };
  for (const Slot& slot : slots_) {
    if (slot.runnable != nullptr && slot.deadline) consider(*slot.deadline);
  }
  for (const IoJob& job : io_jobs_) consider(job.ready_at);
  if (!next) return false;
  clock_.advance_to(*next);
  return true;
}

void SimExecutor::run_slot(std::size_t index) {
  Slot& slot = slots_[index];
  Runnable* const runnable = slot.runnable;
  slot.ready = false;
  slot.deadline.reset();
  const Progress progress = runnable->run();
  if (slot.runnable == nullptr) return;  // removed meanwhile, and perhaps gone
  switch (progress) {
    case Progress::progress:
      slot.ready = true;
      break;
    case Progress::idle:
      slot.deadline = runnable->next_deadline();
      break;
    case Progress::finished:
      slot.runnable = nullptr;
      break;
  }
}

void SimExecutor::run_io(std::size_t index) {
  IoJob job = std::move(io_jobs_[index]);
  io_jobs_.erase(io_jobs_.begin() + static_cast<std::ptrdiff_t>(index));
  if (job.call.resume()) return;
  const std::optional<Duration> asleep = std::exchange(asleep_, std::nullopt);
  job.ready_at = clock_.now() + (asleep ? *asleep : up_to(tape_, pace_.most_io_delay / 4));
  io_jobs_.push_back(std::move(job));
}

void SimExecutor::maybe_pause_io() {
  if (tape_.one_in(pace_.pause_one_in)) Fiber::pause();
}

void SimExecutor::sleep(Duration duration) {
  if (!Fiber::is_running()) return clock_.advance(duration);
  asleep_ = duration;
  Fiber::pause();
}

void SimExecutor::run_out_io() {
  while (!io_jobs_.empty()) run_io(0);
}

}  // namespace streamrun::sim
