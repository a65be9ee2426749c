#include "sim/fiber.h"

#include <streamrun/base/assert.h>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include <pthread.h>
#include <ucontext.h>

namespace streamrun::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMayPause = false;
#else
constexpr bool kMayPause = true;
#endif

constexpr std::size_t kStackBytes = std::size_t{512} << 10U;
using Stack = std::unique_ptr<std::byte[]>;

/// Stacks are used again: a history has thousands of calls, and few at a time.
class StackPool {
 public:
  Stack take() {
    if (free_.empty()) return Stack(new std::byte[kStackBytes]);
    Stack stack = std::move(free_.back());
    free_.pop_back();
    return stack;
  }
  void give_back(Stack stack) { free_.push_back(std::move(stack)); }

 private:
  std::vector<Stack> free_;
};

thread_local StackPool t_stacks;

}  // namespace

struct Fiber::State {
  UniqueFunction<void()> body;
  ucontext_t own{};
  ucontext_t resumer{};
  Stack stack;
  bool has_ended = false;

  static thread_local State* t_running;
  static void enter() {
    State& self = *t_running;
    self.body();
    self.body = {};
    self.has_ended = true;
    swapcontext(&self.own, &self.resumer);
  }
};

thread_local Fiber::State* Fiber::State::t_running = nullptr;

Fiber::Fiber(UniqueFunction<void()> body) : state_(std::make_unique<State>()) {
  state_->body = std::move(body);
}

Fiber::~Fiber() {
  if (state_ == nullptr || state_->stack == nullptr) return;
  SR_ASSERT(state_->has_ended, "a fiber that has begun is run to its end");
  t_stacks.give_back(std::move(state_->stack));
}

Fiber::Fiber(Fiber&&) noexcept = default;
Fiber& Fiber::operator=(Fiber&&) noexcept = default;

bool Fiber::resume() {
  State& self = *state_;
  if (!kMayPause) {
    std::exchange(self.body, {})();
    return true;
  }
  SR_ASSERT(State::t_running == nullptr, "a fiber does not resume another one");
  if (self.stack == nullptr) {
    self.stack = t_stacks.take();
    getcontext(&self.own);
    self.own.uc_stack.ss_sp = self.stack.get();
    self.own.uc_stack.ss_size = kStackBytes;
    self.own.uc_link = nullptr;
    makecontext(&self.own, &State::enter, 0);
  }
  State::t_running = &self;
  swapcontext(&self.resumer, &self.own);
  State::t_running = nullptr;
  return self.has_ended;
}

bool Fiber::is_running() {
  return State::t_running != nullptr;
}

void Fiber::pause() {
  State* const self = State::t_running;
  if (self == nullptr) return;
  swapcontext(&self->own, &self->resumer);
}

}  // namespace streamrun::sim

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// Takes the place of the C library's: all threads of a simulated process are this one, and it
/// would wait for itself. What is not a fiber must never meet a lock that is held across a call to
/// the store.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  while (pthread_mutex_trylock(mutex) == EBUSY) {
    SR_ASSERT(streamrun::sim::Fiber::is_running(), "a task waits for a lock that an I/O job holds");
    streamrun::sim::Fiber::pause();
  }
  return 0;
}
#endif
