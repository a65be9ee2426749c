#include "running_job_commands.h"

namespace streamrun {
namespace {

Flag job_manager() {
  return {.long_name = "jobmanager",
          .short_name = 'm',
          .value = "HOST:PORT",
          .help = "ask there instead of looking for the runs of this user"};
}

Flag format_type() {
  return {.long_name = "type",
          .value = "FORMAT",
          .help = "accepted as Flink's: canonical or native; there is one format",
          .choices = {"canonical", "native"}};
}

Flag detached() {
  return {
      .long_name = "detached", .value = {}, .help = "do not wait; print the id of the operation"};
}

Command make_list() {
  return {.name = "list",
          .usage = {"[flags]"},
          .about =
              "Lists the running jobs of this user: name, id, state, records read per second "
              "since the start, pid.",
          .examples = {{"streamrun list", "what runs"},
                       {"streamrun list --json | jq -r '.jobs[].job_id'", "ids for a script"}},
          .flags = {{.long_name = "all",
                     .short_name = 'a',
                     .value = {},
                     .help = "also those that have just ended"},
                    {.long_name = "running",
                     .short_name = 'r',
                     .value = {},
                     .help = "only those that run or restart"},
                    {.long_name = "scheduled",
                     .short_name = 's',
                     .value = {},
                     .help = "only those that start"},
                    job_manager()},
          .run = list_command};
}

Command make_stop() {
  return {.name = "stop",
          .usage = {"[flags] JOB"},
          .about =
              "Stops a running job with a savepoint that commits all output up to it; prints its "
              "path. JOB is the job's id, the start of one, or its name.",
          .examples = {{"streamrun stop wordcount", "a savepoint into state.savepoints.dir"},
                       {"streamrun run -s \"$(streamrun stop -p /backup 5f3a)\" -p 8",
                        "go on at another parallelism"}},
          .flags = {{.long_name = "drain",
                     .short_name = 'd',
                     .value = {},
                     .help = "end the input first: windows and timers fire, and the job is done"},
                    {.long_name = "savepointPath",
                     .short_name = 'p',
                     .value = "DIR",
                     .help = "folder for the savepoint instead of state.savepoints.dir",
                     .kind = ValueKind::file},
                    format_type(),
                    detached(),
                    job_manager()},
          .most_operands = 1,
          .operand_kind = ValueKind::running_job,
          .run = stop_command};
}

Command make_cancel() {
  return {.name = "cancel",
          .usage = {"[flags] JOB"},
          .about =
              "Ends a running job at once, without a last checkpoint; its checkpoints stay or go "
              "as execution.checkpointing.externalized-checkpoint-retention says.",
          .examples = {{"streamrun cancel 5f3a12c8",
                        "what it wrote since its last checkpoint is void"}},
          .flags = {{.long_name = "withSavepoint",
                     .short_name = 's',
                     .value = "DIR",
                     .help = "deprecated, as in Flink: a savepoint first; stop is better",
                     .kind = ValueKind::file},
                    format_type(),
                    job_manager()},
          .most_operands = 1,
          .operand_kind = ValueKind::running_job,
          .run = cancel_command};
}

Command make_savepoint() {
  return {.name = "savepoint",
          .usage = {"[flags] JOB [DIR]", "--dispose PATH"},
          .about =
              "Takes a savepoint of a running job, which goes on; prints its path. Nothing "
              "ever removes it but --dispose.",
          .examples = {{"streamrun savepoint wordcount /backup", "before a change"},
                       {"streamrun savepoint --dispose /backup/savepoint-5f3a12-0123456789ab",
                        "delete it; no job has to run"}},
          .flags = {{.long_name = "dispose",
                     .short_name = 'd',
                     .value = "PATH",
                     .help = "delete this savepoint",
                     .kind = ValueKind::file},
                    format_type(),
                    detached(),
                    job_manager()},
          .most_operands = 2,
          .operand_kind = ValueKind::running_job,
          .run = savepoint_command};
}

Command make_checkpoint() {
  return {.name = "checkpoint",
          .usage = {"[flags] JOB"},
          .about = "Takes a checkpoint of a running job now; prints its path.",
          .examples = {{"streamrun checkpoint wordcount", "before a risky moment"}},
          .flags = {{.long_name = "full",
                     .value = {},
                     .help = "with all state in it, even if the job takes incremental ones"},
                    job_manager()},
          .most_operands = 1,
          .operand_kind = ValueKind::running_job,
          .run = checkpoint_command};
}

}  // namespace

std::vector<Command> running_job_commands() {
  return {make_list(), make_stop(), make_cancel(), make_savepoint(), make_checkpoint()};
}

}  // namespace streamrun
