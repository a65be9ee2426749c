#pragma once

#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>
#include <streamrun/platform/random.h>

#include <cstdint>
#include <string>

#include "sim/memory_file_system.h"

namespace streamrun::test {

/// Chance from a seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

JobId job_id(std::uint8_t number);
OperatorId operator_id(const std::string& uid);

/// What is recorded of a file with these bytes.
StateFile state_file(const std::string& path, const std::string& bytes);
/// The same, under the name that such bytes have in `shared`.
StateFile shared_state_file(const std::string& bytes);
/// A keyed handle over the key groups of one subtask, with one `value` state called `count`.
KeyedStateHandle keyed_handle(int subtask, int parallelism, int max_parallelism, StateHandle data);
OperatorListState list_state(const std::string& name, Redistribution how,
                             std::vector<std::string> elements);

/// One operator `counts` with keyed state inline in each subtask.
OperatorSnapshot keyed_operator(const std::string& uid, int parallelism, int max_parallelism);

/// Valid metadata of one keyed operator of two subtasks and one source, inline only.
CheckpointMetadata sample_metadata(CheckpointId id);
/// Valid metadata of any shape.
CheckpointMetadata random_metadata(Random& random);

/// Recomputes the footer behind a changed document, as an attacker would.
std::string with_footer(const std::string& body);
/// Everything before the footer.
std::string body_of(const std::string& bytes);

CheckpointDirectory::Owner owner_of(const CheckpointMetadata& metadata);
/// Writes a file with content and makes it and its name durable.
void write_file(FileSystem& files, const std::string& path, const std::string& bytes);

/// The metadata of `id` with one state file `name` in its folder.
CheckpointMetadata metadata_with_file(CheckpointId id, const std::string& name,
                                      const std::string& bytes);
/// The metadata of `id` with one keyed state of such pieces in `shared`, oldest first.
CheckpointMetadata metadata_with_shared(CheckpointId id, const std::vector<std::string>& pieces);
/// Begins, writes the file and publishes checkpoint `id`, through a folder that is open.
CheckpointMetadata publish_with_file(FileSystem& files, CheckpointDirectory& directory,
                                     CheckpointId id, std::int64_t completed_unix_ms);

/// 32 hex digits from a number.
std::string uuid_of(std::uint64_t number);

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().headline() + " " + result.error().why);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace streamrun::test
