#include "samples.h"

#include <streamrun/base/checksum.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/shared_file.h>

#include <stdexcept>

#include <fmt/format.h>

namespace streamrun::test {

std::uint64_t SeededRandom::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t value = state_;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

JobId job_id(std::uint8_t number) {
  std::array<std::uint8_t, 16> bytes{};
  bytes.fill(number);
  return JobId(bytes);
}

OperatorId operator_id(const std::string& uid) {
  return operator_id_of(uid);
}

std::string uuid_of(std::uint64_t number) {
  return fmt::format("{:032x}", number);
}

StateFile state_file(const std::string& path, const std::string& bytes) {
  constexpr std::size_t kBlock = std::size_t{1} << 20U;
  StateFile file{.path = path, .length = bytes.size(), .crc32c = {}, .xxh3 = xxh3_128_hex(bytes)};
  for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
    file.crc32c.push_back(crc32c(std::string_view(bytes).substr(at, kBlock)));
  }
  return file;
}

StateFile shared_state_file(const std::string& bytes) {
  StateFile file = state_file("", bytes);
  file.path = std::string(kSharedPrefix) + shared_file_name(file);
  return file;
}

KeyedStateHandle keyed_handle(int subtask, int parallelism, int max_parallelism, StateHandle data) {
  KeyedStateHandle handle;
  handle.key_groups = key_group_range_of(subtask, parallelism, max_parallelism);
  handle.entries = 3;
  handle.states = {{"count", "value", "string", "void", "i64"}};
  handle.pieces.push_back(std::move(data));
  return handle;
}

OperatorListState list_state(const std::string& name, Redistribution how,
                             std::vector<std::string> elements) {
  OperatorListState list;
  list.name = name;
  list.type = "bytes";
  list.redistribution = how;
  list.elements = std::move(elements);
  return list;
}

OperatorSnapshot keyed_operator(const std::string& uid, int parallelism, int max_parallelism) {
  OperatorSnapshot snapshot;
  snapshot.id = operator_id(uid);
  snapshot.uid = uid;
  snapshot.name = "Name of " + uid;
  snapshot.parallelism = parallelism;
  snapshot.max_parallelism = max_parallelism;
  for (int i = 0; i < parallelism; ++i) {
    StateHandle data;
    data.inline_bytes = "state of subtask " + std::to_string(i);
    OperatorSubtaskState subtask;
    subtask.keyed.push_back(keyed_handle(i, parallelism, max_parallelism, std::move(data)));
    snapshot.subtasks.push_back(std::move(subtask));
  }
  return snapshot;
}

