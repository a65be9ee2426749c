#pragma once

#include <streamrun/base/result.h>
#include <streamrun/runtime/job_spec.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "flags.h"

namespace streamrun {

/// Opens a file to add log lines to; its descriptor is closed in programs that this one becomes.
/// E-PATH, E-PERM, E-STORE-RO, E-STORE-IO.
Result<int> open_log(const std::string& path);

/// Where a run in the background logs: what `--log-file` says, else into the job's folder of
/// checkpoints, else into the person's folder of state (`$XDG_STATE_HOME/streamrun`,
/// `~/.local/state/streamrun`), which is created, or the one for temporary files. Absolute.
std::string log_path_of(const JobSpec& spec, const GlobalFlags& global);

/// The side of a run in the background (`-d`) that goes on. Until the job runs, whoever started it
/// waits, sees what it says on the same stderr, and ends as it ends.
class Background {
 public:
  /// Forks, in a process of one thread. In the parent: waits until the job runs, prints its id and
  /// how to look after it, and never returns; if the process ends before that, ends with the same
  /// status.
  static std::unique_ptr<Background> enter(const JobId& id, std::string log_path,
                                           const GlobalFlags& global);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// The job runs: stderr becomes the log, `announce` is called to say there what was said before,
  /// and the parent ends. Only the first call counts. Not synchronised: one thread calls it.
  void started(const std::function<void()>& announce);

 private:
  Background(int parent, std::string log_path) : parent_(parent), log_path_(std::move(log_path)) {}

  int parent_;  // a pipe to the parent; -1 once it has been told
  const std::string log_path_;
};

}  // namespace streamrun
