#pragma once

#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/hdfs/hdfs_settings.h>

namespace streamrun {

/// The attempts of one step: how many are left, and the pauses between them, which double and have
/// a random half, so that many clients do not come back at once.
class Backoff {
 public:
  Backoff(const HdfsSettings& settings, StoreTransport& transport, Random& random)
      : settings_(settings), transport_(transport), random_(random) {}

  /// Pauses before the next attempt; false, at once, if there is none.
  bool again();

 private:
  const HdfsSettings& settings_;
  StoreTransport& transport_;
  Random& random_;
  int done_ = 1;  ///< attempts, with the one under way
};

}  // namespace streamrun
