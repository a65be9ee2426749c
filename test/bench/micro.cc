// Parts of the engine, each beside a bare loop that does the same work and nothing else, in turn
// and in one process. Prints one JSON line a benchmark: rates of both in every round. Arguments:
// rounds, scale in percent.
#include <streamrun/runtime/channel.h>
#include <streamrun/runtime/input_gate.h>
#include <streamrun/state/keyed_state.h>
#include <streamrun/stream/partitioner.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace streamrun::bench {
namespace {

constexpr int kMaxParallelism = 128;

struct Settings {
  int rounds = 7;
  int percent = 100;
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Ends the process if an engine part and its bare loop disagree: then neither figure means
/// anything.
void must_agree(std::uint64_t ours, std::uint64_t bare, const char* what) {
  if (ours == bare) return;
  std::fprintf(stderr, "error: %s: the results differ\n", what);
  std::exit(1);
}

/// Runs both in turn, `rounds` times after one to warm up; each handles `amount` things in `unit`.
void compare(const Settings& settings, const char* name, const char* unit, double amount,
             const std::function<void()>& ours, const std::function<void()>& bare) {
  std::string our_rates;
  std::string bare_rates;
  const auto add = [&](std::string& rates, const std::function<void()>& work, int round) {
    const double rate = amount / seconds_of(work);
    if (round > 0) rates += (rates.empty() ? "" : ", ") + std::to_string(rate);
  };
  for (int round = 0; round <= settings.rounds; ++round) {
    add(our_rates, ours, round);
    add(bare_rates, bare, round);
  }
  std::printf(R"({"name": "%s", "unit": "%s", "ours": [%s], "baseline": [%s]})"
              "\n",
              name, unit, our_rates.c_str(), bare_rates.c_str());
  std::fflush(stdout);
}

std::vector<std::int64_t> random_keys(std::size_t count, std::uint64_t below) {
  std::vector<std::int64_t> keys(count);
  std::uint64_t state = 42;
  for (std::int64_t& key : keys) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    key = static_cast<std::int64_t>((state >> 24U) % below);
  }
  return keys;
}

// ---- keyed exchange of 8-byte records

using Exchange = KeyGroupPartitioner<std::int64_t, std::int64_t, std::identity>;

/// Channels from one subtask to several, which one reader empties.
class Channels {
 public:
  explicit Channels(std::size_t count) : ready_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      channels_.push_back(std::make_unique<Channel>(i, ready_, nobody_, nobody_));
      writers_.push_back(std::make_unique<ChannelWriter>(*channels_.back()));
    }
  }
  Senders senders() const {
    Senders senders;
    for (const auto& writer : writers_) senders.push_back(writer.get());
    return senders;
  }
  bool have_room() {
    return std::all_of(writers_.begin(), writers_.end(),
                       [](auto& writer) { return writer->have_room(); });
  }
  /// Adds up what the channels hold, weighted by the channel's number; counts the records.
  void drain(std::uint64_t& sum, std::uint64_t& records) {
    ready_.take([&](std::size_t, std::uint64_t marked) {
      for (; marked != 0; marked &= marked - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(marked));
        StreamElement element;
        while (channels_[index]->try_pop(element)) {
          const auto& batch = static_cast<const Batch<std::int64_t>&>(*element.batch);
          for (const std::int64_t record : batch)
            sum += static_cast<std::uint64_t>(record) * (index + 1);
          records += batch.size();
          channels_[index]->recycle(std::move(element.batch));
        }
      }
    });
  }

 private:
  ReadyChannels ready_;
  WakeTarget nobody_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;
};

/// Sends all keys in batches; `between` runs after each and as long as there is no room.
void send_all(const std::vector<std::int64_t>& keys, Channels& channels,
              const std::function<void()>& between) {
  Exchange exchange(channels.senders(), kMaxParallelism, {});
  std::unique_ptr<AnyBatch> batch = std::make_unique<Batch<std::int64_t>>();
  for (std::size_t at = 0; at < keys.size(); at += kBatchRecords) {
    const std::size_t count = std::min(kBatchRecords, keys.size() - at);
    std::copy_n(keys.data() + at, count, static_cast<Batch<std::int64_t>&>(*batch).extend(count));
    exchange.receive(batch);
    batch->clear();
    do between();
    while (!channels.have_room());
  }
  exchange.flush();
  while (!channels.have_room()) between();
}

std::uint64_t exchange_on_one_thread(const std::vector<std::int64_t>& keys, std::size_t outputs) {
  Channels channels(outputs);
  std::uint64_t sum = 0;
  std::uint64_t records = 0;
  send_all(keys, channels, [&] { channels.drain(sum, records); });
  while (records < keys.size()) channels.drain(sum, records);
  return sum;
}

