#include "words.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun::jobs {
namespace {

struct Collecting final : BatchReceiver {
  std::vector<std::string> words;
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    for (const std::string_view word : static_cast<const Batch<std::string>&>(*batch)) {
      words.emplace_back(word);
    }
  }
};

std::vector<std::string> split(std::string_view text, VectorLevel level) {
  // Memory that ends with the text: a sanitizer sees what is read beyond it.
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  if (!text.empty()) std::memcpy(exact.get(), text.data(), text.size());
  Collecting collecting;
  Output<std::string> output;
  output.connect(collecting);
  split_words({exact.get(), text.size()}, output, level);
  output.flush();
  return collecting.words;
}

std::vector<std::string> split_plainly(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (c >= 'A' && c <= 'Z') {
      word += static_cast<char>(c - 'A' + 'a');
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

void check_all_levels(const std::string& text) {
  const std::vector<std::string> expected = split_plainly(text);
  for (const VectorLevel level : {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
    if (level > vector_level()) continue;
    INFO("level " << static_cast<int>(level) << ", " << text.size() << " bytes");
    CHECK((split(text, level) == expected));
  }
}

TEST_CASE("words: every byte is or is not part of one, whatever stands around it", "[jobs]") {
  std::string text;
  for (int c = 0; c < 256; ++c) text += std::string("x") + static_cast<char>(c) + "Y ";
  check_all_levels(text);
}

TEST_CASE("words: texts of every length are cut at their last byte", "[jobs]") {
  std::string text;
  for (std::size_t length = 0; length < 300; ++length) {
    check_all_levels(text);
    check_all_levels(std::string(length, 'A'));
    text += length % 6 == 5 ? ' ' : static_cast<char>('A' + length % 26);
  }
}

TEST_CASE("words: long ones cross any number of chunks and pieces", "[jobs]") {
  for (const std::size_t length : {15U, 16U, 17U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 20'000U}) {
    for (const std::size_t before : {0U, 1U, 63U, 4000U}) {
      check_all_levels(std::string(before, '.') + std::string(length, 'W') + " end");
      check_all_levels(std::string(before, '.') + std::string(length, 'W'));
    }
  }
}

TEST_CASE("words: random text gives the words that a plain loop finds", "[jobs]") {
  std::mt19937 random(1);
  static constexpr std::string_view kBytes = "abcXYZ019 .,\n-@[`{/:\x80\xc3\xe1";
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 10'000, ' ');
    const unsigned spaces = random() % 8;
    for (char& c : text) {
      if (random() % 8 >= spaces) c = kBytes[random() % kBytes.size()];
    }
    check_all_levels(text);
  }
}

}  // namespace
}  // namespace streamrun::jobs
