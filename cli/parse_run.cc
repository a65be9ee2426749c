#include <streamrun/base/error.h>

#include <fmt/format.h>

#include "command_table.h"
#include "job_line.h"
#include "output.h"
#include "run.h"

namespace streamrun {

int run_command(const Invocation& invocation) {
  JobLine line = read_job_line(invocation);
  if (line.help) {
    print(job_help(*line.job));
    return 0;
  }
  RunFlags flags;
  flags.from = invocation.value("--fromSavepoint");
  flags.or_fresh = invocation.has("--or-fresh");
  flags.fallback = invocation.has("--fallback");
  flags.allow_non_restored = invocation.has("--allowNonRestoredState");
  flags.drop_state = invocation.all("--drop-state");
  flags.claim_mode = invocation.value("--claimMode").value_or("");
  flags.parallelism = parallelism_flag(invocation);
  flags.detached = invocation.has("--detached");
  flags.dry_run = invocation.has("--dry-run");
  flags.stop_after = invocation.value("--stop-after").value_or("");
  if (line.job != nullptr) flags.job = line.job->name;
  flags.job_arguments = std::move(line.arguments);
  return run_job(invocation.global, flags, *invocation.jobs);
}

}  // namespace streamrun
