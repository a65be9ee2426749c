#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "job_operand.h"
#include "output.h"
#include "reach_job.h"
#include "running_job_commands.h"
#include "savepoint.h"

namespace streamrun {
namespace {

int cancel_with_savepoint(const Invocation& invocation, const JobAndFolder& what) {
  print_warning(
      "cancel -s is deprecated, as in Flink: stop commits what was written up to its "
      "savepoint",
      invocation.global);
  return take_savepoint(invocation, what.job, JobClient::Way::cancel, *what.folder);
}

}  // namespace

int cancel_command(const Invocation& invocation) {
  const JobAndFolder what = job_and_folder(invocation, "--withSavepoint");
  if (what.folder) return cancel_with_savepoint(invocation, what);
  Reach reach(invocation);
  const ReachableJob job = reach.one(what.job);
  JobClient client = reach.client_of(job.url);
  client.cancel(job.id);
  client.wait_for_end(job.id);
  if (invocation.global.json) {
    print(nlohmann::ordered_json{{"v", 1}, {"job_id", job.id}, {"state", "CANCELED"}}.dump() +
          "\n");
  } else {
    print_note(fmt::format("cancelled {} {}", job.name, job.id), invocation.global);
  }
  return 0;
}

}  // namespace streamrun
