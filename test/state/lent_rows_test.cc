#include <streamrun/state/keyed_table.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

TEST_CASE("keyed snapshot: is exact while another thread reads what is lent (S1)", "[state]") {
  ModelledTable<std::int64_t, std::int32_t> table(7, {0, 6});
  SeededRandom random(9);
  const auto keys = some_keys<std::int64_t>(20000, 7, {0, 6});
  for (const std::int64_t key : keys) table.change(key, random);
  for (int round = 0; round < 5; ++round) {
    const auto expected = table.model;
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<SnapshotBlock> lent;
    bool all = false;
    std::map<std::int64_t, std::uint32_t> seen;
    std::thread reader([&] {
      std::unique_lock lock(mutex);
      while (true) {
        arrived.wait(lock, [&] { return all || !lent.empty(); });
        if (lent.empty()) return;
        SnapshotBlock block = std::move(lent.front());
        lent.pop_front();
        lock.unlock();
        StateBytes scratch;
        block.encode(scratch);
        ByteReader in(
            {block.bytes.data() + kStateBlockHeader, block.bytes.size() - kStateBlockHeader});
        for (; block.rows > 0; --block.rows) {
          const auto present = static_cast<std::uint32_t>(in.varint());
          std::int64_t key = 0;
          std::int64_t count = 0;
          std::int32_t note = 0;
          TypeSerializer<std::int64_t>::read(in, key);
          if ((present & 1U) != 0) TypeSerializer<std::int64_t>::read(in, count);
          if ((present & 2U) != 0) TypeSerializer<std::int32_t>::read(in, note);
          const bool first = seen.emplace(key, present).second;
          const auto it = expected.find(key);
          if (!first || it == expected.end() || it->second.count.value_or(0) != count ||
              it->second.note.value_or(0) != note) {
            seen.emplace(-1, 0);  // no key of this test
          }
        }
        lock.lock();
      }
    });
    TableSnapshot& snapshot = table.table.start_snapshot([&](SnapshotBlock block) {
      const std::lock_guard lock(mutex);
      lent.push_back(std::move(block));
      arrived.notify_one();
      return StateBytes();
    });
    REQUIRE(snapshot.lends());
    while (!table.table.advance(snapshot, 1 + random.below(2000))) {
      for (std::size_t i = random.below(300); i > 0; --i)
        table.change(keys[random.below(keys.size())], random);
    }
    for (std::size_t i = 0; i < 2000; ++i) table.change(keys[random.below(keys.size())], random);
    table.table.end_snapshot(snapshot);
    {
      const std::lock_guard lock(mutex);
      all = true;
      arrived.notify_one();
    }
    reader.join();
    CHECK_FALSE(seen.contains(-1));
    CHECK(seen.size() == expected.size());
  }
  CHECK(table.agrees_on(keys));
}

}  // namespace
}  // namespace streamrun
