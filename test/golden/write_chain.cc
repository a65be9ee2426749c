// write_chain FOLDER VERSION: writes a snapshot of the job `chain` there whose state is a chain of
// increments in `FOLDER/shared`, as two subtasks of it would, and prints what the job is to say of
// it.
#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/storage/local_file_system.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chain_job.h"
#include "checkpoint/samples.h"
#include "state/queued_io.h"

namespace streamrun::golden {
namespace {

constexpr int kParallelism = 2;
constexpr int kMaxParallelism = 128;
constexpr CheckpointId kSnapshots = 6;
/// So small that a few rows are a chain of several pieces.
constexpr ChainLimits kLimits{.small_bytes = 1,
                              .full_pieces = 3,
                              .least_piece_bytes = 1,
                              .kept = 3.0,
                              .most_pieces = 24,
                              .inline_bytes = 2000,
                              .most_written = 0.5};

struct Kept {
  std::optional<std::int64_t> count;
  std::optional<std::string> note;
};

/// What becomes of a key before snapshot `id`; nothing if it stays as it is.
std::optional<Kept> change_of(std::int64_t number, CheckpointId id) {
  if ((number + 3 * id) % 19 == 0 && id > 1) return Kept{};
  if (id > 1 && (number + id) % 9 != 0) return std::nullopt;
  Kept kept{.count = number * 100 + id, .note = {}};
  if (number % 4 != 0) kept.note = "note " + std::to_string(id);
  return kept;
}

/// One subtask of the job's operator, with its table and its way to snapshots.
class Subtask {
 public:
  Subtask(FileSystem& files, std::string shared, int index)
      : files_(files),
        shared_(std::move(shared)),
        index_(index),
        range_(key_group_range_of(index, kParallelism, kMaxParallelism)),
        table_(kMaxParallelism, range_),
        backend_(table_, kLimits) {
    states_.count.bind(table_, TypeSerializer<std::string>::type_name());
    states_.note.bind(table_, TypeSerializer<std::string>::type_name());
  }

  void change(const std::string& key, const Kept& kept) {
    const std::uint32_t hash = key_hash_of<std::string>(key);
    if (!range_.contains(key_group_of_hash(hash, kMaxParallelism))) return;
    table_.set_current(key, hash);
    set(states_.count, kept.count);
    set(states_.note, kept.note);
  }

  KeyedStateHandle snapshot(CheckpointId id) {
    std::optional<Result<KeyedStateHandle>> taken;
    backend_.snapshot(
        id, SharingFilesStrategy::forward_backward, [this] { return make_writer(); },
        /*compressed=*/false, [&](Result<KeyedStateHandle> handle) { taken = std::move(handle); });
    while (!taken) {
      backend_.advance_snapshots();
      io_.settle();
    }
    KeyedStateHandle handle = test::must(*std::move(taken));
    backend_.notify_complete(id);
    return handle;
  }

 private:
  template <typename V>
  static void set(ValueState<V>& state, const std::optional<V>& value) {
    if (value) {
      state.update(*value);
    } else {
      state.clear();
    }
  }
  std::shared_ptr<SnapshotFileWriter> make_writer() {
    SharedFolder shared{
        .directory = shared_,
        .claim = [this](const std::string&,
                        UniqueFunction<void()> granted) { io_.poster()(std::move(granted)); },
        .let_go = [](const std::string&) {}};
    const std::uint64_t number = 1000 * static_cast<std::uint64_t>(index_) + ++writers_;
    return std::make_shared<SnapshotFileWriter>(io_, io_.poster(), &files_, std::move(shared),
                                                test::uuid_of(number), /*inline_threshold=*/0);
  }

  FileSystem& files_;
  const std::string shared_;
  const int index_;
  const KeyGroupRange range_;
  QueuedIo io_;
  KeyedTable<std::string> table_;
  ChainStates states_;
  HashMapStateBackend backend_;
  std::uint64_t writers_ = 0;
};

CheckpointMetadata metadata_of(std::vector<KeyedStateHandle> handles, const std::string& version) {
  CheckpointMetadata metadata;
  metadata.id = kSnapshots;
  metadata.attempt = test::uuid_of(1);
  metadata.job_id = test::job_id(0xc4);
  metadata.family_id = metadata.job_id;
  metadata.job_name = "chain";
  metadata.registered_name = "chain";
  metadata.parallelism = kParallelism;
  metadata.triggered_unix_ms = 1'700'000'000'000;
  metadata.completed_unix_ms = metadata.triggered_unix_ms;
  metadata.version = version;
  OperatorSnapshot kept;
  kept.id = test::operator_id("kept");
  kept.uid = "kept";
  kept.name = "KeyedProcess";
  kept.parallelism = kParallelism;
  kept.max_parallelism = kMaxParallelism;
  for (KeyedStateHandle& handle : handles) {
    OperatorSubtaskState subtask;
    subtask.keyed.push_back(std::move(handle));
    kept.subtasks.push_back(std::move(subtask));
  }
  metadata.operators.push_back(std::move(kept));
  return metadata;
}

/// Pieces that were replaced by later ones.
void remove_unused(FileSystem& files, const std::string& shared,
                   const CheckpointMetadata& metadata) {
  const std::set<std::string> used = shared_names_of(metadata);
  for (const FileStatus& file : test::must(files.list(shared))) {
    if (!used.contains(base_name(file.path))) test::must(files.remove_file(file.path));
  }
}

void write_chain(const std::string& folder, const std::string& version) {
  const std::unique_ptr<FileSystem> files = make_local_file_system();
  const std::string shared = join_path(folder, kSharedName);
  const std::string snapshot = join_path(folder, "snapshot");
  test::must(files->create_directories(shared));
  test::must(files->create_directories(snapshot));
  std::vector<std::unique_ptr<Subtask>> subtasks;
  for (int index = 0; index < kParallelism; ++index)
    subtasks.push_back(std::make_unique<Subtask>(*files, shared, index));

  std::map<std::int64_t, Kept> expected;
  std::vector<KeyedStateHandle> handles;
  for (CheckpointId id = 1; id <= kSnapshots; ++id) {
    handles.clear();
    for (std::int64_t number = 0; number < kChainKeys; ++number) {
      const std::optional<Kept> kept = change_of(number, id);
      if (!kept) continue;
      expected[number] = *kept;
      for (const auto& subtask : subtasks) subtask->change(chain_key(number), *kept);
    }
    for (const auto& subtask : subtasks) handles.push_back(subtask->snapshot(id));
  }
  for (const KeyedStateHandle& handle : handles) {
    if (handle.pieces.size() < 4) throw std::runtime_error("the chain is short");
  }
  const CheckpointMetadata metadata = metadata_of(std::move(handles), version);
  remove_unused(*files, shared, metadata);
  test::must(publish_snapshot(*files, snapshot, {shared}, metadata));
  for (const auto& [number, kept] : expected) {
    const std::string line = chain_line(chain_key(number), kept.count ? &*kept.count : nullptr,
                                        kept.note ? &*kept.note : nullptr);
    std::puts(line.c_str());
  }
}

}  // namespace
}  // namespace streamrun::golden

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: write_chain FOLDER VERSION\n", stderr);
    return 64;
  }
  try {
    streamrun::golden::write_chain(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "error: %s\n", problem.what());
    return 1;
  }
}
