#include "accepted_options.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace streamrun {
namespace {

using Duration = std::chrono::nanoseconds;
using Integer = std::int32_t;
using Long = std::int64_t;
using Text = std::string;
using List = std::vector<std::string>;
using Map = std::map<std::string, std::string>;
using Table = std::vector<OptionInfo>;

template <typename T>
void accept(Table& table, std::string_view key, std::string_view default_text,
            std::string_view description, std::array<std::string_view, 3> other_keys = {}) {
  table.push_back(describe(ConfigOption<T>{.key = key,
                                           .description = description,
                                           .default_text = default_text,
                                           .other_keys = other_keys,
                                           .use = OptionUse::later}));
}

/// An enum that no code of ours has as a type.
void accept_choice(Table& table, std::string_view key, const std::vector<std::string_view>& choices,
                   std::string_view default_text, std::string_view description) {
  accept<Text>(table, key, default_text, description);
  OptionInfo& option = table.back();
  option.type = "enum";
  option.choices = choices;
  option.check = [choices](std::string_view text) -> Result<void> {
    for (const std::string_view choice : choices) {
      if (equals_ignoring_case(choice, text)) return {};
    }
    return not_a_choice(text, choices);
  };
}

void accept_checkpointing(Table& table) {
  accept<Duration>(table, "execution.checkpointing.interval-during-backlog", "",
                   "Checkpoint interval while a source reads its backlog; 0 takes none.");
  accept<bool>(table, "execution.checkpointing.unaligned.forced", "false",
               "Allows unaligned checkpoints with custom partitioners.");
  accept<Integer>(table, "execution.checkpointing.unaligned.max-subtasks-per-channel-state-file",
                  "5", "How many subtasks share a file of in-flight records.");
  accept<bool>(table, "execution.checkpointing.unaligned.interruptible-timers.enabled", "false",
               "Lets a barrier interrupt the firing of timers.");
  accept<bool>(table, "execution.checkpointing.unaligned.recover-output-on-downstream.enabled",
               "false", "Restores in-flight output at its receivers.");
  accept<bool>(table, "execution.checkpointing.during-recovery.enabled", "false",
               "Takes checkpoints while in-flight records are still being restored.");
  accept<bool>(table, "pipeline.sources.pause-until-first-checkpoint", "false",
               "Holds sources back until the first checkpoint after a restore.");
  accept<bool>(table, "execution.checkpointing.cleaner.parallel-mode", "true",
               "Deletes the files of a dropped checkpoint in parallel.",
               {"state.checkpoint.cleaner.parallel-mode"});
  accept<Integer>(table, "execution.checkpointing.write-buffer-size", "4096",
                  "Bytes of the buffer in front of a state file.",
                  {"state.storage.fs.write-buffer-size", "state.backend.fs.write-buffer-size"});
  accept<bool>(table, "execution.checkpointing.local-backup.enabled", "false",
               "Keeps a second copy of state on the local disk.", {"state.backend.local-recovery"});
  accept<Text>(table, "execution.checkpointing.local-backup.dirs", "",
               "Folders of the local copies.", {"taskmanager.state.local.root-dirs"});
  accept<bool>(table, "execution.checkpointing.file-merging.enabled", "false",
               "Merges small state files into larger ones.");
  accept<bool>(table, "execution.checkpointing.file-merging.across-checkpoint-boundary", "false",
               "Lets one merged file hold state of several checkpoints.");
  accept<MemorySize>(table, "execution.checkpointing.file-merging.max-file-size", "32 mb",
                     "Size at which a merged file is closed.");
  accept<bool>(table, "execution.checkpointing.file-merging.pool-blocking", "false",
               "Waits for a free merged file rather than opening another.");
  accept<Integer>(table, "execution.checkpointing.file-merging.max-subtasks-per-file", "4",
                  "How many subtasks share a merged file.");
  accept<double>(table, "execution.checkpointing.file-merging.max-space-amplification", "2.0",
                 "Garbage in merged files above which state is written anew; below 1 it never is.");
  accept<bool>(table, "execution.state-recovery.from-local", "false",
               "Restores from the local copies.", {"state.backend.local-recovery"});
  accept<Long>(table, "execution.state-recovery.without-channel-state.checkpoint-id", "-1",
               "Drops the in-flight records of this checkpoint.",
               {"execution.checkpointing.recover-without-channel-state.checkpoint-id"});
  accept<bool>(table, "execution.checkpointing.force", "false",
               "Flink 1.x: checkpoints despite iterations.");
}

void accept_state(Table& table) {
  accept<bool>(table, "state.backend.async", "true", "No effect since Flink 1.13.");
  accept<bool>(table, "state.changelog.enabled", "false", "Stores state changes as a log.",
               {"state.backend.changelog.enabled"});
  accept<Text>(table, "state.changelog.storage", "memory", "Where the log of state changes is.",
               {"state.backend.changelog.storage"});
  accept<Duration>(table, "state.changelog.periodic-materialize.interval", "10 min",
                   "How often state is stored in full beside its log.",
                   {"state.backend.changelog.periodic-materialize.interval"});
  accept<bool>(table, "state.changelog.periodic-materialize.enabled", "true",
               "Whether state is stored in full beside its log.");
  accept<Integer>(table, "state.changelog.max-failures-allowed", "3",
                  "Failed materialisations that are tolerated in a row.",
                  {"state.backend.changelog.max-failures-allowed"});
  accept<bool>(table, "state.latency-track.keyed-state-enabled", "false",
               "Measures state accesses.", {"state.backend.latency-track.keyed-state-enabled"});
  accept<Integer>(table, "state.latency-track.sample-interval", "100",
                  "One access in so many is measured.",
                  {"state.backend.latency-track.sample-interval"});
  accept<Integer>(table, "state.latency-track.history-size", "128",
                  "How many measurements are kept.", {"state.backend.latency-track.history-size"});
  accept<bool>(table, "state.latency-track.state-name-as-variable", "true",
               "Puts state names into metrics.",
               {"state.backend.latency-track.state-name-as-variable"});
}

void accept_execution(Table& table) {
  accept<bool>(table, "pipeline.object-reuse", "false",
               "Reuses objects between operators of a chain.");
  accept<bool>(table, "pipeline.auto-generate-uids", "true",
               "Derives ids of operators that have no uid.");
  accept<Map>(table, "pipeline.global-job-parameters", "",
              "Parameters that every function can read.");
  accept<bool>(table, "pipeline.operator-chaining.chain-operators-with-different-max-parallelism",
               "true", "Lets operators of different maximum parallelism share a chain.");
  accept<bool>(table, "pipeline.watermark-alignment.allow-unaligned-source-splits", "false",
               "Accepts sources whose splits can't be held back one by one.");
  accept<bool>(table, "pipeline.generic-types", "true",
               "Java only: allows Kryo for unknown types.");
  accept<bool>(table, "pipeline.force-avro", "false", "Java only.");
  accept<bool>(table, "pipeline.force-kryo", "false", "Java only.");
  accept<List>(table, "pipeline.jars", "", "Java only.");
  accept<List>(table, "pipeline.classpaths", "", "Java only.");
  accept<Text>(table, "pipeline.serialization-config", "", "Java only.");
  accept<Text>(table, "pipeline.default-kryo-serializers", "", "Java only.");
  accept<Text>(table, "pipeline.registered-kryo-types", "", "Java only.");
  accept<Text>(table, "pipeline.registered-pojo-types", "", "Java only.");
  accept<Text>(table, "pipeline.cached-files", "", "Files that Flink hands to every task.");
  accept_choice(table, "pipeline.vertex-description-mode", {"TREE", "CASCADING"}, "TREE",
                "How chains are described.");
  accept<bool>(table, "pipeline.vertex-name-include-index-prefix", "false",
               "Numbers the names of vertices.");
  accept_choice(table, "pipeline.closure-cleaner-level", {"NONE", "TOP_LEVEL", "RECURSIVE"},
                "RECURSIVE", "Java only.");
  accept<bool>(table, "execution.buffer-timeout.enabled", "true",
               "Without it only full batches are sent on.");
  accept<bool>(table, "execution.attached", "false", "Whether the client waits for the job.");
  accept<bool>(table, "execution.shutdown-on-attached-exit", "false",
               "Ends the job with its client.");
  accept<Text>(table, "execution.target", "", "Where Flink would deploy the job.");
  accept<bool>(table, "execution.sorted-inputs.enabled", "true",
               "BATCH: sorts the inputs of keyed operators.");
  accept<List>(table, "execution.job-listeners", "", "Java only.");
  accept<bool>(table, "execution.submit-failed-job-on-application-error", "false",
               "Application mode only.");
  accept<Duration>(table, "client.retry-period", "2 s",
                   "Time between two questions of a waiting command.");
  accept<bool>(table, "fs.overwrite-files", "false", "Lets sinks overwrite files by default.");
  accept<bool>(table, "fs.output.always-create-directory", "false",
               "Gives even one writer a folder.");
  accept<Text>(table, "fs.allowed-fallback-filesystems", "",
               "Schemes for which Hadoop's client may be used.");
  accept<bool>(table, "taskmanager.network.memory.buffer-debloat.enabled", "false",
               "Keeps as much data in flight as is processed in the target time.");
  accept<Duration>(table, "taskmanager.network.memory.buffer-debloat.target", "1 s",
                   "The time that data in flight should last.");
  accept<Duration>(table, "taskmanager.network.memory.buffer-debloat.period", "200 ms",
                   "How often the amount of data in flight is adjusted.");
  accept<Duration>(table, "task.cancellation.interval", "30 s",
                   "Time between two tries to interrupt a task.");
  accept<Duration>(table, "task.cancellation.timeout", "180 s",
                   "A task that takes longer to end is killed.");
  accept<Duration>(table, "task.cancellation.timers.timeout", "7500 ms",
                   "How long timers may take to end.");
  accept_choice(table, "jobmanager.execution.failover-strategy", {"region", "full"}, "region",
                "What is restarted after a failure: the connected tasks, or all.");
}

void accept_http(Table& table) {
  accept<Text>(table, "rest.url-prefix", "/", "What every path begins with.");
  accept<Duration>(table, "rest.async.store-duration", "5 min",
                   "How long results of operations are kept.");
  accept<Integer>(table, "rest.retry.max-attempts", "20", "How often a client tries.");
  accept<Duration>(table, "rest.retry.delay", "3 s", "Time between two tries of a client.");
  accept<Duration>(table, "rest.connection-timeout", "15 s",
                   "How long a client waits for a connection.");
  accept<Duration>(table, "rest.idleness-timeout", "5 min",
                   "After which an idle connection is closed.");
  accept<Duration>(table, "rest.await-leader-timeout", "30 s",
                   "How long a client waits for a leader.");
  accept<Integer>(table, "rest.server.max-content-length", "104857600", "Most bytes of a request.");
  accept<Integer>(table, "rest.client.max-content-length", "104857600", "Most bytes of an answer.");
  accept<Integer>(table, "rest.server.numThreads", "4", "Threads that answer requests.");
  accept<bool>(table, "rest.flamegraph.enabled", "false", "Shows flame graphs.");
  accept<bool>(table, "rest.profiling.enabled", "false", "Allows profiling over REST.");
  accept<Duration>(table, "web.refresh-interval", "3 s", "How often the dashboard asks.");
  accept<Integer>(table, "web.exception-history-size", "16",
                  "How many exceptions the dashboard lists.");
  accept<bool>(table, "web.cancel.enable", "true", "Allows cancelling from the dashboard.");
  accept<bool>(table, "web.submit.enable", "true", "Allows acting from the dashboard.");
  accept<bool>(table, "web.rescale.enable", "true", "Allows rescaling from the dashboard.");
  accept<Duration>(table, "web.timeout", "10 min", "How long the dashboard's server waits inside.");
  accept<Integer>(table, "web.history", "5", "How many ended jobs the dashboard lists.");
  accept<Text>(table, "web.access-control-allow-origin", "*",
               "Origins that browsers may call from.");
  accept<Text>(table, "web.tmpdir", "", "Folder of the dashboard's working files.");
  accept<Text>(table, "web.upload.dir", "", "Folder of uploaded jars.");
  accept<Text>(table, "web.log.path", "", "The log that the dashboard shows.");
}

void accept_metrics(Table& table) {
  accept<List>(table, "metrics.reporters", "", "Names of the reporters to start.");
  accept<std::vector<PortRange>>(table, "metrics.reporter.prom.port", "",
                                 "A further port for /metrics.");
  accept<Duration>(table, "metrics.latency.interval", "0 ms",
                   "Time between latency markers; 0 sends none.");
  accept_choice(table, "metrics.latency.granularity", {"single", "operator", "subtask"}, "operator",
                "How finely latency is told apart.");
  accept<Integer>(table, "metrics.latency.history-size", "128",
                  "How many measured latencies are kept.");
  accept<Text>(table, "metrics.scope.delimiter", ".",
               "What stands between the parts of a metric's name.");
  accept<List>(table, "metrics.job.status.enable", "CURRENT_TIME",
               "STATE, CURRENT_TIME, TOTAL_TIME.");
}

void accept_rocksdb(Table& table) {
  accept_choice(table, "state.backend.rocksdb.timer-service.factory", {"ROCKSDB", "HEAP"},
                "ROCKSDB", "Where timers live.");
  accept<Integer>(table, "state.backend.rocksdb.timer-service.cache-size", "128",
                  "Timers cached in memory.");
  accept<Integer>(table, "state.backend.rocksdb.checkpoint.transfer.thread.num", "4",
                  "Threads that move files of checkpoints.");
  accept<Text>(table, "state.backend.rocksdb.options-factory", "", "Java only.");
  accept<MemorySize>(table, "state.backend.rocksdb.log.max-file-size", "25 mb",
                     "Size of a log file.");
  accept<Integer>(table, "state.backend.rocksdb.log.file-num", "4", "How many log files are kept.");
  accept_choice(
      table, "state.backend.rocksdb.log.level",
      {"DEBUG_LEVEL", "INFO_LEVEL", "WARN_LEVEL", "ERROR_LEVEL", "FATAL_LEVEL", "HEADER_LEVEL"},
      "INFO_LEVEL", "What the database logs.");
  accept<Text>(table, "state.backend.rocksdb.log.dir", "", "Folder of the database's logs.");
  accept<bool>(table, "state.backend.rocksdb.bloom-filter.block-based-mode", "false",
               "An older form of filter.");
  accept<double>(table, "state.backend.rocksdb.restore-overlap-fraction-threshold", "0.0",
                 "Overlap from which on a stored database is opened rather than copied.");
  accept<bool>(table, "state.backend.rocksdb.use-ingest-db-restore-mode", "false",
               "Restores by ingesting files.");
  accept<Long>(table, "state.backend.rocksdb.compaction.filter.query-time-after-num-entries",
               "1000", "Entries between two looks at the clock while expired state is dropped.");
  accept<bool>(table, "state.backend.rocksdb.rescaling.use-delete-files-in-range", "false",
               "Drops whole files when rescaling.");
  accept<bool>(table, "state.backend.rocksdb.incremental-restore-async-compact-after-rescale",
               "false", "Compacts in the background after rescaling.");
}

}  // namespace

std::vector<OptionInfo> accepted_options() {
  Table table;
  accept_checkpointing(table);
  accept_state(table);
  accept_execution(table);
  accept_http(table);
  accept_metrics(table);
  accept_rocksdb(table);
  return table;
}

}  // namespace streamrun
