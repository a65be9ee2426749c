#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// What a key is to streamrun, judged by its name alone.
enum class KeyStanding {
  known,   ///< an option of the table, under its own or an older name
  member,  ///< a member of an option that is a map, such as `pipeline.global-job-parameters.k`
  file_systems,  ///< `flink.hadoop.`: belongs to the file systems
  later,         ///< of a family that streamrun does not use yet, such as `metrics.reporter.`
  meaningless,   ///< of Flink's, but nothing to a single process, such as `taskmanager.`
  unknown,
};
KeyStanding standing_of(std::string_view key);

/// The known key nearest to a mistyped one; empty if none is near.
std::string nearest_key(std::string_view key);

/// What stands for a value that must not be seen.
constexpr std::string_view kMasked = "******";

/// Whether the value of a key is a secret, by Flink's words and some more (password, token, …), in
/// any case.
bool is_secret_key(std::string_view key);
/// The value as it may be shown: masked for a secret key; in URLs the user's password and
/// signatures are masked.
std::string displayed_value(std::string_view key, std::string_view value);

/// The environment variable of a key or a flag: `STREAMRUN_`, then capitals with `_` for `.` and
/// `-`.
std::string environment_name(std::string_view key);

}  // namespace streamrun