std::uint64_t exchange_between_threads(const std::vector<std::int64_t>& keys, std::size_t outputs) {
  Channels channels(outputs);
  std::uint64_t sum = 0;
  std::thread reader([&] {
    std::uint64_t records = 0;
    while (records < keys.size()) {
      const std::uint64_t before = records;
      channels.drain(sum, records);
      if (records == before) std::this_thread::yield();
    }
  });
  send_all(keys, channels, [&] {
    if (!channels.have_room()) std::this_thread::yield();
  });
  reader.join();
  return sum;
}

/// What an exchange cannot do without: hash, choose one of at most two outputs, copy, and read what
/// arrived.
std::uint64_t bare_exchange(const std::vector<std::int64_t>& keys, std::size_t outputs) {
  std::array<std::uint32_t, kBatchRecords> hashes{};
  std::array<std::int64_t, kBatchRecords> first{};
  std::array<std::int64_t, kBatchRecords> second{};
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < keys.size(); at += kBatchRecords) {
    const std::size_t count = std::min(kBatchRecords, keys.size() - at);
    for (std::size_t i = 0; i < count; ++i) hashes[i] = java_hash(keys[at + i]);
    murmur_hash_all(hashes.data(), count);
    if (outputs == 1) {
      std::copy_n(keys.begin() + static_cast<std::ptrdiff_t>(at), count, first.begin());
      for (std::size_t i = 0; i < count; ++i)
        sum += static_cast<std::uint64_t>(first[i]) + (hashes[i] >> 31U);
      continue;
    }
    // Both outputs get the record and one cursor moves on: which one is a coin flip, so there is no
    // branch on it.
    std::size_t firsts = 0;
    for (std::size_t i = 0; i < count; ++i) {
      first[firsts] = keys[at + i];
      second[i - firsts] = keys[at + i];
      firsts += hashes[i] % kMaxParallelism < kMaxParallelism / 2 ? 1 : 0;
    }
    for (std::size_t i = 0; i < firsts; ++i) sum += static_cast<std::uint64_t>(first[i]);
    for (std::size_t i = 0; i < count - firsts; ++i)
      sum += static_cast<std::uint64_t>(second[i]) * 2;
  }
  return sum;
}

void compare_exchanges(const Settings& settings) {
  const auto count =
      static_cast<std::size_t>(20'000) * 1000 / 100 * static_cast<std::size_t>(settings.percent);
  const std::vector<std::int64_t> keys = random_keys(count, 1U << 30U);
  const double millions = static_cast<double>(count) / 1e6;
  std::uint64_t ours = 0;
  std::uint64_t bare = 0;
  const auto run = [&](const char* name, std::size_t outputs, auto exchange) {
    compare(
        settings, name, "M records/s", millions, [&] { ours = exchange(keys, outputs); },
        [&] { bare = bare_exchange(keys, outputs); });
    must_agree(ours, bare, name);
  };
  run("keyed exchange, 1 output, one thread", 1, exchange_on_one_thread);
  run("keyed exchange, 2 outputs, one thread", 2, exchange_on_one_thread);
  run("keyed exchange, 2 outputs, two threads", 2, exchange_between_threads);
}

// ---- channels that nothing comes through

/// One channel that is used among others of a gate that are not. It is set up before time counts.
class GateOfChannels {
 public:
  explicit GateOfChannels(std::size_t channels) : gate_(channels, true) {
    for (std::size_t i = 0; i < channels; ++i) {
      channels_.push_back(std::make_unique<Channel>(i, gate_.ready_channels(), nobody_, nobody_));
      gate_.set_channel(i, *channels_.back());
    }
    writer_.emplace(*channels_[channels / 2]);
  }
  /// Moves batches through, and returns their sum.
  std::uint64_t move(const std::vector<std::int64_t>& keys) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < keys.size(); at += kBatchRecords) {
      std::unique_ptr<AnyBatch> batch = writer_->recycled();
      if (batch == nullptr) batch = std::make_unique<Batch<std::int64_t>>();
      const std::size_t count = std::min(kBatchRecords, keys.size() - at);
      std::copy_n(keys.data() + at, count, static_cast<Batch<std::int64_t>&>(*batch).extend(count));
      writer_->send(std::move(batch));
      GateInput input = gate_.poll();
      auto& received = std::get<std::unique_ptr<AnyBatch>>(input);
      for (const std::int64_t key : static_cast<const Batch<std::int64_t>&>(*received)) {
        sum += murmur_hash(java_hash(key));
      }
      gate_.recycle(std::move(received));
      if (!std::holds_alternative<NoInput>(gate_.poll())) std::abort();  // as a task that runs dry
    }
    return sum;
  }

 private:
  InputGate gate_;
  WakeTarget nobody_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::optional<ChannelWriter> writer_;
};

