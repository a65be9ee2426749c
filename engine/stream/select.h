#pragma once

#include <cstddef>
#include <cstdint>

namespace streamrun {

// How a keyed exchange distributes a batch on a CPU with AVX-512: the targets of all records first,
// then, target after target, a copy of those that go there. No step branches on a record.

/// Entries behind the last one of `targets` up to a multiple of this are written too.
constexpr std::size_t kSelectStep = 64;
/// Bytes behind the last value of `out` that may be written too.
constexpr std::size_t kSelectSlack = 64;
/// More targets than this take longer than one record at a time.
constexpr std::size_t kMostSelectTargets = 16;

/// The subtask of each key: `subtask_of_key_group` of the group of its hash. `max_parallelism` is a
/// power of two, `parallelism` at most kMostSelectTargets. Needs VectorLevel::avx512.
void find_targets(const std::uint32_t* hashes, std::size_t count, int parallelism,
                  int max_parallelism, std::uint8_t* targets);

/// Copies those of `count` values of `size` (4, 8 or 16) bytes whose entry in `targets`, from
/// `find_targets`, is `target` to `out`, in order, and returns how many they are. Needs
/// VectorLevel::avx512.
std::size_t select_values(const void* values, std::size_t size, const std::uint8_t* targets,
                          std::size_t count, std::uint8_t target, void* out);

}  // namespace streamrun
