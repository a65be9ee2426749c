#include <streamrun/state/shared_file.h>

#include <algorithm>

namespace streamrun {
namespace {

constexpr std::size_t kDigestDigits = 32;
constexpr std::size_t kMostLengthDigits = 16;  // of 2^53
constexpr std::string_view kTemporaryPrefix = ".tmp-";

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// One spelling a number, so that one content has one name.
bool is_length(std::string_view text) {
  if (text.empty() || text.size() > kMostLengthDigits) return false;
  if (text.front() == '0' && text.size() > 1) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string shared_file_name(const StateFile& file) {
  return file.xxh3 + "-" + std::to_string(file.length);
}

bool is_shared_file_name(std::string_view name) {
  return name.size() > kDigestDigits && name[kDigestDigits] == '-' &&
         is_digest(name.substr(0, kDigestDigits)) && is_length(name.substr(kDigestDigits + 1));
}

std::string shared_temporary_name(std::string_view uuid) {
  return std::string(kTemporaryPrefix) + std::string(uuid);
}

bool is_shared_temporary_name(std::string_view name) {
  return name.starts_with(kTemporaryPrefix) && is_digest(name.substr(kTemporaryPrefix.size()));
}

bool is_shared_path(std::string_view path) {
  return path.starts_with(kSharedPrefix) && is_shared_file_name(path.substr(kSharedPrefix.size()));
}

}  // namespace streamrun
