#pragma once

#include <streamrun/base/result.h>

#include <string>

namespace streamrun {

/// `s3://bucket/some/key`, taken apart. An empty key is the bucket itself; an empty bucket (`s3:`,
/// what the parent of a bucket reads like) all of the store.
struct S3Uri {
  std::string bucket;
  std::string key;  ///< without slashes at its ends
};

/// Schemes s3, s3a and s3p. Doubled slashes count once and `%` has no meaning, as for Hadoop.
/// E-USAGE for what is no such URI; E-PATH for a key with `.` or `..` in it, a NUL, or above 1024
/// bytes, which names nothing.
Result<S3Uri> parse_s3_uri(const std::string& text);

}  // namespace streamrun
