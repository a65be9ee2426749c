#include <functional>
#include <optional>

#include "state_bench.h"

namespace streamrun::bench {
namespace {

using Handles = std::vector<KeyedStateHandle>;

/// The state of an operator in some subtasks, each on a thread of its own while it is restored.
class Subtasks {
 public:
  Subtasks(Place& place, int parallelism, IoExecutor& io, Mail& mail) {
    for (int i = 0; i < parallelism; ++i) {
      states_.push_back(
          std::make_unique<State<Account>>(key_group_range_of(i, parallelism, kGroups)));
      backends_.push_back(place.make(states_.back()->table, io, mail));
    }
  }
  void fill(std::uint64_t entries) {
    for (const auto& state : states_) state->fill(entries);
  }
  /// Seconds until the last one has what is its own.
  double restore(const Handles& handles, FileSystem& files) {
    const auto begin = Steady::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      threads.emplace_back([&, i] {
        Handles own;
        for (const KeyedStateHandle& handle : handles) {
          const KeyGroupRange mine = states_[i]->table.key_groups();
          if (handle.key_groups.first <= mine.last && mine.first <= handle.key_groups.last)
            own.push_back(handle);
        }
        must(backends_[i]->restore(own, &files));
      });
    }
    for (std::thread& thread : threads) thread.join();
    return seconds_since(begin);
  }
  Handles snapshot(IoExecutor& io, Mail& mail, FileSystem& files, const std::string& folder) {
    Handles handles;
    for (const auto& backend : backends_) {
      std::optional<KeyedStateHandle> taken;
      int names = 0;
      const std::string name = "state-" + std::to_string(handles.size()) + "-";
      backend->snapshot(
          1, SharingFilesStrategy::forward_backward,
          [&] {
            return std::make_shared<SnapshotFileWriter>(
                io, [&](UniqueFunction<void()> letter) { mail.post(std::move(letter)); }, &files,
                folder, name + std::to_string(++names), 0);
          },
          false, [&](Result<KeyedStateHandle> handle) { taken = must(std::move(handle)); });
      while (!taken) {
        const bool more = backend->advance_snapshots();
        mail.read(!more && !taken);
      }
      for (StateHandle& piece : taken->pieces)
        piece.file->path = join_path(folder, piece.file->path);
      handles.push_back(*std::move(taken));
    }
    return handles;
  }
  std::uint64_t rows() {
    std::uint64_t sum = 0;
    for (const auto& state : states_) sum += rows_of(state->table);
    return sum;
  }

 private:
  std::vector<std::unique_ptr<State<Account>>> states_;
  std::vector<std::unique_ptr<KeyedStateBackend>> backends_;
};

void for_each_file(const Handles& handles, const std::function<void(const StateFile&)>& use) {
  for (const KeyedStateHandle& handle : handles) {
    for (const StateHandle& piece : handle.pieces) use(*piece.file);
  }
}
void forget_pages_of(const Handles& handles) {
  for_each_file(handles, [](const StateFile& file) { forget_pages(file.path); });
}
double bytes_of(const Handles& handles) {
  double bytes = 0;
  for_each_file(handles, [&](const StateFile& file) { bytes += static_cast<double>(file.length); });
  return bytes;
}

/// Seconds for one file after the other, from its begin to its end.
double read_plainly(const Handles& handles) {
  std::vector<char> buffer(std::size_t{1} << 20U);
  const auto begin = Steady::now();
  for_each_file(handles, [&](const StateFile& of) {
    const int file = ::open(of.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) give_up("cannot open " + of.path);
    while (::read(file, buffer.data(), buffer.size()) > 0) {
    }
    ::close(file);
  });
  return seconds_since(begin);
}

/// Seconds for the bare loop over each file, all at once.
double insert_plainly(const Handles& handles) {
  std::vector<std::thread> threads;
  std::vector<double> seconds(handles.size());
  for (std::size_t i = 0; i < handles.size(); ++i) {
    threads.emplace_back([&, i] {
      const KeyedStateHandle& handle = handles[i];
      const PlainRestore plain = restore_plainly<Account>(handle.pieces.front().file->path,
                                                          handle.entries, handle.key_groups);
      seconds[i] = plain.seconds;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return *std::max_element(seconds.begin(), seconds.end());
}

struct World {
  const std::unique_ptr<FileSystem> files = make_local_file_system();
  ThreadPool io{2};
  Mail mail;
};

/// Seconds for a restore of all of it at this parallelism, from the disk.
double restore_cold(World& world, Place& place, const Handles& handles, int parallelism,
                    std::uint64_t entries) {
  forget_pages_of(handles);
  Subtasks subtasks(place, parallelism, world.io, world.mail);
  const double seconds = subtasks.restore(handles, *world.files);
  if (subtasks.rows() != entries) give_up("the restore lost entries");
  return seconds;
}

/// A snapshot in `folder` of so many entries in so many subtasks, which are no more.
Handles save(World& world, Place& place, int parallelism, std::uint64_t entries,
             const std::string& folder) {
  Subtasks subtasks(place, parallelism, world.io, world.mail);
  subtasks.fill(entries);
  return subtasks.snapshot(world.io, world.mail, *world.files, folder);
}

void restore_from_ssts(int rounds, std::uint64_t entries, const std::string& folder) {
  World world;
  Place place("level", *world.files, folder);
  const Handles handles = save(world, place, 1, entries, folder);
  Row same{.name = "restore of RocksDB's files, same parallelism / one read of them",
           .unit = "s",
           .lower_is_better = true};
  Row other{.name = "restore of RocksDB's files, parallelism 2 / one read of them",
            .unit = "s",
            .lower_is_better = true};
  for (int round = 0; round < rounds; ++round) {
    forget_pages_of(handles);
    const double plain = read_plainly(handles);
    same.ours.push_back(restore_cold(world, place, handles, 1, entries));
    other.ours.push_back(restore_cold(world, place, handles, 2, entries));
    same.baseline.push_back(plain);
    other.baseline.push_back(plain);
  }
  same.print();
  other.print();
  for_each_file(handles, [&](const StateFile& file) { must(world.files->remove_file(file.path)); });
}

void restore_in_memory(int rounds, std::uint64_t entries, const std::string& folder) {
  World world;
  Place place("hashmap", *world.files, folder);
  const Handles handles = save(world, place, 2, entries, folder);
  const double megabytes = bytes_of(handles) / 1e6;
  Row row{.name = "restore in memory, parallelism 2 / the slower of a read and bare insert loops",
          .unit = "MB/s"};
  for (int round = 0; round < rounds; ++round) {
    forget_pages_of(handles);
    const double plain_read = read_plainly(handles);
    const double plain_insert = insert_plainly(handles);
    row.ours.push_back(megabytes / restore_cold(world, place, handles, 2, entries));
    row.baseline.push_back(megabytes / std::max(plain_read, plain_insert));
  }
  row.print();
  for_each_file(handles, [&](const StateFile& file) { must(world.files->remove_file(file.path)); });
}

}  // namespace

void measure_restores(int rounds, std::uint64_t entries, const std::string& folder) {
  restore_in_memory(rounds, entries, folder);
  restore_from_ssts(rounds, entries, folder);
}

}  // namespace streamrun::bench
