#include "golden/flipped_kinds.h"

#include <streamrun/base/bytes.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/state/shared_file.h>

#include <stdexcept>
#include <utility>

#include "checkpoint/samples.h"

namespace streamrun::test {
namespace {

using Range = FlippedKind::Range;

const std::string kMetadata = "snapshot/_metadata";

std::string metadata_bytes(const GoldenCase& golden) {
  return golden_bytes_of(golden.folder + "/" + kMetadata);
}

void add_file(std::vector<Range>& ranges, const StateHandle& data) {
  if (!data.file) return;
  const StateFile& file = *data.file;
  ranges.push_back({is_shared(file) ? "shared/" + shared_file_name(file) : "snapshot/" + file.path,
                    0, file.length});
}

std::vector<Range> state_files(const OperatorSubtaskState& subtask) {
  std::vector<Range> ranges;
  for (const KeyedStateHandle& keyed : subtask.keyed) {
    for (const StateHandle& piece : keyed.pieces) add_file(ranges, piece);
  }
  return ranges;
}

std::vector<Range> in_flight_files(const OperatorSubtaskState& subtask) {
  std::vector<Range> ranges;
  for (const InFlightHandle& in_flight : subtask.in_flight) add_file(ranges, in_flight.data);
  return ranges;
}

FlippedKind kind_of_files(std::string what, const std::string& name,
                          std::vector<Range> (*files_in)(const OperatorSubtaskState&)) {
  FlippedKind kind{.what = std::move(what), .golden = newest_golden_case(name), .ranges = {}};
  const CheckpointMetadata metadata = must(decode(metadata_bytes(kind.golden)));
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for (Range& range : files_in(subtask)) kind.ranges.push_back(std::move(range));
    }
  }
  return kind;
}

void add_elements(std::vector<Range>& ranges, const OperatorSubtaskState& subtask,
                  const std::string& bytes) {
  for (const OperatorListState& list : subtask.lists) {
    for (const std::string& element : list.elements) {
      const std::string text = base64_encode(element);
      ranges.push_back({kMetadata, bytes.find(text), text.size()});
    }
  }
}

/// Where the lists of a sink stand in the metadata.
FlippedKind prepared_output() {
  FlippedKind kind{.what = "prepared output", .golden = newest_golden_case("files"), .ranges = {}};
  const std::string bytes = metadata_bytes(kind.golden);
  const CheckpointMetadata metadata = must(decode(bytes));
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    if (snapshot.uid != "rows") continue;
    for (const OperatorSubtaskState& subtask : snapshot.subtasks)
      add_elements(kind.ranges, subtask, bytes);
  }
  return kind;
}

FlippedKind whole_metadata() {
  const GoldenCase golden = newest_golden_case("kinds");
  return {.what = "metadata",
          .golden = golden,
          .ranges = {{kMetadata, 0, metadata_bytes(golden).size()}}};
}

}  // namespace

std::vector<FlippedKind> flipped_kinds() {
  std::vector<FlippedKind> kinds = {
      whole_metadata(),
      kind_of_files("state", "kinds", state_files),
      kind_of_files("compressed state", "kinds-compressed", state_files),
      kind_of_files("increments", "chain", state_files),
      kind_of_files("SST files", "kinds-ssts", state_files),
      kind_of_files("records in flight", "in-flight", in_flight_files),
      prepared_output()};
  for (const FlippedKind& kind : kinds) {
    if (kind.ranges.empty()) throw std::runtime_error("no golden snapshot has " + kind.what);
  }
  return kinds;
}

std::string Flip::text() const {
  return file + ", byte " + std::to_string(at) + ", bits " + std::to_string(changed_bits);
}

Flip some_flip(const FlippedKind& kind, Random& random) {
  std::uint64_t bytes = 0;
  for (const Range& range : kind.ranges) bytes += range.length;
  std::uint64_t place = random.below(bytes);
  auto range = kind.ranges.begin();
  for (; place >= range->length; ++range) place -= range->length;
  return {.file = range->file,
          .at = range->first + place,
          .changed_bits = static_cast<std::uint8_t>(1 + random.below(255))};
}

}  // namespace streamrun::test
