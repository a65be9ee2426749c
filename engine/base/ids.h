#pragma once

#include <streamrun/base/result.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamrun {

/// 16 bytes printed as 32 lower-case hex digits. `Tag` keeps a job's id from being taken for an
/// operator's.
template <typename Tag>
class Id128 {
 public:
  Id128() = default;
  explicit Id128(std::array<std::uint8_t, 16> bytes) : bytes_(bytes) {}
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  auto operator<=>(const Id128&) const = default;
  bool is_nil() const { return *this == Id128(); }

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

std::string hex_of(const std::array<std::uint8_t, 16>& bytes);
/// Exactly 32 hex digits of either case, else an error that names the accepted form.
Result<std::array<std::uint8_t, 16>> parse_hex128(std::string_view text, std::string_view what);

template <typename Tag>
std::string to_string(const Id128<Tag>& id) {
  return hex_of(id.bytes());
}

using JobId = Id128<struct JobIdTag>;
using OperatorId = Id128<struct OperatorIdTag>;

/// Flink's `JobID.fromHexString`.
Result<JobId> parse_job_id(std::string_view text);

/// Flink's operator id of a uid: murmur3_x64_128, seed 0, over its UTF-8 bytes, both halves
/// little-endian.
OperatorId operator_id_of(std::string_view uid);

/// Number of a checkpoint: 1, 2, … within a job, growing across restarts.
using CheckpointId = std::int64_t;

}  // namespace streamrun
