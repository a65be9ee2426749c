#pragma once

#include <streamrun/api/job_arguments.h>

#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// What every command understands. Texts are empty where a flag was not given.
struct GlobalFlags {
  std::string conf;                      ///< folder or file of the configuration
  std::vector<std::string> definitions;  ///< of `-D`, in order; each is `key=value`
  bool json = false;
  bool quiet = false;
  bool yes = false;
  int verbose = 0;                  ///< how often `-v` was given
  std::string color = "auto";       ///< `auto`, `always` or `never`
  std::string log_level;            ///< `debug`, `info`, `warning` or `error`
  std::string log_format = "text";  ///< `text` or `json`
  std::string log_file;
};

/// What `run` was told, checked for its form only.
struct RunFlags {
  /// Of `-s`, as it was written. Present and empty when the flag was given an empty text, which
  /// must never be a fresh start.
  std::optional<std::string> from;
  bool or_fresh = false;
  bool fallback = false;
  bool allow_non_restored = false;
  std::vector<std::string> drop_state;  ///< uids
  std::string claim_mode;               ///< as `ClaimMode` spells it; empty: not given
  std::optional<int> parallelism;       ///< at least 1
  bool detached = false;
  bool dry_run = false;
  std::string stop_after;          ///< a duration or `N-records`; empty: not given
  std::optional<std::string> job;  ///< a name of the table; none only together with `from`
  JobArguments::Values job_arguments;
};

}  // namespace streamrun
