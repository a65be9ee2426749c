#include "s3_uri.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <string_view>

namespace streamrun {
namespace {

constexpr std::size_t kMostKeyBytes = 1024;
constexpr std::size_t kMostBucketBytes = 255;

Error unreadable(ErrorCode code, const std::string& text, std::string reason) {
  return {.code = code,
          .message = "this is no path of S3",
          .where = shortened(text.substr(0, text.find('\0'))),
          .why = std::move(reason),
          .retry = Retry::no};
}

bool is_scheme(std::string_view scheme) {
  const std::string lower = to_lower_ascii(scheme);
  return lower == "s3" || lower == "s3a" || lower == "s3p";
}

bool is_bucket_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool is_bucket(std::string_view name) {
  return !name.empty() && name.size() <= kMostBucketBytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_bucket_character);
}

}  // namespace

Result<S3Uri> parse_s3_uri(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || !is_scheme(std::string_view(text).substr(0, colon)))
    return unreadable(ErrorCode::usage, text, "it is s3://bucket/key");
  if (text.find('\0') != std::string::npos)
    return unreadable(ErrorCode::path, text, "a path with a NUL byte names nothing");
  S3Uri uri;
  bool is_first = true;
  for (const std::string& part : split(std::string_view(text).substr(colon + 1), '/')) {
    if (part.empty()) continue;
    if (is_first) {
      if (!is_bucket(part)) return unreadable(ErrorCode::usage, text, "no bucket has such a name");
      uri.bucket = part;
    } else if (part == "." || part == "..") {
      return unreadable(ErrorCode::path, text, "no file has . or .. in its path");
    } else {
      uri.key += (uri.key.empty() ? "" : "/") + part;
    }
    is_first = false;
  }
  if (uri.key.size() > kMostKeyBytes)
    return unreadable(ErrorCode::path, text, "a key of S3 has at most 1024 bytes");
  return uri;
}

}  // namespace streamrun
