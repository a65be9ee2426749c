#pragma once

#include <streamrun/base/result.h>

#include <functional>
#include <future>
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
  /// store keeps the condition: E-STORE-IO if it does not, unless that is allowed.
  Result<bool> send(S3Request request, const Check& check, const IsOurs& is_ours);
  /// The same with more attempts, as the settings say of publishing. E-STORE-FATAL if an attempt
  /// may have come to the server and nothing lies there in the end: it may still appear.
  Result<bool> publish(S3Request request, const Check& check, const IsOurs& is_ours);

 private:
  /// What a probe found.
  using Probed = std::shared_future<Result<bool>>;
  struct Effort {
    Instant deadline;
    int more_attempts = 0;
    bool is_in_doubt = false;  ///< an attempt may have been done, or may be done late
  };

  Result<bool> send(S3Request& request, const Check& check, const IsOurs& is_ours, Effort& effort);
  Result<bool> is_enforced(const S3Request& beside, Instant deadline);
  Result<bool> probe_with_others(const S3Request& beside, Instant deadline);
  Result<bool> probe(const S3Request& beside, Instant deadline);
  Result<bool> take_place(S3Request& request, const Check& check, const IsOurs& is_ours,
                          Effort& effort);

  S3Client& client_;
  std::mutex mutex_;
  // by bucket; guarded by mutex_
  std::map<std::string, bool> enforced_;
  std::map<std::string, Probed> under_way_;
};

}  // namespace streamrun
