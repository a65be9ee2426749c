#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace streamrun::bench {

/// What a baseline reads, with no more than the system calls. A failure ends the process.
class InputFile {
 public:
  explicit InputFile(const char* path) : path_(path), number_(::open(path, O_RDONLY | O_CLOEXEC)) {
    if (number_ < 0) fail();
    ::posix_fadvise(number_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~InputFile() { ::close(number_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Up to `size` bytes; 0 at the end.
  std::size_t read(char* into, std::size_t size) const {
    const ssize_t got = ::read(number_, into, size);
    if (got < 0) fail();
    return static_cast<std::size_t>(got);
  }

 private:
  [[noreturn]] void fail() const {
    std::perror(path_);
    std::exit(1);
  }
  const char* path_;
  int number_;
};

using WordCounts = std::vector<std::pair<std::string, std::uint64_t>>;

inline void print_sorted(WordCounts& rows) {
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& [word, count] : rows) text += word + '\t' + std::to_string(count) + '\n';
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace streamrun::bench
