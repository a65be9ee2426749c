#include <cmath>
#include <map>
#include <optional>

#include "state_bench.h"

namespace streamrun::bench {
namespace {

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
}  // namespace

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
    const double plain_seconds = write_plainly(folder + "/beside", new_bytes);
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
}  // namespace streamrun::bench
