#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/threaded_executor.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <pthread.h>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// A runnable made of a function; counts its runs.
class Counting : public Runnable {
 public:
  explicit Counting(std::function<Progress(int)> body = [](int) { return Progress::idle; })
      : body_(std::move(body)) {}
  Progress run() override {
    const int number = runs_.fetch_add(1) + 1;
    return body_(number);
  }
  int runs() const { return runs_; }
  void wait_for_runs(int count) const {
    while (runs_ < count) std::this_thread::yield();
  }

 private:
  std::function<Progress(int)> body_;
  std::atomic<int> runs_{0};
};

/// A runnable whose deadline a test sets.
class Timed final : public Counting {
 public:
  using Counting::Counting;
  std::optional<Instant> next_deadline() const override {
    if (runs() > deadline_runs) return std::nullopt;
    return RealClock().now() + wait;
  }
  Duration wait = 5ms;
  int deadline_runs = 1 << 30;
};

/// Waits until a condition that another thread makes true holds; Catch's checks are for one thread
/// only.
void wait_until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(1ms);
}

TEST_CASE("executor: runs what is added, and again while it has more to do", "[platform]") {
  Counting runnable([](int run) { return run < 1000 ? Progress::progress : Progress::idle; });
  ThreadedExecutor executor(1);
  const RunnableId id = executor.add(0, runnable);
  runnable.wait_for_runs(1000);
  executor.remove(id);
  CHECK(runnable.runs() == 1000);
}

TEST_CASE("executor: what has finished is dropped and its slot used again", "[platform]") {
  ThreadedExecutor executor(1);
  Counting first([](int) { return Progress::finished; });
  const RunnableId old = executor.add(0, first);
  first.wait_for_runs(1);
  Counting second;
  RunnableId id;
  wait_until([&] {  // until the worker has given the slot back, others get new ones
    id = executor.add(0, second);
    if (id.slot == old.slot) return true;
    executor.remove(id);
    return false;
  });
  const int before = (second.wait_for_runs(1), second.runs());
  executor.wake(old);  // a stale id: at worst a run too many
  second.wait_for_runs(before + 1);
  executor.remove(old);  // but it must not remove the one that has the slot now
  const int after = second.runs();
  executor.wake(id);
  second.wait_for_runs(after + 1);
  CHECK(first.runs() == 1);
  executor.remove(id);
}

TEST_CASE("executor: every runnable stays on the worker that it was added to", "[platform]") {
  ThreadedExecutor executor(2);
  std::vector<std::unique_ptr<Counting>> runnables;
  std::vector<RunnableId> ids;
  std::atomic<int> strangers{0};
  std::vector<std::atomic<pthread_t>> owners(20);
  for (int i = 0; i < 20; ++i) {
    auto& owner = owners[static_cast<std::size_t>(i)];
    runnables.push_back(std::make_unique<Counting>([&owner, &strangers](int run) {
      if (run == 1) owner = pthread_self();
      if (pthread_equal(owner, pthread_self()) == 0) ++strangers;
      return run < 50 ? Progress::progress : Progress::idle;
    }));
    ids.push_back(executor.add(i, *runnables.back()));
    CHECK(ids.back().worker == i % 2);
  }
  for (const auto& runnable : runnables) runnable->wait_for_runs(50);
  for (const RunnableId id : ids) executor.remove(id);
  CHECK(strangers == 0);
  CHECK(pthread_equal(owners[0], owners[1]) == 0);
  CHECK(pthread_equal(owners[0], owners[2]) != 0);
}

