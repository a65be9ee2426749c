#include <streamrun/base/assert.h>
#include <streamrun/base/error.h>
#include <streamrun/platform/start_thread.h>
#include <streamrun/platform/threaded_executor.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace streamrun {

struct ThreadPool::Shared {
  explicit Shared(int limit) : max_threads(static_cast<std::size_t>(limit)) {}

  void work();
  bool needs_thread() const;  // needs mutex
  void start_one();           // needs mutex; takes the newest job back if it can't

  const std::size_t max_threads;

  // Guarded by mutex.
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<UniqueFunction<void()>> jobs;
  std::vector<std::thread> threads;
  std::size_t idle = 0;
  bool stopping = false;
};

void ThreadPool::Shared::work() {
  std::unique_lock lock(mutex);
  while (true) {
    ++idle;
    changed.wait(lock, [this] { return stopping || !jobs.empty(); });
    --idle;
    if (jobs.empty()) return;
    {
      UniqueFunction<void()> job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job();
    }  // what the job owns is released without the lock
    lock.lock();
  }
}

bool ThreadPool::Shared::needs_thread() const {
  // A thread that is just starting is not idle yet, so this may start one more than strictly
  // needed, never too few.
  return !stopping && jobs.size() > idle && threads.size() < max_threads;
}

void ThreadPool::Shared::start_one() {
  try {
    threads.push_back(start_thread("sr-io-" + std::to_string(threads.size()), [this] { work(); }));
  } catch (const ErrorException&) {
    if (!threads.empty()) return;  // those that there are do the work, later
    jobs.pop_back();
    throw;
  }
}

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>(threads)) {
  SR_ASSERT(threads > 0, "a pool has a thread");
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
  // From here on no thread is added: a job submitted by a job is run by the thread that submitted
  // it, or another.
  for (std::thread& thread : shared_->threads) thread.join();
}

void ThreadPool::submit(UniqueFunction<void()> job) {
  const std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back(std::move(job));
  if (shared_->needs_thread()) shared_->start_one();
  shared_->changed.notify_one();
}

}  // namespace streamrun
