// Keyed state of some size: what a snapshot costs the task that it is taken of, how fast it becomes
// durable, how fast it is restored, and how much memory an entry takes. Each beside a baseline, in
// turn and in one process; one JSON line a benchmark, as streamrun_microbench. Arguments: rounds,
// entries, scratch folder; or `increments`, a number of checkpoints, entries, scratch folder, and
// where the state lives: `hashmap`, or RocksDB with the compaction `level` or `universal`.
#include <streamrun/operators/keyed_operator.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/rocksdb/rocksdb_state_backend.h>
#include <streamrun/storage/local_file_system.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace streamrun::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using Steady = std::chrono::steady_clock;
constexpr int kGroups = 128;
constexpr std::size_t kBatch = 1024;
constexpr std::size_t kBlock = 256;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}
template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().headline());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
double seconds_since(Steady::time_point begin) {
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
  State() {
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
  void fill(std::uint64_t entries) {
    std::array<std::int64_t, kBlock> keys{};
    for (std::uint64_t begin = 0; begin < entries; begin += kBlock) {
      for (std::size_t i = 0; i < kBlock; ++i) {
        keys[i] = static_cast<std::int64_t>(std::min(begin + i, entries - 1));
      }
      const auto start = Steady::now();
      update(keys);
      longest_fill = std::max(longest_fill, seconds_since(start));
    }
  }

  KeyedTable<std::int64_t> table{kGroups, {0, kGroups - 1}};
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

struct Snapshot {
  KeyedStateHandle handle;
  double seconds = 0;
};

/// Takes a snapshot to `folder`/state, with `between` (a batch) between its slices. Each turn is
/// timed into `turns`.
template <typename V>
Snapshot take_snapshot(State<V>& state, IoExecutor& io, FileSystem& files,
                       const std::string& folder, const std::function<void()>& between,
                       std::vector<double>& turns) {
  HashMapStateBackend backend(state.table);
  Mail mail;
  std::optional<KeyedStateHandle> taken;
  auto writer = std::make_shared<SnapshotFileWriter>(
      io, [&](UniqueFunction<void()> letter) { mail.post(std::move(letter)); }, &files, folder,
      "state", 0);
  const auto begin = Steady::now();
  backend.snapshot(
      1, SharingFilesStrategy::no_sharing, [&] { return writer; }, false,
      [&](Result<KeyedStateHandle> handle) { taken = must(std::move(handle)); });
  bool more = true;
  while (!taken) {
    const auto turn = Steady::now();
    if (more) more = backend.advance_snapshots();
    if (between) between();
    mail.read(!between && !more && !taken);
    turns.push_back(seconds_since(turn));
    if (!more && !taken) more = true;  // a mail may have made room
  }
  return {*std::move(taken), seconds_since(begin)};
}

void write_plainly(const std::string& path, std::uint64_t length) {
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
  ::unlink(path.c_str());
}

/// What a restore can't do without: reads the file, finds each row's place in a flat table of the
/// right size, and copies key and value there. No checks.
template <typename V>
std::uint64_t restore_plainly(const std::string& path, std::uint64_t entries) {
  struct Entry {
    std::int64_t key;
    std::uint64_t used;
    V value;
  };
  const std::size_t capacity = entries * 3 / 2 + 16;
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
      const std::uint64_t within = (std::uint64_t{spread} * (capacity / kGroups)) >> 32U;
      std::size_t slot = (hash % kGroups) * (capacity / kGroups) + within;
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
  return sum;
}

/// Seconds by which a thread that does nothing at all is held up at most while another writes and
/// syncs so many bytes.
double longest_spin_beside_write(const std::string& path, std::uint64_t length) {
  std::atomic<bool> written = false;
  std::thread writer([&] {
    write_plainly(path, length);
    written = true;
  });
  double held_up = 0;
  for (auto last = Steady::now(); !written;) {
    const auto now = Steady::now();
    held_up = std::max(held_up, Seconds(now - last).count());
    last = now;
  }
  writer.join();
  return held_up;
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void forget_pages(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

void measure_snapshots(int rounds, std::uint64_t entries, const std::string& folder) {
  const std::unique_ptr<FileSystem> files = make_local_file_system();
  ThreadPool io(2);
  State<Account> state;
  state.fill(entries);
  const std::string path = folder + "/state";
  Row rate{.name = "updates while a snapshot is written / without", .unit = "M updates/s"};
  Row durable{.name = "snapshot under updates / write + fsync", .unit = "MB/s"};
  Row alone{.name = "snapshot without updates / write + fsync", .unit = "MB/s"};
  Row p99{.name = "turn of a task while a snapshot is written, p99",
          .unit = "ms",
          .lower_is_better = true};
  Row longest{
      .name =
          "turn of a task while a snapshot is written, longest / bare spin beside a plain write",
      .unit = "ms",
      .lower_is_better = true};
  Row restore{.name = "restore / bare insert loop", .unit = "MB/s"};
  Row cold{.name = "restore from disk / bare insert loop from disk", .unit = "MB/s"};
  for (int round = 0; round <= rounds; ++round) {
    const bool counts = round > 0;
    std::uint64_t batches = 0;
    std::vector<double> turns;
    const Snapshot taken = take_snapshot(
        state, io, *files, folder,
        [&] {
          state.update_batch(entries);
          ++batches;
        },
        turns);
    const auto megabytes = static_cast<double>(taken.handle.pieces.front().size()) / 1e6;
    const double updates = static_cast<double>(batches * kBatch) / 1e6;
    const auto begin = Steady::now();
    for (std::uint64_t i = 0; i < batches; ++i) state.update_batch(entries);
    const double without = seconds_since(begin);
    const double held_up =
        longest_spin_beside_write(folder + "/beside", taken.handle.pieces.front().size());
    const auto restore_once = [&](bool from_disk) {
      if (from_disk) forget_pages(path);
      const auto start = Steady::now();
      {
        State<Account> restored;
        HashMapStateBackend backend(restored.table);
        KeyedStateHandle handle = taken.handle;
        handle.pieces.front().file->path = path;
        must(backend.restore({handle}, files.get()));
        if (restored.table.size() != entries) give_up("the restore lost entries");
        const double seconds = seconds_since(start);
        return megabytes / seconds;
      }
    };
    const auto insert_once = [&](bool from_disk) {
      if (from_disk) forget_pages(path);
      const auto start = Steady::now();
      if (restore_plainly<Account>(path, entries) != entries * (entries - 1) / 2)
        give_up("the bare loop lost entries");
      return megabytes / seconds_since(start);
    };
    // Who is second finds memory that the first has just given back.
    const bool ours_first = round % 2 == 0;
    const auto alternate = [&](bool from_disk) -> std::pair<double, double> {
      const double before = ours_first ? restore_once(from_disk) : insert_once(from_disk);
      const double after = ours_first ? insert_once(from_disk) : restore_once(from_disk);
      return ours_first ? std::pair(before, after) : std::pair(after, before);
    };
    const auto [ours_warm, bare_warm] = alternate(false);
    const auto [ours_cold, bare_cold] = alternate(true);
    must(files->remove_file(path));
    const auto plain = Steady::now();
    write_plainly(path, taken.handle.pieces.front().size());
    const double plain_rate = megabytes / seconds_since(plain);
    std::vector<double> ignored;
    const Snapshot quiet = take_snapshot(state, io, *files, folder, {}, ignored);
    must(files->remove_file(path));
    if (!counts) continue;
    rate.ours.push_back(updates / taken.seconds);
    rate.baseline.push_back(updates / without);
    durable.ours.push_back(megabytes / taken.seconds);
    durable.baseline.push_back(plain_rate);
    alone.ours.push_back(megabytes / quiet.seconds);
    alone.baseline.push_back(plain_rate);
    p99.ours.push_back(percentile(turns, 0.99) * 1e3);
    longest.ours.push_back(percentile(turns, 1) * 1e3);
    longest.baseline.push_back(held_up * 1e3);
    restore.ours.push_back(ours_warm);
    restore.baseline.push_back(bare_warm);
    cold.ours.push_back(ours_cold);
    cold.baseline.push_back(bare_cold);
  }
  for (const Row* row : {&rate, &durable, &alone, &p99, &longest, &restore, &cold}) row->print();
}

/// The files that the newest complete snapshot refers to, and nothing else, in a folder.
class ChainFiles {
 public:
  ChainFiles(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  /// What is new in it, in bytes; what it no longer refers to is removed.
  std::uint64_t keep(const KeyedStateHandle& handle) {
    std::map<std::string, std::uint64_t> kept;
    std::uint64_t written = 0;
    for (const StateHandle& piece : handle.pieces) {
      if (!piece.file) give_up("a piece without a file");
      kept[piece.file->path] = piece.size();
      if (!kept_.contains(piece.file->path)) written += piece.size();
    }
    for (const auto& [name, bytes] : kept_) {
      if (!kept.contains(name)) must(files_.remove_file(join_path(folder_, name)));
    }
    kept_ = std::move(kept);
    return written;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [name, bytes] : kept_) sum += bytes;
    return sum;
  }

 private:
  FileSystem& files_;
  std::string folder_;
  std::map<std::string, std::uint64_t> kept_;
};

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

std::uint64_t rows_of(KeyedTable<std::int64_t>& table) {
  if (!table.has_store()) return table.size();
  std::uint64_t rows = 0;
  KeyedTable<std::int64_t>::Cursor cursor;
  while (!table.visit(cursor, kBatch, [&](std::byte*, int) { ++rows; })) {
  }
  return rows;
}

/// A snapshot each time that 1 % of the entries, drawn uniformly, have been updated: at a rate at
/// which that takes a second, while one is written, and the rest at once.
void measure_increments(int checkpoints, std::uint64_t entries, const std::string& folder,
                        const std::string& where) {
  const std::unique_ptr<FileSystem> files = make_local_file_system();
  ThreadPool io(2);
  Mail mail;
  Place place(where, *files, folder);
  State<Account> state;
  const std::unique_ptr<KeyedStateBackend> keyed = place.make(state.table, io, mail);
  KeyedStateBackend& backend = *keyed;
  state.fill(entries);
  ChainFiles chain(*files, folder);
  int names = 0;
  const auto make_writer = [&] {
    return std::make_shared<SnapshotFileWriter>(
        io, [&](UniqueFunction<void()> letter) { mail.post(std::move(letter)); }, files.get(),
        folder, "piece-" + std::to_string(++names), 0);
  };
  const std::uint64_t batches_a_second = entries / 100 / kBatch;
  std::vector<double> turns;
  std::vector<double> times;
  std::vector<double> plain_times;
  double live = 0;
  double written = 0;
  double changed = 0;
  double most_kept = 0;
  double most_pieces = 0;
  double first_rate = 0;
  double plain_rate = 0;
  std::uint64_t batches = 0;
  KeyedStateHandle newest;
  for (CheckpointId id = 1; id <= checkpoints + 1; ++id) {
    const auto updates = static_cast<double>(std::exchange(batches, 0) * kBatch);
    const auto n = static_cast<double>(entries);
    std::optional<KeyedStateHandle> taken;
    const auto begin = Steady::now();
    backend.snapshot(id, SharingFilesStrategy::forward_backward, make_writer, false,
                     [&](Result<KeyedStateHandle> handle) { taken = must(std::move(handle)); });
    while (!taken) {
      const auto turn = Steady::now();
      const bool more = backend.advance_snapshots();
      const double due = seconds_since(begin) * static_cast<double>(batches_a_second);
      const bool is_due = static_cast<double>(batches) < due;
      if (is_due) {
        state.update_batch(entries);
        ++batches;
      }
      const bool had_mail = mail.read(false);
      turns.push_back(seconds_since(turn));
      if (!more && !is_due && !had_mail && !taken) mail.read(true);
    }
    const double seconds = seconds_since(begin);
    newest = *std::move(taken);
    backend.notify_complete(id);
    const std::uint64_t new_bytes = chain.keep(newest);
    const auto plain = Steady::now();
    write_plainly(folder + "/beside", new_bytes);
    const double plain_seconds = seconds_since(plain);
    for (; batches < batches_a_second; ++batches) state.update_batch(entries);
    if (id == 1) {
      live = static_cast<double>(new_bytes);
      first_rate = live / 1e6 / seconds;
      plain_rate = live / 1e6 / plain_seconds;
      continue;
    }
    written += static_cast<double>(new_bytes);
    changed += live * (1 - std::pow(1 - 1 / n, updates));
    most_kept = std::max(most_kept, static_cast<double>(chain.bytes()));
    most_pieces = std::max(most_pieces, static_cast<double>(newest.pieces.size()));
    times.push_back(seconds * 1e3);
    plain_times.push_back(plain_seconds * 1e3);
  }
  double restored_seconds = 0;
  const auto start = Steady::now();
  {
    State<Account> restored;
    for (StateHandle& piece : newest.pieces) piece.file->path = join_path(folder, piece.file->path);
    const auto other = place.make(restored.table, io, mail);
    must(other->restore({newest}, files.get()));
    restored_seconds = seconds_since(start);
    if (rows_of(restored.table) != entries) give_up("the restore lost entries");
  }
  for (const StateHandle& piece : newest.pieces) must(files->remove_file(piece.file->path));
  const auto lower = [](std::string name, std::string unit, double ours,
                        std::vector<double> baseline = {}) {
    Row{.name = std::move(name),
        .unit = std::move(unit),
        .lower_is_better = true,
        .ours = {ours},
        .baseline = std::move(baseline)}
        .print();
  };
  lower("increments: written / changed", "bytes", written, {changed});
  lower("increments: kept at most / live", "bytes", most_kept, {live});
  lower("increments: pieces at most", "pieces", most_pieces);
  lower("increments: turn of a task, p99", "ms", percentile(turns, 0.99) * 1e3);
  lower("increments: turn of a task, longest", "ms", percentile(turns, 1) * 1e3);
  for (const double share : {0.5, 0.9, 0.99}) {
    lower("increments: time of one / write + fsync of as much, p" +
              std::to_string(static_cast<int>(share * 100)),
          "ms", percentile(times, share), {percentile(plain_times, share)});
  }
  Row{.name = "increments: the first, full one / write + fsync",
      .unit = "MB/s",
      .ours = {first_rate},
      .baseline = {plain_rate}}
      .print();
  Row{.name = "increments: restore of all pieces, live bytes",
      .unit = "MB/s",
      .ours = {live / 1e6 / restored_seconds}}
      .print();
}

void measure_memory(std::uint64_t entries) {
  State<Triple> state;
  state.fill(entries);
  const auto raw = static_cast<double>(sizeof(std::int64_t) + sizeof(Triple));
  const double per_entry =
      static_cast<double>(state.table.row_bytes()) / static_cast<double>(entries);
  Row{.name = "memory of an entry / its raw bytes (8-byte key, 24-byte value)",
      .unit = "bytes",
      .lower_is_better = true,
      .ours = {per_entry},
      .baseline = {raw}}
      .print();
  Row{.name = "256 inserts while the table grows from empty, longest",
      .unit = "ms",
      .lower_is_better = true,
      .ours = {state.longest_fill * 1e3},
      .baseline = {}}
      .print();
}

}  // namespace
}  // namespace streamrun::bench

int main(int argc, char** argv) {
  const bool increments = argc == 6 && std::string(argv[1]) == "increments";
  if (argc != 4 && !increments) {
    std::fprintf(stderr,
                 "usage: streamrun_statebench ROUNDS ENTRIES FOLDER\n"
                 "       streamrun_statebench increments CHECKPOINTS ENTRIES FOLDER "
                 "hashmap|level|universal\n");
    return 64;
  }
  try {
    if (increments) {
      streamrun::bench::measure_increments(
          std::atoi(argv[2]), static_cast<std::uint64_t>(std::strtoull(argv[3], nullptr, 10)),
          argv[4], argv[5]);
      return 0;
    }
    const auto entries = static_cast<std::uint64_t>(std::strtoull(argv[2], nullptr, 10));
    streamrun::bench::measure_memory(entries);
    streamrun::bench::measure_snapshots(std::atoi(argv[1]), entries, argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