CheckpointMetadata sample_metadata(CheckpointId id) {
  CheckpointMetadata metadata;
  metadata.id = id;
  metadata.attempt = uuid_of(77);
  metadata.job_id = job_id(0x11);
  metadata.family_id = job_id(0x11);
  metadata.job_name = "wordcount";
  metadata.registered_name = "wordcount";
  metadata.arguments = {{"input", "/data/in"}};
  metadata.configuration = {{"parallelism.default", "2"}};
  metadata.parallelism = 2;
  metadata.triggered_unix_ms = 1'000'000 + id * 1000;
  metadata.completed_unix_ms = metadata.triggered_unix_ms + 500;
  metadata.version = "0.1.0";
  metadata.history = {{.id = id - 1, .took_ms = 60'000, .subtasks = 3, .failure = "too \"slow\""},
                      {.id = id,
                       .kind = SnapshotKind::savepoint,
                       .triggered_unix_ms = metadata.triggered_unix_ms,
                       .took_ms = 500,
                       .full_bytes = 12,
                       .new_bytes = 11,
                       .acknowledged = 1,
                       .subtasks = 1,
                       .by_subtask = {{.task = "Map (1/1)",
                                       .acknowledged_unix_ms = metadata.completed_unix_ms,
                                       .start_delay_ms = 1,
                                       .alignment_ms = 2,
                                       .sync_ms = 3,
                                       .async_ms = 4,
                                       .full_bytes = 12,
                                       .new_bytes = 11,
                                       .in_flight_bytes = 10,
                                       .unaligned = true}}}};
  metadata.operators.push_back(keyed_operator("counts", 2, 128));
  OperatorSnapshot source;
  source.id = operator_id("lines");
  source.uid = "lines";
  source.name = "Lines";
  source.coordinator_state = std::string("\0\xff", 2);
  source.subtasks.resize(1);
  source.subtasks[0].lists.push_back(list_state("offsets", Redistribution::split, {"a", "", "b"}));
  metadata.operators.push_back(std::move(source));
  return metadata;
}

namespace {

std::string random_text(Random& random) {
  static const std::vector<std::string> kPieces = {"a", "B7", "\"", "\\", "\n",   "/",
                                                   "ü", "😀",  " ",  "{",  "\x01", ".."};
  std::string text;
  for (std::uint64_t i = random.below(8); i > 0; --i) text += kPieces[random.below(kPieces.size())];
  if (random.below(40) == 0) text += std::string(70'000, 'x') + "ü" + std::string(70'000, 'y');
  return text;
}

std::string random_bytes(Random& random) {
  std::string bytes(random.below(40), '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

StateHandle random_handle(Random& random, bool may_share) {
  StateHandle handle;
  if (random.below(2) == 0) {
    handle.inline_bytes = random_bytes(random);
    return handle;
  }
  const std::string name = random.uuid();
  const std::uint64_t where = random.below(6);
  const std::string bytes(random.below(3) * 600'000 + random.below(7), 'b');
  handle.file = where == 0 && may_share
                    ? shared_state_file(bytes)
                    : state_file(where == 1 ? "/ckpt/other/" + name : name, bytes);
  return handle;
}

KeyedStateHandle random_keyed(Random& random, KeyGroupRange range, bool may_share) {
  KeyedStateHandle handle;
  handle.key_groups = range;
  handle.entries = random.next() >> 12U;
  for (std::uint64_t i = random.below(3); i > 0; --i) {
    handle.states.push_back({"state-" + std::to_string(i), random_text(random), random_text(random),
                             random_text(random), random_text(random)});
  }
  for (std::uint64_t i = 1 + random.below(3); i > 0; --i)
    handle.pieces.push_back(random_handle(random, may_share));
  if (handle.states.empty() || random.below(2) == 0) return handle;
  for (StateHandle& piece : handle.pieces) {
    const std::uint64_t sequence = random.next() >> 12U;
    const int middle =
        range.first + static_cast<int>(random.below(static_cast<std::uint64_t>(range.size())));
    piece.sst = {.state = static_cast<int>(random.below(handle.states.size())),
                 .key_groups = {middle, range.last},
                 .level = static_cast<int>(random.below(7)),
                 .smallest_sequence = random.below(sequence + 1),
                 .largest_sequence = sequence};
  }
  return handle;
}

OperatorSubtaskState random_subtask(Random& random, KeyGroupRange range, bool keyed,
                                    bool may_share) {
  OperatorSubtaskState subtask;
  if (keyed && range.size() > 1 && random.below(2) == 0) {
    const int middle =
        range.first + static_cast<int>(random.below(static_cast<std::uint64_t>(range.size() - 1)));
    subtask.keyed.push_back(random_keyed(random, {middle + 1, range.last}, may_share));
    subtask.keyed.push_back(random_keyed(random, {range.first, middle}, may_share));
  } else if (keyed) {
    subtask.keyed.push_back(random_keyed(random, range, may_share));
  }
  for (std::uint64_t i = random.below(3); i > 0; --i) {
    subtask.in_flight.push_back({.upstream = operator_id(random_text(random)),
                                 .mapper = static_cast<SubtaskStateMapper>(random.below(2)),
                                 .type = random_text(random),
                                 .records = random.next() >> 12U,
                                 .data = random_handle(random, may_share)});
  }
  for (std::uint64_t i = random.below(3); i > 0; --i) {
    OperatorListState list =
        list_state("list-" + std::to_string(i), static_cast<Redistribution>(random.below(3)), {});
    for (std::uint64_t j = random.below(4); j > 0; --j)
      list.elements.push_back(random_bytes(random));
    subtask.lists.push_back(std::move(list));
  }
  return subtask;
}

}  // namespace

CheckpointMetadata random_metadata(Random& random) {
  CheckpointMetadata metadata;
  metadata.kind = random.below(2) == 0 ? SnapshotKind::checkpoint : SnapshotKind::savepoint;
  metadata.id = 1 + static_cast<CheckpointId>(random.next() >> 12U);
  metadata.attempt = random.uuid();
  metadata.job_id = JobId(random.next128());
  metadata.family_id = JobId(random.next128());
  metadata.job_name = random_text(random);
  metadata.registered_name = random_text(random);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    metadata.arguments.emplace_back(random_text(random), random_text(random));
  }
  metadata.configuration = {{"a.key", random_text(random)}, {"\"b\"", random_text(random)}};
  metadata.parallelism = 1 + static_cast<int>(random.below(8));
  metadata.plan = random_text(random);
  metadata.restored_from = random_text(random);
  metadata.triggered_unix_ms = static_cast<std::int64_t>(random.next() >> 20U);
  metadata.completed_unix_ms = metadata.triggered_unix_ms + 5;
  metadata.version = random_text(random);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    OperatorSnapshot snapshot;
    snapshot.id = OperatorId(random.next128());
    snapshot.uid = random_text(random);
    snapshot.name = random_text(random);
    snapshot.parallelism = 1 + static_cast<int>(random.below(5));
    snapshot.max_parallelism = snapshot.parallelism + static_cast<int>(random.below(200));
    snapshot.coordinator_state = random_bytes(random);
    const bool keyed = random.below(2) == 0;
    for (int j = 0; j < snapshot.parallelism; ++j) {
      snapshot.subtasks.push_back(random_subtask(
          random, key_group_range_of(j, snapshot.parallelism, snapshot.max_parallelism), keyed,
          metadata.kind == SnapshotKind::checkpoint));
    }
    metadata.operators.push_back(std::move(snapshot));
  }
  return metadata;
}

std::string body_of(const std::string& bytes) {
  return bytes.substr(0, bytes.rfind('\n', bytes.size() - 2) + 1);
}

std::string with_footer(const std::string& body) {
  return body + fmt::format("{{\"length\":{},\"xxh3\":\"{}\"}}\n", body.size(), xxh3_128_hex(body));
}

CheckpointDirectory::Owner owner_of(const CheckpointMetadata& metadata) {
  CheckpointDirectory::Owner owner;
  owner.job = {.job_id = metadata.job_id,
               .family_id = metadata.family_id,
               .job_name = metadata.job_name,
               .started_unix_ms = 1'000'000};
  owner.attempt = metadata.attempt;
  owner.lock_note = "1234 host now";
  return owner;
}

void write_file(FileSystem& files, const std::string& path, const std::string& bytes) {
  const std::unique_ptr<WritableFile> file = must(files.create(path));
  must(file->append(bytes));
  must(file->sync());
  must(file->close());
  must(files.sync_directory(parent_path(path)));
}

CheckpointMetadata metadata_with_file(CheckpointId id, const std::string& name,
                                      const std::string& bytes) {
  CheckpointMetadata metadata = sample_metadata(id);
  StateHandle& data = metadata.operators[0].subtasks[1].keyed[0].pieces.front();
  data.inline_bytes.clear();
  data.file = state_file(name, bytes);
  return metadata;
}

CheckpointMetadata metadata_with_shared(CheckpointId id, const std::vector<std::string>& pieces) {
  CheckpointMetadata metadata = sample_metadata(id);
  std::vector<StateHandle>& handles = metadata.operators[0].subtasks[1].keyed[0].pieces;
  handles.clear();
  for (const std::string& bytes : pieces)
    handles.push_back({.inline_bytes = {}, .file = shared_state_file(bytes)});
  return metadata;
}

CheckpointMetadata publish_with_file(FileSystem& files, CheckpointDirectory& directory,
                                     CheckpointId id, std::int64_t completed_unix_ms) {
  const std::string name = uuid_of(static_cast<std::uint64_t>(id));
  const std::string bytes = "bytes of " + name;
  if (!must(directory.begin(id))) throw std::runtime_error("the name is taken");
  write_file(files, join_path(directory.checkpoint_path(id), name), bytes);
  CheckpointMetadata metadata = metadata_with_file(id, name, bytes);
  metadata.completed_unix_ms = completed_unix_ms;
  must(directory.publish(metadata));
  return metadata;
}

}  // namespace streamrun::test
