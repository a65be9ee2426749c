#pragma once

#include <streamrun/base/result.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "s3_client.h"

namespace streamrun {

/// Writes that succeed only where nothing is (`If-None-Match: *`): what makes a name exclusive on
/// S3. Thread-safe.
class ConditionalPut {
 public:
  explicit ConditionalPut(S3Client& client) : client_(client) {}

  /// Whether what lies under the name is what the request writes; nothing if nothing is there. One
  /// attempt.
  using IsOurs = std::function<Result<std::optional<bool>>()>;
  /// What a 2xx must look like to be one.
  using Check = std::function<Result<void>(const HttpResponse&)>;

  /// Sends the request with the condition. True: what it writes is there. False: the name is taken.
  /// Whenever the outcome can't be told from the answer, `is_ours` tells: a reply that was lost
  /// makes the next attempt find its own object. The first one for a bucket makes sure that the
  /// store keeps the condition: E-STORE-IO if it does not, unless that is allowed. While the
  /// outcome is in doubt it is asked for `more` times than other requests.
  Result<bool> send(S3Request request, const Check& check, const IsOurs& is_ours, int more = 0);

 private:
  Result<bool> is_enforced(const S3Request& beside);
  Result<bool> probe(const S3Request& beside);
  Result<bool> take_place(S3Request& request, const Check& check, const IsOurs& is_ours);

  S3Client& client_;
  std::mutex mutex_;                      ///< held while a bucket is probed
  std::map<std::string, bool> enforced_;  ///< by bucket; guarded by mutex_
};

}  // namespace streamrun
