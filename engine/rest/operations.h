#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace streamrun {

/// What was asked for over REST and takes a while: savepoints, checkpoints, disposals. Each has the
/// id of its trigger, which the caller may choose, so that it can ask again when the answer to its
/// question got lost. Thread-safe.
class Operations {
 public:
  enum class Kind { savepoint, checkpoint, disposal };
  /// The member `operation` of Flink's answer, as JSON text.
  using Outcome = Result<std::string>;

  /// How many are kept, and for how long once they are done: Flink's `rest.async.store-duration`.
  static constexpr std::size_t kMost = 64;
  static constexpr Duration kKept = std::chrono::minutes(5);

  explicit Operations(const Clock& clock) : clock_(clock) {}

  enum class Begun { now, before, refused };
  /// `now`: whoever calls has to do it. `before`: that id is known. `refused`: too many are under
  /// way.
  Begun begin(Kind kind, const std::string& id);
  void end(Kind kind, const std::string& id, Outcome outcome);
  /// Nothing if the id is not known; an empty optional inside while it is under way.
  std::optional<std::optional<Outcome>> look(Kind kind, const std::string& id);
  /// Waits until everything that has begun is done and was looked at, at most `most`: whoever waits
  /// for an answer hears it before the process ends. Who has not come for one that is done for so
  /// long does not wait.
  void wait_until_heard(Duration most);

 private:
  struct Operation {
    std::optional<Outcome> outcome = {};
    Instant done_at{};
    bool was_heard = false;
  };
  void forget_old_ones();  // needs mutex_

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Kind, std::string>, Operation> operations_;  // guarded by mutex_
};

}  // namespace streamrun
