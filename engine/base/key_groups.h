#pragma once

#include <streamrun/base/assert.h>
#include <streamrun/base/vector_level.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace streamrun {

/// Flink's arithmetic of key groups (`KeyGroupRangeAssignment`, `MathUtils`): state can move to and
/// from a Flink cluster only while these agree to the bit.

constexpr int kMaxParallelismLimit = 32768;

/// Flink's `MathUtils.murmurHash`, made non-negative without a branch: the sign of a hash is a coin
/// flip.
constexpr std::uint32_t murmur_hash(std::uint32_t code) {
  code *= 0xcc9e2d51U;
  code = code << 15U | code >> 17U;
  code *= 0x1b873593U;
  code = code << 13U | code >> 19U;
  code = code * 5U + 0xe6546b64U;
  code ^= 4U;
  code ^= code >> 16U;
  code *= 0x85ebca6bU;
  code ^= code >> 13U;
  code *= 0xc2b2ae35U;
  code ^= code >> 16U;
  const std::uint32_t sign = 0U - (code >> 31U);
  return ((code ^ sign) - sign) & 0x7fffffffU;  // -2^31 becomes 0
}

/// `murmur_hash` of each of `count` codes, in place; `level` at most `vector_level()`.
void murmur_hash_all(std::uint32_t* codes, std::size_t count, VectorLevel level = vector_level());

constexpr int key_group_of_hash(std::uint32_t murmur, int max_parallelism) {
  return static_cast<int>(murmur % static_cast<std::uint32_t>(max_parallelism));
}

/// The subtask that owns a key group.
constexpr int subtask_of_key_group(int key_group, int parallelism, int max_parallelism) {
  return key_group * parallelism / max_parallelism;
}

/// Key groups `first` to `last`, both included; `last < first` is none.
struct KeyGroupRange {
  int first = 0;
  int last = -1;
  constexpr bool contains(int group) const { return first <= group && group <= last; }
  constexpr int size() const { return last - first + 1; }
  constexpr bool operator==(const KeyGroupRange&) const = default;
};

constexpr KeyGroupRange key_group_range_of(int subtask, int parallelism, int max_parallelism) {
  return {(subtask * max_parallelism + parallelism - 1) / parallelism,
          ((subtask + 1) * max_parallelism - 1) / parallelism};
}

/// What Flink takes when nobody sets it: 1.5 × parallelism up to a power of two, between 128 and
/// 32768.
constexpr int default_max_parallelism(int parallelism) {
  parallelism =
      std::min(parallelism, kMaxParallelismLimit);  // more gives the limit too, without overflow
  const int wanted = parallelism + parallelism / 2;
  int power = 1;
  while (power < wanted) power *= 2;
  return std::clamp(power, 128, kMaxParallelismLimit);
}

}  // namespace streamrun
