#include <streamrun/stream/partitioner.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "collecting.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

struct Order {
  std::string customer;
  std::int64_t number = 0;
  bool operator==(const Order&) const = default;
};

struct CustomerOf {
  const std::string& operator()(const Order& order) const { return order.customer; }
};

std::string key_text(std::uint64_t key) {
  return key % 2 == 0 ? "k" + std::to_string(key)
                      : "customer with a long name " + std::to_string(key);
}

std::size_t owner_of(std::string_view key, std::size_t parallelism, int max_parallelism) {
  const int group = key_group_of_hash(murmur_hash(java_hash(key)), max_parallelism);
  return static_cast<std::size_t>(
      subtask_of_key_group(group, static_cast<int>(parallelism), max_parallelism));
}

TEST_CASE("forward partitioner: passes whole batches on and drops hashes of an earlier exchange",
          "[stream]") {
  Channels channels(1);
  ForwardPartitioner partitioner(channels.senders());
  auto batch = batch_of<std::int64_t>({1, 2, 3});
  for (const std::uint32_t hash : {1U, 2U, 3U}) batch->key_hashes.push_back(hash);
  partitioner.receive(batch);
  REQUIRE(batch != nullptr);
  CHECK(batch->empty());
  CHECK(channels[0].records<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3});
  CHECK(channels[0].hashes().empty());
}

TEST_CASE("partitioners: fill used batches again before they make new ones", "[stream]") {
  Channels channels(1);
  ForwardPartitioner partitioner(channels.senders());
  channels[0].used.push_back(std::make_unique<Batch<std::int64_t>>());
  const AnyBatch* const used = channels[0].used.back().get();
  auto batch = batch_of<std::int64_t>({1});
  partitioner.receive(batch);
  CHECK(batch.get() == used);
}

TEST_CASE("rebalance partitioner: deals whole batches out in turn, from its own subtask on",
          "[stream]") {
  Channels channels(3);
  RebalancePartitioner partitioner(channels.senders(), 4);
  for (std::int64_t i = 0; i < 7; ++i) {
    auto batch = batch_of<std::int64_t>({i, i + 100});
    partitioner.receive(batch);
    CHECK(batch->empty());
  }
  CHECK(channels[0].records<std::int64_t>() == std::vector<std::int64_t>{2, 102, 5, 105});
  CHECK(channels[1].records<std::int64_t>() == std::vector<std::int64_t>{0, 100, 3, 103, 6, 106});
  CHECK(channels[2].records<std::int64_t>() == std::vector<std::int64_t>{1, 101, 4, 104});
}

TEST_CASE("broadcast partitioner: gives every record to every channel", "[stream]") {
  Channels channels(3);
  BroadcastPartitioner partitioner(channels.senders());
  auto batch = batch_of_lines("a\nb\n");
  partitioner.receive(batch);
  CHECK(batch->empty());
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(channels[i].records<std::string>() == std::vector<std::string>{"a", "b"});
  }
}

TEST_CASE(
    "key group partitioner: each record goes to the subtask that Flink gives its key, in order per "
    "key",
    "[stream]") {
  const int max_parallelism = GENERATE(7, 128, 32768);
  const std::size_t parallelism = GENERATE(1U, 2U, 3U, 7U);
  INFO("parallelism " << parallelism << " of " << max_parallelism);
  Channels channels(parallelism);
  KeyGroupPartitioner<Order, std::string, CustomerOf> partitioner(channels.senders(),
                                                                  max_parallelism, CustomerOf());
  SeededRandom random(parallelism);
  std::map<std::string, std::vector<std::int64_t>> expected;
  std::int64_t number = 0;
  for (int i = 0; i < 60; ++i) {
    std::vector<Order> orders;
    for (std::uint64_t left = random.below(300); left > 0; --left) {
      orders.push_back({key_text(random.below(500)), number++});
      expected[orders.back().customer].push_back(orders.back().number);
    }
    auto batch = batch_of(orders);
    partitioner.receive(batch);
    REQUIRE(batch != nullptr);
    batch->clear();
    if (random.below(5) == 0) partitioner.flush();
  }
  partitioner.flush();

  std::map<std::string, std::vector<std::int64_t>> seen;
  for (std::size_t subtask = 0; subtask < parallelism; ++subtask) {
    const auto orders = channels[subtask].records<Order>();
    const auto hashes = channels[subtask].hashes();
    REQUIRE(hashes.size() == orders.size());
    for (std::size_t i = 0; i < orders.size(); ++i) {
      REQUIRE(owner_of(orders[i].customer, parallelism, max_parallelism) == subtask);
      REQUIRE(hashes[i] == murmur_hash(java_hash(orders[i].customer)));
      seen[orders[i].customer].push_back(orders[i].number);
    }
  }
  CHECK(seen == expected);
}