TEST_CASE("executor: parks when all is idle, and uses no processor then", "[platform]") {
  ThreadedExecutor executor(1);
  std::atomic<clockid_t> clock{};
  Counting runnable([&clock](int) {
    clockid_t own{};
    pthread_getcpuclockid(pthread_self(), &own);
    clock = own;
    return Progress::idle;
  });
  const RunnableId id = executor.add(0, runnable);
  runnable.wait_for_runs(1);
  const auto used = [&clock] {
    std::timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  std::this_thread::sleep_for(20ms);
  const auto before = used();
  std::this_thread::sleep_for(300ms);
  CHECK(used() - before < 3ms);  // 1 %
  CHECK(runnable.runs() == 1);
  executor.remove(id);
}

TEST_CASE("executor: a deadline runs an idle task, not before its time", "[platform]") {
  Timed runnable;
  runnable.wait = 20ms;
  runnable.deadline_runs = 3;
  ThreadedExecutor executor(1);
  const Instant start = RealClock().now();
  const RunnableId id = executor.add(0, runnable);
  runnable.wait_for_runs(4);
  CHECK(RealClock().now() - start >= 60ms);
  std::this_thread::sleep_for(60ms);
  CHECK(runnable.runs() == 4);  // without a deadline it stays idle
  executor.remove(id);
}

TEST_CASE("executor: deadlines are kept while another task is always busy", "[platform]") {
  Counting busy([](int) { return Progress::progress; });
  Timed timed;
  timed.wait = 1ms;
  ThreadedExecutor executor(1);
  const RunnableId busy_id = executor.add(0, busy);
  const RunnableId timed_id = executor.add(0, timed);
  timed.wait_for_runs(10);
  executor.remove(busy_id);
  executor.remove(timed_id);
  CHECK(busy.runs() > 10);
}

TEST_CASE("executor: a wake-up during the run makes one more", "[platform]") {
  ThreadedExecutor executor(1);
  std::atomic<bool> running{false};
  std::atomic<bool> go_on{false};
  Counting runnable([&](int run) {
    running = true;
    while (run == 1 && !go_on) std::this_thread::yield();
    return Progress::idle;
  });
  const RunnableId id = executor.add(0, runnable);
  while (!running) std::this_thread::yield();
  executor.wake(id);
  executor.wake(id);
  go_on = true;
  runnable.wait_for_runs(2);
  executor.remove(id);
  CHECK(runnable.runs() == 2);
}

TEST_CASE("executor: hands on what the waker wrote, 100000 times over", "[platform]") {
  // The two sides exchange a plain variable: a lost wake-up hangs, an unordered one is a data race.
  ThreadedExecutor executor(1);
  constexpr int kRounds = 100'000;
  int message = 0;
  int wrong = 0;
  std::atomic<int> answered{-1};
  Counting runnable([&](int) {
    const int last = answered.load(std::memory_order_relaxed);
    if (message > last + 1) ++wrong;
    if (message > last) answered.store(message, std::memory_order_release);
    return Progress::idle;
  });
  const auto wait_for_answer = [&](int expected) {
    for (int spins = 0; answered.load(std::memory_order_acquire) != expected; ++spins) {
      if (spins > 10'000) std::this_thread::yield();
    }
  };
  const RunnableId id = executor.add(0, runnable);
  wait_for_answer(0);
  for (int round = 1; round <= kRounds; ++round) {
    message = round;
    // A pause of every length up to a microsecond: one of them ends just while the worker decides
    // to park.
    for (int i = round % 500; i > 0; --i) static_cast<void>(answered.load());
    executor.wake(id);
    wait_for_answer(round);
  }
  executor.remove(id);
  CHECK(wrong == 0);
  CHECK(answered == kRounds);
}

TEST_CASE("executor: two workers wake each other 100000 times without losing one", "[platform]") {
  ThreadedExecutor executor(2);
  constexpr int kRounds = 100'000;
  std::atomic<int> ball{0};  // even: the first one's turn
  std::atomic<bool> started{false};
  RunnableId ids[2];
  const auto player = [&](int side) {
    return [&, side](int) {
      if (!started.load(std::memory_order_acquire)) return Progress::idle;
      const int seen = ball.load(std::memory_order_acquire);
      if (seen >= kRounds) return Progress::idle;
      if (seen % 2 == side) {
        ball.store(seen + 1, std::memory_order_release);
        executor.wake(ids[1 - side]);
      }
      return Progress::idle;
    };
  };
  Counting first(player(0));
  Counting second(player(1));
  ids[0] = executor.add(0, first);
  ids[1] = executor.add(1, second);
  started.store(true, std::memory_order_release);
  executor.wake(ids[0]);
  wait_until([&] { return ball == kRounds; });
  executor.remove(ids[0]);
  executor.remove(ids[1]);
  CHECK(ball == kRounds);
}

TEST_CASE("executor: many threads wake many tasks, and each hears its last call", "[platform]") {
  constexpr int kTasks = 200;
  constexpr int kThreads = 4;
  constexpr int kCalls = 5'000;
  ThreadedExecutor executor(2);
  std::vector<std::atomic<int>> wanted(kTasks);
  std::vector<std::atomic<int>> heard(kTasks);
  std::vector<std::unique_ptr<Counting>> tasks;
  std::vector<RunnableId> ids;
  for (std::size_t i = 0; i < kTasks; ++i) {
    tasks.push_back(std::make_unique<Counting>([&wanted, &heard, i](int) {
      heard[i].store(wanted[i].load());
      return Progress::idle;
    }));
    ids.push_back(executor.add(static_cast<int>(i), *tasks.back()));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int call = 0; call < kCalls; ++call) {
        const auto i = static_cast<std::size_t>(call * 7 + t) % kTasks;
        ++wanted[i];
        executor.wake(ids[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < kTasks; ++i) wait_until([&] { return heard[i] == wanted[i]; });
  for (const RunnableId id : ids) executor.remove(id);
  int total = 0;
  for (const auto& count : heard) total += count;
  CHECK(total == kThreads * kCalls);
}

TEST_CASE("executor: remove waits for the run and lets no other follow", "[platform]") {
  ThreadedExecutor executor(1);
  std::atomic<bool> inside{false};
  auto runnable = std::make_unique<Counting>([&](int) {
    inside = true;
    std::this_thread::sleep_for(20ms);
    inside = false;
    return Progress::progress;
  });
  const RunnableId id = executor.add(0, *runnable);
  while (!inside) std::this_thread::yield();
  executor.remove(id);
  CHECK_FALSE(inside);
  runnable.reset();  // the sanitizers watch that nobody looks at it any more
  executor.wake(id);
  executor.remove(id);
  Counting other;
  const RunnableId other_id = executor.add(0, other);
  other.wait_for_runs(1);
  executor.remove(other_id);
}

TEST_CASE("executor: a task may remove itself, and is gone when its run ends", "[platform]") {
  ThreadedExecutor executor(1);
  RunnableId id;
  std::atomic<bool> added{false};
  Counting runnable([&](int) {
    if (!added) return Progress::progress;
    executor.remove(id);
    return Progress::progress;
  });
  id = executor.add(0, runnable);
  added = true;
  Counting witness;
  const RunnableId witness_id = executor.add(0, witness);
  witness.wait_for_runs(1);
  wait_until([&] {
    const int before = runnable.runs();
    std::this_thread::sleep_for(5ms);
    return runnable.runs() == before;
  });
  const int last = runnable.runs();
  executor.wake(id);
  executor.wake(witness_id);
  witness.wait_for_runs(2);
  CHECK(runnable.runs() == last);
  executor.remove(witness_id);
}

TEST_CASE("executor: adding, waking and removing from many threads agree", "[platform]") {
  ThreadedExecutor executor(2);
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        auto task = std::make_unique<Counting>([&](int run) {
          ++ran;
          return run % 3 == 0 ? Progress::finished : Progress::idle;
        });
        const RunnableId id = executor.add(t, *task);
        executor.wake(id);
        if (i % 2 == 0) task->wait_for_runs(1);
        executor.wake(id);
        executor.remove(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(ran >= 1000);
}

TEST_CASE("executor: holds thousands of tasks on one worker", "[platform]") {
  ThreadedExecutor executor(1);
  std::vector<std::unique_ptr<Counting>> tasks;
  std::vector<RunnableId> ids;
  for (int i = 0; i < 5000; ++i) {
    tasks.push_back(std::make_unique<Counting>());
    ids.push_back(executor.add(0, *tasks.back()));
  }
  for (const auto& task : tasks) task->wait_for_runs(1);
  executor.wake(ids.back());
  tasks.back()->wait_for_runs(2);
  for (const RunnableId id : ids) executor.remove(id);
  CHECK(tasks.front()->runs() == 1);
}

TEST_CASE("executor: ends with tasks that have not finished", "[platform]") {
  Counting busy([](int) { return Progress::progress; });
  Counting idle;
  {
    ThreadedExecutor executor(2);
    executor.add(0, busy);
    executor.add(1, idle);
    busy.wait_for_runs(1);
  }
  const int last = busy.runs();
  std::this_thread::sleep_for(5ms);
  CHECK(busy.runs() == last);
}

TEST_CASE("executor: an id that names nothing does nothing", "[platform]") {
  ThreadedExecutor executor(1);
  executor.wake(RunnableId{});
  executor.remove(RunnableId{});
  Counting runnable;
  executor.remove(executor.add(0, runnable));
  CHECK(runnable.runs() <= 1);
}

TEST_CASE("executor: its threads are named and leave signals to the others", "[platform]") {
  ThreadedExecutor executor(1);
  std::atomic<bool> good{false};
  Counting runnable([&](int) {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    good = std::string(name) == "sr-worker-0" && sigismember(&blocked, SIGTERM) == 1;
    return Progress::finished;
  });
  const RunnableId id = executor.add(0, runnable);
  runnable.wait_for_runs(1);
  executor.remove(id);
  CHECK(good);
}

}  // namespace
}  // namespace streamrun
