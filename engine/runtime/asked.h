#pragma once

#include <streamrun/base/result.h>

#include <functional>
#include <utility>

namespace streamrun {

/// What whoever asks a job hears when it has ended.
inline Error job_has_ended() {
  return {.code = ErrorCode::unavailable, .message = "the job has ended", .retry = Retry::no};
}

/// A question that is answered exactly once: by `operator()`, or when it is dropped, which happens
/// to mail that a job does not read any more.
template <typename T>
class Asked {
 public:
  explicit Asked(std::function<void(Result<T>)> answer) : answer_(std::move(answer)) {}
  Asked(Asked&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}
  Asked& operator=(Asked&& other) noexcept {
    std::swap(answer_, other.answer_);
    return *this;
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() {
    if (answer_) answer_(job_has_ended());
  }

  /// Once.
  void operator()(Result<T> result) {
    const auto answer = std::exchange(answer_, nullptr);
    if (answer) answer(std::move(result));
  }

 private:
  std::function<void(Result<T>)> answer_;
};

}  // namespace streamrun
