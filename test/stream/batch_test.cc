#include <streamrun/stream/batch.h>

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "collecting.h"

namespace streamrun {
namespace {

struct Order {
  std::string customer;
  std::int64_t cents = 0;
  bool operator==(const Order&) const = default;
};

TEST_CASE("batch: keeps records in order and is full at its limit", "[stream]") {
  Batch<Order> batch;
  for (std::size_t i = 0; i < kBatchRecords; ++i) {
    CHECK_FALSE(batch.full());
    batch.append(Order{"c" + std::to_string(i), static_cast<std::int64_t>(i)});
  }
  CHECK(batch.full());
  CHECK(batch.size() == kBatchRecords);
  CHECK(batch[17] == Order{"c17", 17});
}

TEST_CASE("batch: a clone is the same and independent, hashes too", "[stream]") {
  const auto batch = batch_of<Order>({{"a", 1}, {"b", 2}});
  for (const std::uint32_t hash : {7U, 8U}) batch->key_hashes.push_back(hash);
  const auto copy = batch->clone();
  batch->clear();
  CHECK(records_of<Order>(*copy) == std::vector<Order>{{"a", 1}, {"b", 2}});
  CHECK(std::vector<std::uint32_t>(copy->key_hashes.begin(), copy->key_hashes.end()) ==
        std::vector<std::uint32_t>{7, 8});
  CHECK(batch->empty());
  CHECK(batch->key_hashes.empty());
  CHECK(copy->make_empty()->empty());
}

}  // namespace
}  // namespace streamrun
