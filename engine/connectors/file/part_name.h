#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamrun {

/// Who wrote a part file, as its name tells: `part-<job
/// id>-<operator>-<subtask>-<attempt>-<number>` when finished,
/// `.<that>.inprogress` until then. Unique over all jobs, operators, subtasks and attempts
/// (invariant E6).
struct PartName {
  std::string job_id;           ///< 32 hex digits
  std::string operator_prefix;  ///< the first 8 hex digits of the operator's id
  std::uint64_t subtask = 0;
  std::string attempt;
  std::uint64_t number = 0;

  bool operator==(const PartName&) const = default;
};

std::string operator_prefix_of(const OperatorId& id);
std::string finished_name_of(const PartName& part);
std::string hidden_name_of(std::string_view finished_name);
/// Nothing if it is not exactly such a name.
std::optional<PartName> parse_finished_name(std::string_view name);
std::optional<PartName> parse_hidden_name(std::string_view name);

/// A part that is durable under its hidden name and waits for its checkpoint.
struct PartCommittable {
  std::string folder;  ///< absolute, or a URI
  std::string finished_name;
  std::uint64_t length = 0;
  std::string xxh3;  ///< XXH3-128 of its bytes, 32 hex digits

  bool operator==(const PartCommittable&) const = default;
};

std::string encode_committable(const PartCommittable& committable);
/// E-STATE-CORRUPT if the bytes are damaged, or name anything but a part file.
Result<PartCommittable> decode_committable(std::string_view bytes);

}  // namespace streamrun
