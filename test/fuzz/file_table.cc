// The table of files in a `_metadata` that is sound otherwise: the bytes stand in its place.
#include <streamrun/base/checksum.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>

#include <string>
#include <utility>

#include "footer.h"
#include "fuzz_target.h"

namespace {

using namespace streamrun;

/// One operator whose two subtasks have a state file each.
CheckpointMetadata sample() {
  CheckpointMetadata metadata;
  metadata.id = 3;
  metadata.attempt = std::string(32, 'a');
  metadata.job_name = "wordcount";
  metadata.registered_name = "wordcount";
  metadata.parallelism = 2;
  OperatorSnapshot counts;
  counts.uid = "counts";
  counts.name = "Count";
  counts.parallelism = 2;
  counts.max_parallelism = 128;
  for (int subtask = 0; subtask < 2; ++subtask) {
    KeyedStateHandle handle;
    handle.key_groups = key_group_range_of(subtask, 2, 128);
    handle.entries = 1;
    StateDescription& state = handle.states.emplace_back();
    state.name = "count";
    state.kind = "value";
    state.key_type = "string";
    state.value_type = "int64";
    const std::string bytes = "abc";
    handle.pieces.emplace_back().file =
        StateFile{.path = std::string(31, '0') + std::to_string(subtask),
                  .length = bytes.size(),
                  .crc32c = {crc32c(bytes)},
                  .xxh3 = xxh3_128_hex(bytes)};
    counts.subtasks.emplace_back().keyed.push_back(std::move(handle));
  }
  metadata.operators.push_back(std::move(counts));
  return metadata;
}

/// The document in front of the table and behind it.
std::pair<std::string, std::string> around_table() {
  const std::string bytes = encode(sample());
  fuzz::require(decode(bytes).has_value(), "the sample is sound");
  const std::string name = "\"files\": ";
  const std::size_t begin = bytes.find(name) + name.size();
  const std::size_t end = bytes.find("\n ],", begin) + 3;
  const std::size_t footer = bytes.rfind("{\"length\":");
  return {bytes.substr(0, begin), bytes.substr(end, footer - end)};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::pair<std::string, std::string> kAround = around_table();
  const std::string table(fuzz::text_of(data, size));
  const Result<CheckpointMetadata> read =
      decode(fuzz::with_footer(kAround.first + table + kAround.second));
  if (!read) return 0;
  for (const StateFile* const file : files_of(*read)) {
    fuzz::require(is_shared(*file) || ("/" + file->path + "/").find("/../") == std::string::npos,
                  "no path climbs");
    fuzz::require(file->path.find('\0') == std::string::npos, "no path has a NUL");
    const std::uint64_t blocks = (file->length + (1U << 20U) - 1) >> 20U;
    fuzz::require(file->crc32c.size() == blocks, "each block has its checksum");
  }
  const std::string written = encode(*read);
  const Result<CheckpointMetadata> again = decode(written);
  fuzz::require(again && encode(*again) == written, "what was read is written and read the same");
  return 0;
}
