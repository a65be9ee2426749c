// What sources, sinks and job folders keep in small pieces: splits, committables, names of parts,
// and the two files of a job's folder. Each decoder gets the same bytes.
#include <streamrun/checkpoint/job_folder_files.h>

#include <string>

#include "connectors/file/file_split.h"
#include "connectors/file/part_name.h"
#include "fuzz_target.h"

namespace {

using namespace streamrun;

void check_split(std::string_view bytes) {
  const Result<FileSplit> read = decode_split(bytes);
  if (!read) return;
  const Result<FileSplit> again = decode_split(encode_split(*read));
  fuzz::require(again && *again == *read, "a split is written and read the same");
}

void check_committable(std::string_view bytes) {
  const Result<PartCommittable> read = decode_committable(bytes);
  if (!read) return;
  fuzz::require(parse_finished_name(read->finished_name).has_value(),
                "a committable names a part file and nothing else");
  const Result<PartCommittable> again = decode_committable(encode_committable(*read));
  fuzz::require(again && *again == *read, "a committable is written and read the same");
}

void check_names(std::string_view name) {
  const auto finished = parse_finished_name(name);
  if (finished) {
    fuzz::require(finished_name_of(*finished) == name, "a finished name has one spelling");
  }
  const auto hidden = parse_hidden_name(name);
  if (hidden) {
    fuzz::require(hidden_name_of(finished_name_of(*hidden)) == name,
                  "a hidden name has one spelling");
  }
}

void check_job_files(std::string_view bytes) {
  if (const Result<JobFile> read = decode_job_file(bytes)) {
    const Result<JobFile> again = decode_job_file(encode(*read));
    fuzz::require(again && *again == *read, "a job file is written and read the same");
  }
  if (const Result<FinishedMarker> read = decode_finished_marker(bytes)) {
    const Result<FinishedMarker> again = decode_finished_marker(encode(*read));
    fuzz::require(again && *again == *read, "a finished marker is written and read the same");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  check_split(bytes);
  check_committable(bytes);
  check_names(bytes);
  check_job_files(bytes);
  return 0;
}
