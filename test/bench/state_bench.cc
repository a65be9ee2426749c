// Keyed state of some size: what a snapshot costs the task that it is taken of, how fast it becomes
// durable, how fast it is restored, and how much memory an entry takes. Each beside a baseline, in
// turn and in one process; one JSON line a benchmark, as streamrun_microbench. Arguments: rounds,
// entries, scratch folder; or `increments`, a number of checkpoints, entries, scratch folder, and
// where the state lives: `hashmap`, or RocksDB with the compaction `level` or `universal`; or
// `restores`, rounds, entries, scratch folder.
#include "state_bench.h"

#include <atomic>
#include <exception>
#include <functional>
#include <optional>

namespace streamrun::bench {
namespace {

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
      const PlainRestore plain = restore_plainly<Account>(path, entries);
      if (plain.sum_of_keys != entries * (entries - 1) / 2) give_up("the bare loop lost entries");
      return megabytes / plain.seconds;
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
    const double plain_rate = megabytes / write_plainly(path, taken.handle.pieces.front().size());
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

int run(const std::vector<std::string>& words) {
  const auto count = [](const std::string& text) {
    return static_cast<std::uint64_t>(std::strtoull(text.c_str(), nullptr, 10));
  };
  const auto small = [&](const std::string& text) { return static_cast<int>(count(text)); };
  if (words.size() == 5 && words[0] == "increments") {
    measure_increments(small(words[1]), count(words[2]), words[3], words[4]);
  } else if (words.size() == 4 && words[0] == "restores") {
    measure_restores(small(words[1]), count(words[2]), words[3]);
  } else if (words.size() == 3) {
    measure_memory(count(words[1]));
    measure_snapshots(small(words[0]), count(words[1]), words[2]);
  } else {
    std::fprintf(stderr,
                 "usage: streamrun_statebench ROUNDS ENTRIES FOLDER\n"
                 "       streamrun_statebench increments CHECKPOINTS ENTRIES FOLDER "
                 "hashmap|level|universal\n"
                 "       streamrun_statebench restores ROUNDS ENTRIES FOLDER\n");
    return 64;
  }
  return 0;
}

}  // namespace
}  // namespace streamrun::bench

int main(int argc, char** argv) {
  try {
    return streamrun::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
