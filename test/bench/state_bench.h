#pragma once

#include <streamrun/operators/keyed_operator.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/rocksdb/rocksdb_state_backend.h>
#include <streamrun/storage/local_file_system.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace streamrun::bench {

using Seconds = std::chrono::duration<double>;
using Steady = std::chrono::steady_clock;
constexpr int kGroups = 128;
constexpr std::size_t kBatch = 1024;
constexpr std::size_t kBlock = 256;

[[noreturn]] inline void give_up(const std::string& what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}
template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().headline());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
inline double seconds_since(Steady::time_point begin) {
  return Seconds(Steady::now() - begin).count();
}

/// One line of figures; without a baseline only what was measured.
struct Row {
  std::string name;
  std::string unit;
  bool lower_is_better = false;
  std::vector<double> ours = {};
  std::vector<double> baseline = {};

  void print() const {
    const auto list = [](const std::vector<double>& values) {
      std::string text;
      for (const double value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
      return text;
    };
    std::printf(
        R"({"name": "%s", "unit": "%s", "lower_is_better": %s, "ours": [%s], "baseline": [%s]})"
        "\n",
        name.c_str(), unit.c_str(), lower_is_better ? "true" : "false", list(ours).c_str(),
        list(baseline).c_str());
    std::fflush(stdout);
  }
};

class Mail {
 public:
  void post(UniqueFunction<void()> letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
    arrived_.notify_one();
  }
  /// Whether there was any.
  bool read(bool wait) {
    std::vector<UniqueFunction<void()>> letters;
    {
      std::unique_lock lock(mutex_);
      if (wait) arrived_.wait(lock, [&] { return !letters_.empty(); });
      letters.swap(letters_);
    }
    for (auto& letter : letters) letter();
    return !letters.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<UniqueFunction<void()>> letters_;  ///< guarded by mutex_
};

/// About 100 bytes with its key of 8.
struct Account {
  std::int64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0;
};
/// What the bar for memory is about.
struct Triple {
  std::int64_t a = 0, b = 0, c = 0;
};

template <typename V>
class State {
 public:
  explicit State(KeyGroupRange range = {0, kGroups - 1}) : table(kGroups, range) {
    number_ = table.add_state({.name = "account",
                               .kind = "value",
                               .key_type = "int64",
                               .namespace_type = "void",
                               .value_type = TypeSerializer<V>::type_name()},
                              operations_of<V>());
    offset_ = table.offset_of(number_);
  }
  /// A batch of updates as a keyed operator does them: `keys` consecutive draws below `below`.
  void update_batch(std::uint64_t below) {
    std::array<std::int64_t, kBlock> keys{};
    for (std::size_t done = 0; done < kBatch; done += kBlock) {
      for (std::int64_t& key : keys) {
        seed_ = seed_ * 6364136223846793005ULL + 1442695040888963407ULL;
        key = static_cast<std::int64_t>((seed_ >> 24U) % below);
      }
      update(keys);
    }
  }
  /// With those of the keys below `entries` that are of its key groups.
  void fill(std::uint64_t entries) {
    std::array<std::int64_t, kBlock> keys{};
    std::size_t count = 0;
    for (std::uint64_t next = 0; next < entries; ++next) {
      const auto key = static_cast<std::int64_t>(next);
      if (!table.key_groups().contains(table.group_of(murmur_hash(java_hash(key))))) continue;
      keys[count] = key;
      if (++count < kBlock) continue;
      count = 0;
      const auto start = Steady::now();
      update(keys);
      longest_fill = std::max(longest_fill, seconds_since(start));
    }
    if (count == 0) return;
    std::fill(keys.begin() + static_cast<std::ptrdiff_t>(count), keys.end(), keys[0]);
    update(keys);
  }

  KeyedTable<std::int64_t> table;
  double longest_fill = 0;

