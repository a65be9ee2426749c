#include "command_table.h"

#include <algorithm>
#include <set>

#include "running_job_commands.h"

namespace streamrun {
namespace {

const std::vector<Flag> kGlobalFlags = {
    {.long_name = "conf",
     .value = "PATH",
     .help = "folder or file of the configuration",
     .kind = ValueKind::file},
    {.long_name = {},
     .short_name = 'D',
     .value = "KEY=VALUE",
     .help = "a configuration value; KEY alone means true",
     .repeatable = true,
     .kind = ValueKind::definition},
    {.long_name = "json", .value = {}, .help = "print JSON, also for errors"},
    {.long_name = "quiet", .short_name = 'q', .value = {}, .help = "no notices and no progress"},
    {.long_name = "verbose",
     .short_name = 'v',
     .value = {},
     .help = "say more; twice: still more",
     .repeatable = true},
    {.long_name = "yes", .value = {}, .help = "answer every question with yes"},
    {.long_name = "color",
     .value = "WHEN",
     .help = "colour: auto, always or never",
     .choices = {"auto", "always", "never"}},
    {.long_name = "log-level",
     .value = "LEVEL",
     .help = "least level to log: debug, info, warning or error",
     .choices = {"debug", "info", "warning", "error"}},
    {.long_name = "log-format",
     .value = "FORMAT",
     .help = "form of log lines: text or json",
     .choices = {"text", "json"}},
    {.long_name = "log-file",
     .value = "FILE",
     .help = "log a run to this file instead of stderr",
     .kind = ValueKind::file},
    {.long_name = "help", .short_name = 'h', .value = {}, .help = "show help and end"},
    {.long_name = "version", .value = {}, .help = "show the version and end"},
};

Command make_run() {
  return {
      .name = "run",
      .usage = {"[flags] JOB [job arguments]", "-s WHERE [flags] [JOB] [job arguments]"},
      .about =
          "Runs a job until its input ends or it is stopped. Flags stand before JOB; what "
          "stands after it belongs to the job. Without JOB its name and arguments come from "
          "the checkpoint.",
      .examples = {{"streamrun run -p 4 wordcount --input texts", "start anew"},
                   {"streamrun run -s latest wordcount --input texts", "go on where it stopped"}},
      .flags =
          {{.long_name = "fromSavepoint",
            .short_name = 's',
            .value = "WHERE",
            .help = "start from a chk-N or savepoint folder, its _metadata, a job's folder, or "
                    "\"latest\" of JOB",
            .empty_counts = true,
            .kind = ValueKind::snapshot},
           {.long_name = "or-fresh",
            .value = {},
            .help = "with -s latest: start empty if there is none"},
           {.long_name = "fallback",
            .value = {},
            .help = "take the newest good checkpoint if the wanted one is damaged"},
           {.long_name = "allowNonRestoredState",
            .short_name = 'n',
            .value = {},
            .help = "drop state that fits nowhere in the job"},
           {.long_name = "drop-state",
            .value = "UID",
            .help = "drop the state of this operator only; may be repeated",
            .repeatable = true},
           {.long_name = "claimMode",
            .value = "MODE",
            .help = "who owns the files that it starts from: NO_CLAIM (default), CLAIM or LEGACY; "
                    "also -claimMode, -cm",
            .choices = {"NO_CLAIM", "CLAIM", "LEGACY"}},
           {.long_name = "parallelism",
            .short_name = 'p',
            .value = "N",
            .help = "parallelism of operators that name none"},
           {.long_name = "detached",
            .short_name = 'd',
            .value = {},
            .help = "go to the background once the job runs; print its id, and on stderr its log "
                    "and pid"},
           {.long_name = "dry-run",
            .value = {},
            .help = "everything up to the first record, also whether input, output and state are "
                    "there; writes nothing"},
           {.long_name = "stop-after",
            .value = "WHEN",
            .help = "stop as on SIGTERM after a time (10s) or N-records"},
           {.long_name = "shutdownOnAttachedExit",
            .value = {},
            .help = "accepted as Flink's -sae; the job never outlives this process"}},
      .most_operands = 1,
      .operand_kind = ValueKind::job,
      .before_job = true,
      .run = run_command};
}

Command make_list_checkpoints() {
  return {
      .name = "list-checkpoints",
      .usage = {"[JOB] [flags]"},
      .about =
          "Lists checkpoints and savepoints, newest first: those of JOB (a name, an id or the "
          "start of one) or of all jobs, under the configured folders.",
      .examples = {{"streamrun list-checkpoints --all", "what there is, damaged ones too"},
                   {"streamrun run -s \"$(streamrun list-checkpoints --latest wordcount)\"",
                    "go on from the newest"}},
      .flags = {{.long_name = "latest",
                 .value = {},
                 .help = "print only the path of the newest, as run -s takes it; none: exit 66"},
                {.long_name = "all",
                 .value = {},
                 .help = "also unfinished and damaged ones and jobs that finished, with STATUS"},
                {.long_name = "dir",
                 .value = "WHERE",
                 .help = "look here instead of in the configured folders; may be repeated",
                 .repeatable = true,
                 .kind = ValueKind::file},
                {.long_name = "kind",
                 .value = "KIND",
                 .help = "checkpoint or savepoint only",
                 .choices = {"checkpoint", "savepoint"}},
                {.long_name = "older",
                 .value = "TIME",
                 .help = "only those completed longer ago, such as 2h"},
                {.long_name = "newer",
                 .value = "TIME",
                 .help = "only those completed since, such as 2h"},
                {.long_name = "sort",
                 .value = "BY",
                 .help = "age (newest first), size, job or duration",
                 .choices = {"age", "size", "job", "duration"}},
                {.long_name = "output",
                 .short_name = 'o',
                 .value = "FORM",
                 .help = "table, wide (more columns) or path (paths alone)",
                 .choices = {"table", "wide", "path"}}},
      .most_operands = 1,
      .operand_kind = ValueKind::job,
      .run = list_checkpoints_command};
}

Command make_inspect() {
  return {.name = "inspect",
          .usage = {"WHERE [flags]", "WHERE --state UID/NAME [--key K] [--limit N]"},
          .about =
              "Shows what a checkpoint or savepoint is, from its metadata alone: its job with "
              "arguments and settings, and each operator with its states. With --state it reads "
              "the values of one state and prints a line of JSON for each.",
          .examples = {{"streamrun inspect ckpt/5f3a…/chk-19 --history",
                        "where the time of its subtasks went, and why others failed"},
                       {"streamrun inspect ckpt/5f3a…/chk-19 --state counts/total --key the",
                        "the value of one key"}},
          .flags = {{.long_name = "operator", .value = "UID", .help = "this operator only"},
                    {.long_name = "files", .value = {}, .help = "also every file that it needs"},
                    {.long_name = "history",
                     .value = {},
                     .help = "the last checkpoints up to this one, and each of its subtasks"},
                    {.long_name = "state",
                     .value = "UID/NAME",
                     .help = "print the values of this keyed state instead"},
                    {.long_name = "key",
                     .value = "K",
                     .help = "with --state: this key only, as text or as JSON"},
                    {.long_name = "limit",
                     .value = "N",
                     .help = "with --state: so many values at most"}},
          .most_operands = 1,
          .operand_kind = ValueKind::snapshot,
          .run = inspect_command};
}

Command make_verify() {
  return {
      .name = "verify",
      .usage = {"WHERE [--data]", "--all [--data]"},
      .about =
          "Checks that a checkpoint or savepoint is whole. Its metadata is read, and every file "
          "it needs must be there with the right length; with --data also every byte is read. "
          "Prints a line for each snapshot, or for each damage; exit 65 if there is any.",
      .examples = {{"streamrun verify ckpt/5f3a…/chk-19 --data", "read and check all of it"},
                   {"streamrun verify --all", "all under the configured folders"}},
      .flags = {{.long_name = "data",
                 .value = {},
                 .help = "read every file and compare its checksums"},
                {.long_name = "all",
                 .value = {},
                 .help = "every complete snapshot under the configured folders"},
                {.long_name = "dir",
                 .value = "WHERE",
                 .help = "with --all: look here instead; may be repeated",
                 .repeatable = true,
                 .kind = ValueKind::file}},
      .most_operands = 1,
      .operand_kind = ValueKind::snapshot,
      .run = verify_command};
}

Command make_diff() {
  return {.name = "diff",
          .usage = {"A B [--exit-code]", "A --job JOB"},
          .about =
              "Shows what differs between two snapshots. That is operators, their states, how far "
              "sources have read, arguments and settings. With --job: whether A would restore into "
              "JOB of this binary, operator by operator; exit 76 if not.",
          .examples = {{"streamrun diff ckpt/5f3a…/chk-18 ckpt/5f3a…/chk-19",
                        "what one checkpoint added"},
                       {"streamrun diff sp/savepoint-77aa01-6498a5 --job wordcount",
                        "before a new version is started"}},
          .flags = {{.long_name = "exit-code", .value = {}, .help = "exit 1 if anything differs"},
                    {.long_name = "job",
                     .value = "JOB",
                     .help = "compare with a job of this binary",
                     .kind = ValueKind::job}},
          .most_operands = 2,
          .operand_kind = ValueKind::snapshot,
          .run = diff_command};
}

Command make_prune() {
  return {
      .name = "prune",
      .usage = {"[JOB] [flags]"},
      .about =
          "Removes old checkpoints under the configured folders: of each job name, or of JOB, it "
          "keeps the newest. It asks first. What a living run may need, what a kept one refers "
          "to, and what can't be read stays; exit 74 if anything could not be removed.",
      .examples = {{"streamrun prune --keep-last 2 --dry-run", "what would go, and why"},
                   {"streamrun prune wordcount --keep-within 2d --keep-daily 7 --yes",
                    "in a script: two days whole, then one a day for a week"}},
      .flags = {{.long_name = "keep-last",
                 .value = "N",
                 .help = "keep the newest N of each job (default 3)"},
                {.long_name = "keep-within",
                 .value = "TIME",
                 .help = "keep also those completed since, such as 2d"},
                {.long_name = "keep-daily",
                 .value = "N",
                 .help = "keep also the newest of each of the last N days (UTC) that have one"},
                {.long_name = "savepoints",
                 .value = {},
                 .help = "treat savepoints as checkpoints; else they are not touched"},
                {.long_name = "orphans",
                 .value = {},
                 .help = "also files of dead runs that nothing refers to, a day old or more"},
                {.long_name = "dry-run", .value = {}, .help = "only say what would go"},
                {.long_name = "dir",
                 .value = "WHERE",
                 .help = "look here instead of in the configured folders; may be repeated",
                 .repeatable = true,
                 .kind = ValueKind::file}},
      .most_operands = 1,
      .operand_kind = ValueKind::job,
      .run = prune_command};
}

Command make_jobs() {
  return {.name = "jobs",
          .usage = {""},
          .about =
              "Lists the jobs in this binary, with their arguments; [--argument] may be left "
              "out.",
          .examples = {{"streamrun jobs", "what can be run"},
                       {"streamrun jobs --json | jq -r '.jobs[].name'", "names for a script"}},
          .flags = {},
          .run = jobs_command};
}

Command make_info() {
  return {.name = "info",
          .usage = {"[flags] JOB [job arguments]", "JOB --help"},
          .about =
              "Shows the plan of a job: operators, chains, exchanges and uids. With --help "
              "after JOB: the arguments of the job.",
          .examples = {{"streamrun info wordcount", "the plan as text"},
                       {"streamrun info wordcount --help", "the arguments of a job"}},
          .flags = {{.long_name = "output",
                     .short_name = 'o',
                     .value = "FORM",
                     .help = "text, json (Flink's plan) or dot",
                     .choices = {"text", "json", "dot"}},
                    {.long_name = "parallelism",
                     .short_name = 'p',
                     .value = "N",
                     .help = "parallelism of operators that name none"}},
          .most_operands = 1,
          .operand_kind = ValueKind::job,
          .before_job = true,
          .run = info_command};
}

Command make_config() {
  return {.name = "config",
          .usage = {"[KEY or PREFIX] [flags]", "explain KEY"},
          .about =
              "Shows every configuration value in effect and where it comes from, or explains "
              "a key.",
          .examples = {{"streamrun config --changed", "what is not the plain default"},
                       {"streamrun config explain state.checkpoints.num-retained",
                        "meaning, type and default of a key"}},
          .flags = {{.long_name = "changed",
                     .value = {},
                     .help = "only what was set, and defaults that differ from Flink's"}},
          .most_operands = 2,
          .operand_kind = ValueKind::key,
          .run = config_command};
}

Command make_completion() {
  return {.name = "completion",
          .usage = {"bash|zsh|fish"},
          .about =
              "Prints a script that makes the shell complete commands, flags, jobs, keys and "
              "checkpoints.",
          .examples = {{"source <(streamrun completion bash)", "for this shell"},
                       {"streamrun completion fish > ~/.config/fish/completions/streamrun.fish",
                        "for good"}},
          .flags = {},
          .most_operands = 1,
          .run = completion_command};
}

Command make_help() {
  return {
      .name = "help",
      .usage = {"[COMMAND or CODE]"},
      .about = "Shows help for a command, or explains an error code.",
      .examples = {{"streamrun help run", "the same as streamrun run --help"},
                   {"streamrun help E-META-MISSING", "what an error means"}},
      .flags = {{.long_name = "man", .value = {}, .help = "print the man page", .hidden = true}},
      .most_operands = 1,
      .operand_kind = ValueKind::command,
      .run = help_command};
}

/// What the scripts of `completion` ask.
Command make_complete() {
  return {.name = "__complete",
          .usage = {"WORD..."},
          .about = "Prints what may stand at the end of a command line.",
          .examples = {},
          .flags = {},
          .hidden = true,
          .run = complete_command};
}

}  // namespace

const std::vector<Command>& all_commands() {
  static const std::vector<Command> kCommands = [] {
    std::vector<Command> commands = running_job_commands();
    commands.insert(commands.begin(), make_run());
    for (auto* const make :
         {make_list_checkpoints, make_inspect, make_verify, make_diff, make_prune, make_jobs,
          make_info, make_config, make_completion, make_help, make_complete}) {
      commands.push_back(make());
    }
    return commands;
  }();
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : all_commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

const std::vector<Flag>& global_flags() {
  return kGlobalFlags;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) {
    if (!command.hidden) names.push_back(command.name);
  }
  return names;
}

std::vector<std::string> all_long_names() {
  std::set<std::string> names;
  const auto add = [&](const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
      if (!flag.long_name.empty()) names.insert(flag.long_name);
    }
  };
  add(global_flags());
  for (const Command& command : all_commands()) add(command.flags);
  return {names.begin(), names.end()};
}

}  // namespace streamrun
