#include <streamrun/base/assert.h>
#include <streamrun/platform/start_thread.h>
#include <streamrun/platform/threaded_executor.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "parker.h"
#include "ready_set.h"

namespace streamrun {
namespace {

constexpr int kNoSlot = -1;

Instant now() {
  return Instant(std::chrono::steady_clock::now().time_since_epoch());
}

Progress run_guarded(Runnable& runnable) {
  try {
    return runnable.run();
  } catch (const std::exception& exception) {
    SR_ASSERT(false, exception.what());
  } catch (...) {
    SR_ASSERT(false, "a runnable let an exception escape");
  }
  return Progress::finished;
}

}  // namespace

/// One thread and the runnables it owns, each in a slot. What keeps `remove` safe without a lock
/// around `run`:
///
///   worker:   running_ = slot;              look at slot.runnable: null, then skip
///   remover:  slot.runnable = null;         look at running_: this slot, then wait
///
/// All four are sequentially consistent, so at least one side sees the other. A slot is given back,
/// for reuse, by the worker when its runnable has finished, or else by whoever removed it, after
/// the wait.
class ThreadedExecutor::Worker {
 public:
  explicit Worker(int index) : index_(index) {}

  RunnableId add(Runnable& runnable);
  void remove(RunnableId id);
  void wake(int slot);
  void request_stop();
  void join();

 private:
  struct Slot {
    std::atomic<Runnable*> runnable{nullptr};
    std::uint32_t generation = 0;     // guarded by mutex_: counts the runnables that had this slot
    bool in_use = false;              // guarded by mutex_
    bool removing = false;            // guarded by mutex_: the remover gives the slot back
    std::optional<Instant> deadline;  // owned by the thread; mirrors its entry in deadlines_
  };
  using SlotChunk = std::array<Slot, ReadySet::kSlotsPerChunk>;

  Slot& slot_at(int slot) {
    const auto at = static_cast<std::size_t>(slot);
    return (*chunks_[at / ReadySet::kSlotsPerChunk])[at % ReadySet::kSlotsPerChunk];
  }
  bool on_own_thread() const { return t_current == this; }
  int take_free_slot();      // needs mutex_
  void give_back(int slot);  // needs mutex_
  void finish(int slot);
  void loop();
  bool run_slot(int slot);
  void run_runnable(int slot, Runnable& runnable);
  void set_deadline(int slot, std::optional<Instant> deadline);
  void wake_due();
  void park();

  static thread_local const Worker* t_current;

  const int index_;

  // Shared without a lock.
  ReadySet ready_;
  Parker parker_;
  std::atomic<bool> stop_{false};
  std::atomic<int> running_{kNoSlot};
  std::atomic<int> waiting_removers_{0};

  // Guarded by mutex_. A chunk never moves; the thread reads a slot only after its number came
  // through ready_.
  std::mutex mutex_;
  std::condition_variable run_ended_;
  std::array<std::unique_ptr<SlotChunk>, ReadySet::kMaxChunks> chunks_;
  int slot_count_ = 0;
  std::deque<int> free_slots_;  // first in, first out: a slot rests long before it is reused
  std::thread thread_;

  // Owned by the thread.
  std::set<std::pair<Instant, int>> deadlines_;
  bool removed_itself_ = false;
};

thread_local const ThreadedExecutor::Worker* ThreadedExecutor::Worker::t_current = nullptr;

int ThreadedExecutor::Worker::take_free_slot() {
  if (!free_slots_.empty()) {
    const int slot = free_slots_.front();
    free_slots_.pop_front();
    return slot;
  }
  const auto at = static_cast<std::size_t>(slot_count_);
  ready_.grow(at + 1);
  std::unique_ptr<SlotChunk>& chunk = chunks_[at / ReadySet::kSlotsPerChunk];
  if (!chunk) chunk = std::make_unique<SlotChunk>();
  return slot_count_++;
}

void ThreadedExecutor::Worker::give_back(int slot) {
  Slot& entry = slot_at(slot);
  entry.runnable.store(nullptr, std::memory_order_seq_cst);
  entry.in_use = false;
  entry.removing = false;
  ++entry.generation;
  free_slots_.push_back(slot);
}

RunnableId ThreadedExecutor::Worker::add(Runnable& runnable) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = start_thread("sr-worker-" + std::to_string(index_), [this] { loop(); });
  }
  const int slot = take_free_slot();
  Slot& entry = slot_at(slot);
  entry.in_use = true;
  entry.runnable.store(&runnable, std::memory_order_seq_cst);
  wake(slot);
  return {.worker = index_, .slot = slot, .generation = entry.generation};
}