 private:
  void update(const std::array<std::int64_t, kBlock>& keys) {
    std::array<std::uint32_t, kBlock> hashes{};
    std::array<std::byte*, kBlock> homes{};
    for (std::size_t i = 0; i < kBlock; ++i) hashes[i] = java_hash(keys[i]);
    murmur_hash_all(hashes.data(), kBlock);
    if (table.has_store()) {
      table.begin_batch();
      table.load_missing(hashes.data(), kBlock,
                         [&](std::size_t i, const auto& use) { use(keys[i]); });
    }
    table.locate(hashes.data(), kBlock, homes.data());
    std::uint64_t layout = table.layout();
    for (std::size_t i = 0; i < kBlock; ++i) {
      if (table.layout() != layout) {
        layout = table.layout();
        table.locate(hashes.data() + i, kBlock - i, homes.data() + i);
      }
      table.set_current(keys[i], hashes[i], homes[i]);
      std::byte* const row = table.make_current_row();
      table.before_change_of_current(row);
      auto* const value = reinterpret_cast<V*>(row + offset_);
      if (!table.has(row, number_)) {
        table.mark_present(row, number_);
        ::new (value) V();
      }
      ++value->a;
    }
  }
  int number_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t seed_ = 42;
};
/// Seconds to write and sync so many bytes; the file is gone afterwards.
inline double write_plainly(const std::string& path, std::uint64_t length) {
  const auto begin = Steady::now();
  const std::string block(std::size_t{1} << 20U, 'x');
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) give_up("cannot create " + path);
  for (std::uint64_t left = length; left > 0;) {
    const ssize_t written =
        ::write(file, block.data(), std::min<std::uint64_t>(left, block.size()));
    if (written <= 0) give_up("cannot write " + path);
    left -= static_cast<std::uint64_t>(written);
  }
  if (::fsync(file) != 0 || ::close(file) != 0) give_up("cannot sync " + path);
  const double seconds = seconds_since(begin);
  ::unlink(path.c_str());
  return seconds;
}
struct PlainRestore {
  std::uint64_t sum_of_keys = 0;
  double seconds = 0;  ///< until the table is full, not until it is gone
};
/// What a restore can't do without: reads the file, finds each row's place in a flat table of the
/// right size, and copies key and value there. No checks.
template <typename V>
PlainRestore restore_plainly(const std::string& path, std::uint64_t entries,
                             KeyGroupRange range = {0, kGroups - 1}) {
  struct Entry {
    std::int64_t key;
    std::uint64_t used;
    V value;
  };
  const auto begin = Steady::now();
  const std::size_t capacity = entries * 5 / 4 + 16;  // about as full as ours
  const auto first_group = static_cast<std::uint32_t>(range.first);
  const std::size_t groups = static_cast<std::size_t>(range.last) + 1 - first_group;
  const std::unique_ptr<Entry, decltype(&std::free)> table(
      static_cast<Entry*>(std::calloc(capacity, sizeof(Entry))), &std::free);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) give_up("cannot open " + path);
  const off_t size = ::lseek(file, 0, SEEK_END);
  std::vector<char> buffer(std::size_t{1} << 20U);
  std::uint64_t sum = 0;
  off_t at = 0;
  for (std::uint64_t left = entries; left > 0 && at < size;) {
    if (::pread(file, buffer.data(), kStateBlockHeader, at) != ssize_t{kStateBlockHeader}) break;
    ByteReader header({buffer.data(), kStateBlockHeader});
    header.u32();
    header.u16();
    const std::uint32_t rows = header.u32();
    const std::uint32_t length = header.u32();
    if (buffer.size() < length) buffer.resize(length);
    if (::pread(file, buffer.data(), length, at + off_t{kStateBlockHeader}) !=
        static_cast<ssize_t>(length)) {
      break;
    }
    at += static_cast<off_t>(kStateBlockHeader + length);
    const char* from = buffer.data();
    for (std::uint32_t row = 0; row < rows; ++row, --left) {
      ++from;  // which states are there: the one
      std::uint64_t key = 0;
      std::memcpy(&key, from, 8);
      key = __builtin_bswap64(key);
      from += 8;
      const std::uint32_t hash = murmur_hash(java_hash(static_cast<std::int64_t>(key)));
      // In the order of the file, as ours: by key group, then by hash.
      const std::uint32_t spread = hash * 0x9e3779b1U;
      const std::uint64_t within = (std::uint64_t{spread} * (capacity / groups)) >> 32U;
      std::size_t slot = (hash % kGroups - first_group) * (capacity / groups) + within;
      while (table.get()[slot].used != 0) slot = slot + 1 == capacity ? 0 : slot + 1;
      Entry& entry = table.get()[slot];
      entry.key = static_cast<std::int64_t>(key);
      entry.used = 1;
      std::array<std::uint64_t, sizeof(V) / 8> numbers{};
      std::memcpy(numbers.data(), from, sizeof(V));
      for (std::uint64_t& number : numbers) number = __builtin_bswap64(number);
      std::memcpy(static_cast<void*>(&entry.value), numbers.data(), sizeof(V));
      from += sizeof(V);
      sum += key;
    }
  }
  ::close(file);
  return {sum, seconds_since(begin)};
}
inline double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
inline void forget_pages(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}
/// Where state lives that increments are taken of.
class Place {
 public:
  Place(const std::string& name, FileSystem& files, const std::string& folder) {
    if (name == "hashmap") return;
    RocksDbSettings settings;
    settings.directories = {folder};
    // What is written is to be compared with what changed.
    settings.compression_per_level = {"NO_COMPRESSION"};
    if (name == "universal") {
      settings.compaction = RocksDbCompaction::universal;
    } else if (name != "level") {
      give_up("no state backend is called " + name);
    }
    rocksdb_ =
        must(RocksDbStateBackend::open(std::move(settings), files, random_, clock_, "bench"));
  }
  std::unique_ptr<KeyedStateBackend> make(KeyedTableBase& table, IoExecutor& io, Mail& mail) {
    if (rocksdb_ == nullptr) return std::make_unique<HashMapStateBackend>(table, ChainLimits{});
    return must(rocksdb_->make_keyed(
        table, {.io = io,
                .post = [&mail](UniqueFunction<void()> letter) { mail.post(std::move(letter)); },
                .name = "subtask-" + std::to_string(++subtasks_)}));
  }

 private:
  RealRandom random_;
  RealClock clock_;
  std::unique_ptr<RocksDbStateBackend> rocksdb_;
  int subtasks_ = 0;
};
inline std::uint64_t rows_of(KeyedTable<std::int64_t>& table) {
  if (!table.has_store()) return table.size();
  std::uint64_t rows = 0;
  KeyedTable<std::int64_t>::Cursor cursor;
  while (!table.visit(cursor, kBatch, [&](std::byte*, int) { ++rows; })) {
  }
  return rows;
}
/// A snapshot each time that 1 % of the entries have changed, and what it costs. `where`:
/// `hashmap`, or RocksDB with the compaction `level` or `universal`. Prints its figures.
void measure_increments(int checkpoints, std::uint64_t entries, const std::string& folder,
                        const std::string& where);
/// How fast state comes back: RocksDB's own files as they are and at another parallelism, beside
/// one read of them; and in memory, in two subtasks at once. Prints its figures.
void measure_restores(int rounds, std::uint64_t entries, const std::string& folder);

}  // namespace streamrun::bench
