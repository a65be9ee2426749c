#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/hdfs/hdfs_settings.h>

namespace streamrun {

/// The attempts of one step: how many are left, and the pauses between them, which double and have
/// a random half, so that many clients do not come back at once.
class Backoff {
 public:
  /// Without a clock the time of a step is that of its pauses; `clock` outlives this.
  Backoff(const HdfsSettings& settings, StoreTransport& transport, Random& random,
          const Clock* clock);

  /// After an attempt that may have been done: pauses before the next one; false, at once, if there
  /// is none.
  bool again();
  /// After an attempt of which it is known that nothing was done: these do not count, while the
  /// step has taken less than `patience`.
  bool again_undone(Duration patience);

 private:
  Duration spent() const;
  bool pause(Duration most);

  const HdfsSettings& settings_;
  StoreTransport& transport_;
  Random& random_;
  const Clock* const clock_;
  const Instant begin_;
  Duration paused_{};
  int pauses_ = 0;
  int done_ = 1;  ///< attempts that may have been done, with the one under way
  bool is_impatient_ = false;
};

}  // namespace streamrun