TEST_CASE(
    "key group partitioner: texts that are their own keys arrive whole, cut from a block or not",
    "[stream]") {
  const std::size_t parallelism = GENERATE(1U, 3U);
  const VectorLevel level = GENERATE(VectorLevel::baseline, vector_level());
  Channels channels(parallelism);
  KeyGroupPartitioner<std::string, std::string, std::identity> partitioner(channels.senders(), 128,
                                                                           {}, level);
  std::vector<std::string> expected;
  std::string text;
  for (std::uint64_t i = 0; i < 500; ++i) {
    expected.push_back(key_text(i));
    text += key_text(i) + "\n";
  }
  auto block = batch_of_lines(text);
  partitioner.receive(block);
  block.reset();
  auto strings = batch_of(expected);
  partitioner.receive(strings);
  strings.reset();
  partitioner.flush();
  std::vector<std::string> seen;
  for (std::size_t subtask = 0; subtask < parallelism; ++subtask) {
    const auto records = channels[subtask].records<std::string>();
    const auto hashes = channels[subtask].hashes();
    REQUIRE(hashes.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      CHECK(owner_of(records[i], parallelism, 128) == subtask);
      CHECK(hashes[i] == murmur_hash(java_hash(records[i])));
      seen.push_back(records[i]);
    }
  }
  const std::vector<std::string> once = expected;
  expected.insert(expected.end(), once.begin(), once.end());
  std::sort(seen.begin(), seen.end());
  std::sort(expected.begin(), expected.end());
  CHECK((seen == expected));
}

TEMPLATE_TEST_CASE(
    "key group partitioner: numbers of every size arrive in order, however many targets there are",
    "[stream]", std::int16_t, std::int32_t, std::int64_t) {
  const std::size_t parallelism = GENERATE(1U, 2U, 3U, 15U, 16U, 17U);
  const int max_parallelism = GENERATE(100, 128, 32768);
  const VectorLevel level = GENERATE(VectorLevel::baseline, vector_level());
  INFO(parallelism << " of " << max_parallelism << ", level " << static_cast<int>(level));
  using Number = TestType;
  Channels channels(parallelism);
  KeyGroupPartitioner<Number, Number, std::identity> partitioner(channels.senders(),
                                                                 max_parallelism, {}, level);
  std::vector<std::vector<Number>> expected(parallelism);
  std::uint32_t seed = 7;
  for (const std::size_t size : {1U, 15U, 64U, 65U, 1024U, 1000U, 2047U}) {
    std::vector<Number> numbers(size);
    for (Number& number : numbers) {
      seed = seed * 1664525U + 1013904223U;
      number = static_cast<Number>(seed >> 12U);
      const int group = key_group_of_hash(key_hash_of<Number>(number), max_parallelism);
      expected[static_cast<std::size_t>(
                   subtask_of_key_group(group, static_cast<int>(parallelism), max_parallelism))]
          .push_back(number);
    }
    auto batch = batch_of(numbers);
    partitioner.receive(batch);
    batch->clear();
  }
  partitioner.flush();
  for (std::size_t subtask = 0; subtask < parallelism; ++subtask) {
    const auto records = channels[subtask].template records<Number>();
    CHECK((records == expected[subtask]));
    const auto hashes = channels[subtask].hashes();
    REQUIRE(hashes.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      REQUIRE(hashes[i] == key_hash_of<Number>(records[i]));
    }
  }
}

TEST_CASE("key group partitioner: full batches leave at once, part-filled ones when it is flushed",
          "[stream]") {
  Channels channels(2);
  KeyGroupPartitioner<std::int64_t, std::int64_t, std::identity> partitioner(channels.senders(),
                                                                             128, {});
  const auto batch_count = [&] { return channels[0].sent.size() + channels[1].sent.size(); };
  auto batch = batch_of(std::vector<std::int64_t>(10, 42));
  partitioner.receive(batch);
  CHECK(batch_count() == 0);
  partitioner.flush();
  CHECK(batch_count() == 1);
  partitioner.flush();
  CHECK(batch_count() == 1);
  batch = batch_of(std::vector<std::int64_t>(kBatchRecords, 42));
  partitioner.receive(batch);
  CHECK(batch_count() == 2);
  partitioner.flush();
  CHECK(batch_count() == 2);
}

TEST_CASE("key group partitioner: hashes of an earlier exchange are not taken for its own",
          "[stream]") {
  Channels channels(1);
  KeyGroupPartitioner<std::int64_t, std::int64_t, std::identity> partitioner(channels.senders(),
                                                                             128, {});
  auto batch = batch_of<std::int64_t>({5});
  for (const std::uint32_t hash : {1U, 2U, 3U}) batch->key_hashes.push_back(hash);
  partitioner.receive(batch);
  CHECK(channels[0].hashes() == std::vector<std::uint32_t>{key_hash_of<std::int64_t>(5)});
}

}  // namespace
}  // namespace streamrun
