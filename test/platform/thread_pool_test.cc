#include <streamrun/platform/threaded_executor.h>

#include <array>
#include <atomic>
#include <csignal>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>

namespace streamrun {
namespace {

TEST_CASE("thread pool: runs everything that was submitted before it ends", "[platform]") {
  std::atomic<int> ran{0};
  {
    ThreadPool pool(3);
    for (int i = 0; i < 10'000; ++i) pool.submit([&ran] { ++ran; });
  }
  CHECK(ran == 10'000);
}

TEST_CASE("thread pool: a job may submit another, also while the pool ends", "[platform]") {
  std::atomic<int> ran{0};
  {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) {
      pool.submit([&] {
        ++ran;
        pool.submit([&] { ++ran; });
      });
    }
  }
  CHECK(ran == 200);
}

TEST_CASE("thread pool: as many jobs block at once as it may have threads", "[platform]") {
  ThreadPool pool(4);
  std::latch all_running(4);
  for (int i = 0; i < 4; ++i) pool.submit([&] { all_running.arrive_and_wait(); });
  all_running.wait();
  SUCCEED("four jobs waited for each other");
}

TEST_CASE("thread pool: never has more threads than it may", "[platform]") {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  {
    ThreadPool pool(2);
    for (int i = 0; i < 1000; ++i) {
      pool.submit([&] {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      });
    }
  }
  CHECK(threads.size() <= 2);
  CHECK(threads.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("thread pool: takes jobs that can't be copied and frees them after the run",
          "[platform]") {
  auto owned = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = owned;
  int seen = 0;
  {
    ThreadPool pool(1);
    pool.submit([moved = std::make_unique<std::shared_ptr<int>>(std::move(owned)), &seen] {
      seen = **moved;
    });
  }
  CHECK(seen == 7);
  CHECK(watch.expired());
}

TEST_CASE("thread pool: its threads have a name and leave signals to the others", "[platform]") {
  std::string name;
  bool terminate_blocked = false;
  bool fault_blocked = true;
  {
    ThreadPool pool(1);
    pool.submit([&] {
      std::array<char, 16> text{};
      pthread_getname_np(pthread_self(), text.data(), text.size());
      name = text.data();
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      terminate_blocked = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGINT) == 1;
      fault_blocked = sigismember(&blocked, SIGSEGV) == 1;
    });
  }
  CHECK(name == "sr-io-0");
  CHECK(terminate_blocked);
  CHECK_FALSE(fault_blocked);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGTERM) == 0);
}

}  // namespace
}  // namespace streamrun
