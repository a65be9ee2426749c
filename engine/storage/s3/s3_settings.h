#pragma once

#include <streamrun/platform/clock.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace streamrun {

/// Who asks. Secret but for `access_key`: never part of a text for people.
struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};
};

/// What the file system of S3 needs to know; the keys of the configuration are those of Flink's own
/// file systems for S3, and `s3.allow-unconditional`.
struct S3Settings {
  /// `s3.endpoint`: URL of the store, `http://host:port` too. Empty: Amazon's of `region`.
  std::string endpoint = {};
  std::string region = "us-east-1";  ///< `s3.region`
  /// `s3.path.style.access`: the bucket stands in the path, not in the host's name. It always does
  /// where it can't be part of one: an address of numbers, or a bucket with a dot over TLS.
  bool path_style = false;
  /// `s3.access-key`, `s3.secret-key`, or what `find_s3_credentials` found.
  S3Credentials credentials = {};
  /// `s3.upload.min.part.size`: a file above it is sent in parts of this size, at least 5 MiB.
  std::size_t part_bytes = std::size_t{8} << 20U;
  std::size_t least_part_bytes = std::size_t{5} << 20U;  ///< S3's own bound, of all but the last
  std::size_t most_parts_at_once = 4;  ///< `s3.upload.max.concurrent.uploads`, of one file
  /// Memory for what is sent and read ahead at the same time, over all files. Each open file may
  /// have one part beside it.
  std::size_t most_transfer_bytes = std::size_t{64} << 20U;
  int attempts = 5;  ///< of an exchange that can be repeated, the first one included
  Duration first_pause = std::chrono::milliseconds(100);  ///< doubled from attempt to attempt
  Duration longest_pause = std::chrono::seconds(5);
  /// Of one exchange, beside what its bytes may take at 256 KiB/s.
  Duration timeout = std::chrono::seconds(30);
  /// How long a step with all its attempts may take before no other one begins: time-outs add up.
  Duration most_time = std::chrono::minutes(2);
  /// The same of `publish`: what stays in doubt then ends the job.
  Duration most_publish_time = std::chrono::minutes(3);
  /// `s3.allow-unconditional`: also run on a store that ignores `If-None-Match`, where two runners
  /// of one job can overwrite each other's checkpoints.
  bool allow_unconditional = false;
  /// S3's own bound of one server-side copy; above it the copy is made in parts.
  std::uint64_t most_copy_bytes = std::uint64_t{5} << 30U;
  std::uint64_t copy_part_bytes = std::uint64_t{1} << 30U;
};

}  // namespace streamrun
