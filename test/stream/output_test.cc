#include <streamrun/stream/output.h>

#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "collecting.h"

namespace streamrun {
namespace {

TEST_CASE("output: a full batch goes on by itself, a part-filled one when it is flushed",
          "[stream]") {
  const bool swaps = GENERATE(true, false);
  Output<std::int64_t> output;
  CollectingReceiver<std::int64_t> receiver;
  receiver.swaps = swaps;
  output.connect(receiver);
  const auto count = static_cast<std::int64_t>(2 * kBatchRecords + 5);
  for (std::int64_t i = 0; i < count; ++i) output.emit(i);
  CHECK(receiver.sizes == std::vector<std::size_t>{kBatchRecords, kBatchRecords});
  CHECK(output.records() == 2 * kBatchRecords);
  output.flush();
  CHECK(receiver.sizes.back() == 5);
  CHECK(output.records() == static_cast<std::uint64_t>(count));
  REQUIRE(receiver.records.size() == static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    REQUIRE(receiver.records[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("output: flushing nothing sends nothing", "[stream]") {
  Output<std::string> output;
  CollectingReceiver<std::string> receiver;
  output.connect(receiver);
  output.flush();
  output.flush_if_full();
  output.emit("one");
  output.flush_if_full();
  CHECK(receiver.sizes.empty());
  output.flush();
  output.flush();
  CHECK(receiver.sizes == std::vector<std::size_t>{1});
}

TEST_CASE("output: many records may be put into its batch at once", "[stream]") {
  Output<std::string> output;
  CollectingReceiver<std::string> receiver;
  receiver.swaps = GENERATE(true, false);
  output.connect(receiver);
  for (std::size_t i = 0; i < kBatchRecords + 10; ++i) output.batch().append("x");
  output.flush_if_full();
  CHECK(receiver.sizes == std::vector<std::size_t>{kBatchRecords + 10});
  CHECK(output.batch().empty());
}

TEST_CASE("output: an adopted block goes on with its lines counted", "[stream]") {
  Output<std::string> output;
  CollectingReceiver<std::string> receiver;
  receiver.swaps = GENERATE(true, false);
  output.connect(receiver);
  for (int round = 0; round < 2; ++round) {
    TextBlock block = TextBlock::of_capacity(4);
    std::memcpy(block.bytes.get(), "a\nb\n", 4);
    output.batch().adopt_lines(std::move(block), 4);
    output.flush();
  }
  output.emit("c");
  output.flush();
  CHECK(output.records() == 5);
  CHECK(receiver.records == std::vector<std::string>{"a", "b", "a", "b", "c"});
}

TEST_CASE("output: records that can only be moved in are moved", "[stream]") {
  struct Row {
    std::string text;
  };
  Output<Row> output;
  CollectingReceiver<Row> receiver;
  output.connect(receiver);
  Row row{std::string(100, 'x')};
  const char* const bytes = row.text.data();
  output.emit(std::move(row));
  CHECK(output.batch()[0].text.data() == bytes);
}

}  // namespace
}  // namespace streamrun
