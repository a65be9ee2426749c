// Every byte of a snapshot counts: whichever is another than was written, `verify --data` finds it,
// and a restore refuses the snapshot. The place of one that is passed over is printed.
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/state/open_state.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "golden/flipped_kinds.h"
#include "sim/memory_file_system.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

const std::string kCase = "/case/";
const std::string kFolder = "/case/snapshot";

/// The golden snapshot in a store whose bytes can be turned over.
void load(sim::MemoryFileSystem& files, const GoldenCase& golden) {
  for (const std::string folder : {"snapshot", "shared"}) {
    must(files.create_directories(kCase + folder));
    if (!fs::exists(golden.folder + "/" + folder)) continue;
    for (const auto& entry : fs::directory_iterator(golden.folder + "/" + folder)) {
      write_file(files, kCase + folder + "/" + entry.path().filename().string(),
                 golden_bytes_of(entry.path().string()));
    }
  }
}

/// Twice is once and back.
void apply(sim::MemoryFileSystem& files, const Flip& flip) {
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((flip.changed_bits >> bit & 1U) == 0) continue;
    REQUIRE(files.flip_bit(kCase + flip.file, flip.at, bit));
  }
}

Result<void> read_blocks(FileSystem& files, StateHandle data) {
  if (data.file) data.file->path = state_file_path(kFolder, *data.file);
  if (data.sst) {
    if (!data.file) return {};
    return read_checked(*data.file, &files, [](std::string_view) -> Result<void> { return {}; });
  }
  const StateFileReader reader = SR_TRY(open_state(data, &files));
  StateBytes buffer;
  for (const StateBlock& block : reader.blocks()) {
    const Result<std::string_view> payload = reader.payload(block, buffer);
    if (!payload) return payload.error();
  }
  return {};
}

/// What all subtasks of a job that is restored read together: no checksum of whole files, since
/// each reads its own blocks.
Result<void> read_as_a_restore(FileSystem& files, const CheckpointMetadata& metadata) {
  SR_TRY(verify_files(files, kFolder, metadata, /*read_data=*/false));
  Result<void> all_read;
  for (const OperatorSnapshot& each : metadata.operators) {
    for (const OperatorSubtaskState& subtask : each.subtasks) {
      for_each_data(subtask, [&](const StateHandle& data) {
        if (all_read) all_read = read_blocks(files, data);
      });
    }
  }
  return all_read;
}

template <typename T>
void require_refused(const Result<T>& read, ErrorCode code, const std::string& file) {
  REQUIRE_FALSE(read);
  REQUIRE((read.error().code == code));
  REQUIRE(read.error().where.find(file) != std::string::npos);
}

/// Who verifies and who restores begin with the metadata.
void require_found(FileSystem& files, const CheckpointMetadata& metadata, const std::string& file) {
  if (file.ends_with("/_metadata")) {
    require_refused(read_snapshot(files, kFolder), ErrorCode::metadata_corrupt, file);
    return;
  }
  require_refused(verify_files(files, kFolder, metadata, /*read_data=*/true),
                  ErrorCode::state_corrupt, file);
  require_refused(read_as_a_restore(files, metadata), ErrorCode::state_corrupt, file);
}

TEST_CASE("flipped bytes: verify --data and a restore find every one", "[golden]") {
  for (const FlippedKind& kind : flipped_kinds()) {
    INFO(kind.what << " of " << kind.golden.label());
    sim::MemoryFileSystem files;
    load(files, kind.golden);
    const CheckpointMetadata metadata = must(read_snapshot(files, kFolder)).metadata;
    REQUIRE(verify_files(files, kFolder, metadata, /*read_data=*/true));
    REQUIRE(read_as_a_restore(files, metadata));
    SeededRandom random(31);
    for (int i = 0; i < 1000; ++i) {
      const Flip flip = some_flip(kind, random);
      INFO(flip.text());
      apply(files, flip);
      require_found(files, metadata, flip.file);
      apply(files, flip);
    }
    CHECK(must(read_snapshot(files, kFolder)).metadata == metadata);
    CHECK(verify_files(files, kFolder, metadata, /*read_data=*/true));
  }
}

}  // namespace
}  // namespace streamrun::test
