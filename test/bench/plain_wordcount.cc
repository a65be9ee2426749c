// Word count as one would write it without thinking about speed: a loop over characters and a hash
// map.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench_io.h"

namespace {

using Counts = std::unordered_map<std::string, std::int64_t>;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void end_word(std::string& word, Counts& counts) {
  if (!word.empty()) ++counts[word];
  word.clear();
}

void count_file(const char* path, Counts& counts) {
  const streamrun::bench::InputFile file(path);
  std::vector<char> block(std::size_t{256} << 10U);
  std::string word;
  while (const std::size_t size = file.read(block.data(), block.size())) {
    for (std::size_t i = 0; i < size; ++i) {
      if (is_word_character(block[i])) {
        word += lower_case(block[i]);
      } else {
        end_word(word, counts);
      }
    }
  }
  end_word(word, counts);
}

}  // namespace

int main(int argc, char** argv) {
  Counts counts;
  for (int i = 1; i < argc; ++i) count_file(argv[i], counts);
  streamrun::bench::WordCounts rows(counts.begin(), counts.end());
  streamrun::bench::print_sorted(rows);
}