void compare_idle_channels(const Settings& settings) {
  const auto count = std::size_t{200'000} * static_cast<std::size_t>(settings.percent);
  const std::vector<std::int64_t> keys = random_keys(count, 1U << 30U);
  GateOfChannels many(1001);
  GateOfChannels one(1);
  std::uint64_t ours = 0;
  std::uint64_t bare = 0;
  const char* const name = "a busy channel among 1,000 idle ones / alone";
  compare(
      settings, name, "M records/s", static_cast<double>(count) / 1e6,
      [&] { ours = many.move(keys); }, [&] { bare = one.move(keys); });
  must_agree(ours, bare, name);
}

// ---- keyed state

/// Open addressing, keys and values next to each other, nothing else.
class BareTable {
 public:
  explicit BareTable(std::size_t keys) {
    std::size_t capacity = 16;
    while (capacity * 2 < keys * 3) capacity *= 2;
    rows_.resize(capacity);
  }
  void increment(std::int64_t key) {
    const std::size_t mask = rows_.size() - 1;
    std::size_t slot = (static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15ULL >> 20U) & mask;
    while (rows_[slot].value != 0 && rows_[slot].key != key) slot = (slot + 1) & mask;
    rows_[slot].key = key;
    ++rows_[slot].value;
  }
  std::uint64_t distinct() const {
    return static_cast<std::uint64_t>(
        std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.value != 0; }));
  }

 private:
  struct Row {
    std::int64_t key = 0;
    std::int64_t value = 0;
  };
  std::vector<Row> rows_;
};

/// A table with one counter per key, used as the operator of a process function uses it.
struct CountingState {
  KeyedTable<std::int64_t> table{kMaxParallelism, {0, kMaxParallelism - 1}};
  ValueState<std::int64_t> count{"count"};

  CountingState() { count.bind(table, TypeSerializer<std::int64_t>::type_name()); }
  void increment(std::int64_t key) {
    table.set_current(key, key_hash_of<std::int64_t>(key));
    count.update(count.value_or(0) + 1);
  }
  /// The keys come in batches with their hashes, as behind an exchange.
  void increment_all(const std::vector<std::int64_t>& keys) {
    constexpr std::size_t kBlock = 256;
    std::array<std::uint32_t, kBlock> hashes{};
    std::array<std::byte*, kBlock> homes{};
    for (std::size_t begin = 0; begin < keys.size(); begin += kBlock) {
      const std::size_t count_now = std::min(kBlock, keys.size() - begin);
      for (std::size_t i = 0; i < count_now; ++i) hashes[i] = java_hash(keys[begin + i]);
      murmur_hash_all(hashes.data(), count_now);
      table.locate(hashes.data(), count_now, homes.data());
      std::uint64_t layout = table.layout();
      for (std::size_t i = 0; i < count_now; ++i) {
        if (table.layout() != layout) {
          layout = table.layout();
          table.locate(hashes.data() + i, count_now - i, homes.data() + i);
        }
        table.set_current(keys[begin + i], hashes[i], homes[i]);
        count.update(count.value_or(0) + 1);
      }
    }
  }
};

void compare_updates(const Settings& settings, const char* name, std::uint64_t distinct) {
  const auto updates =
      static_cast<std::size_t>(10'000) * 1000 / 100 * static_cast<std::size_t>(settings.percent);
  const std::vector<std::int64_t> keys = random_keys(updates, distinct);
  CountingState state;
  BareTable table(distinct);
  compare(
      settings, name, "M updates/s", static_cast<double>(updates) / 1e6,
      [&] { state.increment_all(keys); },
      [&] {
        for (const std::int64_t key : keys) table.increment(key);
      });
  must_agree(state.table.size(), table.distinct(), name);
}

}  // namespace
}  // namespace streamrun::bench

int main(int argc, char** argv) {
  using namespace streamrun::bench;
  if (argc != 3) {
    std::fprintf(stderr, "usage: streamrun_microbench ROUNDS PERCENT\n");
    return 64;
  }
  const Settings settings{.rounds = std::atoi(argv[1]), .percent = std::atoi(argv[2])};
  compare_exchanges(settings);
  compare_idle_channels(settings);
  compare_updates(settings, "state updates, 10 k keys", 10'000);
  compare_updates(settings, "state updates, 1 M keys", 1'000'000);
}
