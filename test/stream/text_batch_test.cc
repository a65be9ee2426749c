#include <streamrun/stream/batch.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "collecting.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using Lines = std::vector<std::string>;

const std::string kLong = "a line that does not fit into its slot";

const Batch<std::string>& text_in(const std::unique_ptr<AnyBatch>& batch) {
  return static_cast<const Batch<std::string>&>(*batch);
}

TEST_CASE("text batch: holds short and long strings with every byte", "[stream]") {
  const Lines lines = {
      "", "a", std::string(15, 'b'), std::string(16, 'c'), kLong, std::string("x\0\n\r", 4)};
  const auto batch = batch_of<std::string>(lines);
  CHECK(batch->size() == 6);
  CHECK(records_of<std::string>(*batch) == lines);
  CHECK(text_in(batch)[4] == kLong);
}

TEST_CASE("text batch: is full by bytes as well as by count", "[stream]") {
  Batch<std::string> few;
  while (!few.full()) few.append(std::string(10000, 'x'));
  CHECK(few.size() == (kBatchBytes + 9999) / 10000);
  Batch<std::string> many;
  while (!many.full()) many.append("short");
  CHECK(many.size() == kBatchRecords);
}

TEST_CASE("text batch: cuts an adopted block into its lines", "[stream]") {
  const auto [text, lines] = GENERATE(table<std::string, Lines>({
      {"", {}},
      {"a", {"a"}},
      {"\n", {""}},
      {"\n\n", {"", ""}},
      {"a\nb\n", {"a", "b"}},
      {"a\n\nb", {"a", "", "b"}},
      {"a\r\nb\r\n", {"a", "b"}},
      {"a\r\nb\r", {"a", "b"}},
      {"\r\n", {""}},
      {"a\rb\nc\r\r\n", {"a\rb", "c\r"}},
      {kLong + "\n" + kLong, {kLong, kLong}},
      {kLong + "\r\nshort", {kLong, "short"}},
  }));
  INFO(text);
  const auto batch = batch_of_lines(text);
  CHECK(batch->size() == lines.size());
  CHECK(batch->empty() == lines.empty());
  CHECK(records_of<std::string>(*batch) == lines);
  CHECK(batch->size() == lines.size());
}

TEST_CASE("text batch: counts the lines of a block without cutting it, at every length",
          "[stream]") {
  SeededRandom random(1);
  for (std::size_t length = 1; length < 10000; length += 1 + length / 7) {
    std::string text(length, ' ');
    for (char& c : text) c = random.below(3) == 0 ? '\n' : 'x';
    const auto batch = batch_of_lines(text);
    const std::size_t counted = batch->size();
    CHECK(counted == records_of<std::string>(*batch).size());
  }
  const std::string newlines(9000, '\n');
  CHECK(batch_of_lines(newlines)->size() == 9000);
}

TEST_CASE(
    "text batch: a function of speed sees an adopted block whole, and single strings one by one",
    "[stream]") {
  std::vector<std::string> pieces;
  const auto collect = [&](std::string_view piece) { pieces.emplace_back(piece); };
  const auto block = batch_of_lines("a\nb\n");
  text_in(block).for_each_text(collect);
  CHECK(pieces == Lines{"a\nb\n"});
  CHECK(text_in(block)[1] == "b");
  pieces.clear();
  text_in(block).for_each_text(collect);
  CHECK(pieces == Lines{"a\nb\n"});
  pieces.clear();
  text_in(batch_of<std::string>({"a", kLong})).for_each_text(collect);
  CHECK(pieces == Lines{"a", kLong});
}

TEST_CASE("text batch: a clone does not share memory with what it was made of", "[stream]") {
  const bool cut_first = GENERATE(true, false);
  auto block = batch_of_lines("short\n" + kLong + "\n");
  if (cut_first) CHECK(text_in(block)[0] == "short");
  auto strings = batch_of<std::string>({"short", kLong});
  for (auto* const original : {&block, &strings}) {
    for (const std::uint32_t hash : {1U, 2U}) (*original)->key_hashes.push_back(hash);
    const auto copy = (*original)->clone();
    original->reset();
    CHECK(copy->size() == 2);
    CHECK(records_of<std::string>(*copy) == Lines{"short", kLong});
    CHECK(std::vector<std::uint32_t>(copy->key_hashes.begin(), copy->key_hashes.end()) ==
          std::vector<std::uint32_t>{1, 2});
  }
}

TEST_CASE("text batch: after clear it takes strings or another block", "[stream]") {
  auto batch = batch_of_lines("a\nb\n");
  auto& text = static_cast<Batch<std::string>&>(*batch);
  CHECK(text[0] == "a");
  text.clear();
  CHECK(text.empty());
  CHECK(records_of<std::string>(text).empty());
  text.append(kLong);
  CHECK(records_of<std::string>(text) == Lines{kLong});
  text.clear();
  TextBlock block = TextBlock::of_capacity(4);
  std::memcpy(block.bytes.get(), "c\nd\n", 4);
  text.adopt_lines(std::move(block), 4);
  CHECK(records_of<std::string>(text) == Lines{"c", "d"});
}

TEST_CASE("text batch: the count of one block is not taken for that of the next", "[stream]") {
  Batch<std::string> batch;
  for (const std::string text : {"a\nb\nc\n", "d\n"}) {
    batch.clear();
    TextBlock block = TextBlock::of_capacity(text.size());
    std::memcpy(block.bytes.get(), text.data(), text.size());
    batch.adopt_lines(std::move(block), text.size());
    CHECK(batch.size() == text.size() / 2);
  }
}

TEST_CASE("text batch: gives its block back for use again", "[stream]") {
  auto batch = batch_of_lines("a\nb\n");
  auto& text = static_cast<Batch<std::string>&>(*batch);
  const TextBlock block = text.take_block();
  CHECK(block.capacity == 10);
  CHECK(block.bytes != nullptr);
  CHECK(text.empty());
  CHECK(text.take_block().bytes == nullptr);
}

}  // namespace
}  // namespace streamrun