void ThreadedExecutor::Worker::remove(RunnableId id) {
  std::unique_lock lock(mutex_);
  if (id.slot < 0 || id.slot >= slot_count_) return;
  Slot& entry = slot_at(id.slot);
  if (!entry.in_use || entry.generation != id.generation) return;  // it has finished
  entry.runnable.store(nullptr, std::memory_order_seq_cst);
  if (on_own_thread() && running_.load(std::memory_order_relaxed) == id.slot) {
    removed_itself_ = true;  // given back after its run
    return;
  }
  const bool first = !std::exchange(entry.removing, true);
  waiting_removers_.fetch_add(1, std::memory_order_seq_cst);
  run_ended_.wait(lock, [&] {
    return running_.load(std::memory_order_seq_cst) != id.slot || entry.generation != id.generation;
  });
  waiting_removers_.fetch_sub(1, std::memory_order_relaxed);
  if (first) give_back(id.slot);
}

void ThreadedExecutor::Worker::wake(int slot) {
  if (on_own_thread()) {
    ready_.insert_by_owner(static_cast<std::size_t>(slot));
  } else if (!ready_.insert(static_cast<std::size_t>(slot))) {
    parker_.unpark();
  }
}

void ThreadedExecutor::Worker::request_stop() {
  stop_.store(true, std::memory_order_seq_cst);
  parker_.unpark();
}

void ThreadedExecutor::Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void ThreadedExecutor::Worker::loop() {
  t_current = this;
  while (!stop_.load(std::memory_order_relaxed)) {
    wake_due();
    bool ran = false;
    const bool goes_on = ready_.drain([&](std::size_t slot) {
      ran = true;
      return run_slot(static_cast<int>(slot));
    });
    if (!goes_on) return;
    if (!ran) park();
  }
}

void ThreadedExecutor::Worker::park() {
  parker_.announce();
  if (stop_.load(std::memory_order_seq_cst) || !ready_.empty()) return parker_.withdraw();
  std::optional<Instant> nearest;
  if (!deadlines_.empty()) nearest = deadlines_.begin()->first;
  parker_.park(nearest);
}

/// Returns false when the worker is to stop.
bool ThreadedExecutor::Worker::run_slot(int slot) {
  running_.store(slot, std::memory_order_seq_cst);
  Runnable* const runnable = slot_at(slot).runnable.load(std::memory_order_seq_cst);
  if (runnable != nullptr) run_runnable(slot, *runnable);
  running_.store(kNoSlot, std::memory_order_seq_cst);
  if (waiting_removers_.load(std::memory_order_seq_cst) > 0) {
    const std::lock_guard lock(mutex_);  // a remover that has looked is waiting by now
    run_ended_.notify_all();
  }
  return !stop_.load(std::memory_order_relaxed);
}

void ThreadedExecutor::Worker::run_runnable(int slot, Runnable& runnable) {
  const Progress progress = run_guarded(runnable);
  if (std::exchange(removed_itself_, false)) return finish(slot);  // it may not exist any more
  switch (progress) {
    case Progress::progress:
      ready_.insert_by_owner(static_cast<std::size_t>(slot));
      break;
    case Progress::idle:
      set_deadline(slot, runnable.next_deadline());
      break;
    case Progress::finished:
      finish(slot);
      break;
  }
}

void ThreadedExecutor::Worker::finish(int slot) {
  set_deadline(slot, std::nullopt);
  const std::lock_guard lock(mutex_);
  if (!slot_at(slot).removing) give_back(slot);
}

void ThreadedExecutor::Worker::set_deadline(int slot, std::optional<Instant> deadline) {
  Slot& entry = slot_at(slot);
  if (entry.deadline == deadline) return;
  if (entry.deadline && deadline) {  // the usual case moves the node and allocates nothing
    auto node = deadlines_.extract({*entry.deadline, slot});
    node.value().first = *deadline;
    deadlines_.insert(std::move(node));
  } else if (deadline) {
    deadlines_.emplace(*deadline, slot);
  } else {
    deadlines_.erase({*entry.deadline, slot});
  }
  entry.deadline = deadline;
}

void ThreadedExecutor::Worker::wake_due() {
  if (deadlines_.empty()) return;
  const Instant at = now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= at) {
    const int slot = deadlines_.begin()->second;
    set_deadline(slot, std::nullopt);
    ready_.insert_by_owner(static_cast<std::size_t>(slot));
  }
}

ThreadedExecutor::ThreadedExecutor(int workers) {
  SR_ASSERT(workers > 0, "an executor has a worker");
  for (int i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(i));
}

ThreadedExecutor::~ThreadedExecutor() {
  // All are told before any is joined, and all live until the last has ended: a run may wake
  // another worker.
  for (const auto& worker : workers_) worker->request_stop();
  for (const auto& worker : workers_) worker->join();
}

RunnableId ThreadedExecutor::add(int worker, Runnable& runnable) {
  const int count = static_cast<int>(workers_.size());
  return workers_[static_cast<std::size_t>((worker % count + count) % count)]->add(runnable);
}

void ThreadedExecutor::remove(RunnableId id) {
  if (id.worker >= 0) workers_[static_cast<std::size_t>(id.worker)]->remove(id);
}

void ThreadedExecutor::wake(RunnableId id) {
  if (id.worker >= 0) workers_[static_cast<std::size_t>(id.worker)]->wake(id.slot);
}

}  // namespace streamrun
