// Thermometers send readings without end, and the job reports each new record of heat. What it is
// here for are its settings: everything there is to say of checkpoints, said in the job's code. The
// same in a file: conf/checkpointdemo.yaml. A key on the command line counts more than the code,
// and the code more than the file.
#include "checkpointdemo.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace streamrun::jobs {
namespace {

using namespace std::chrono_literals;

void set_checkpoints(StreamExecutionEnvironment& env) {
  env.enable_checkpointing({
      // Between the starts of two checkpoints. Without it none are taken.
      .interval = 1s,
      // Or at_least_once: never waits at a barrier; after a recovery records may count twice.
      .mode = CheckpointingMode::exactly_once,
      // One that takes longer is given up, and counts as failed.
      .timeout = 10min,
      // From the end of one to the start of the next; counts more than the interval.
      .min_pause = 500ms,
      // More than one needs aligned checkpoints (unaligned = false) and no pause to make sense.
      .max_concurrent_checkpoints = 1,
      // So many in a row may fail; one more fails the job, which then starts again.
      .tolerable_failed_checkpoints = 2,
      // Kept when the job is cancelled. Or delete_on_cancellation, or no_externalized_checkpoints.
      .externalized_checkpoint_retention = CheckpointRetention::retain_on_cancellation,
      // A failure goes back to the newest checkpoint, though a newer savepoint may exist.
      .prefer_checkpoint_for_recovery = true,
      // Barriers may overtake records, so that back pressure does not delay checkpoints…
      .unaligned = true,
      // …but only after this long; 0 s: at once.
      .aligned_checkpoint_timeout = 200ms,
      // Goes on when some tasks have read all of their input.
      .checkpoints_after_tasks_finish = true,
      // Each writes what changed since the one before, and needs files of that one for the rest.
      .incremental = true,
      // State files get smaller, and cost the processor more.
      .snapshot_compression = true,
      // State up to so many bytes lies in _metadata, without a file of its own.
      .data_inline_threshold = MemorySize{20UL * 1024},
      // In files. Or jobmanager: in this process's memory, and gone with it.
      .storage = CheckpointStorageType::filesystem,
      // Where this job's checkpoints are, whatever the configuration file says for all jobs.
      .dir = "ckpt",
      // Where `savepoint` and `stop` put theirs if they name no folder.
      .savepoint_dir = "savepoints",
      // So many complete ones are kept.
      .num_retained = 3,
  });
  // How a failed job is started again, here after 1 s, 1.5 s, …, at most 1 min. Or none,
  // fixed-delay or failure-rate, with the keys of the same names.
  env.configure("restart-strategy.type", "exponential-delay");
}

struct Reading {
  std::int64_t thermometer = 0;
  std::int64_t millidegrees = 0;
};

struct Record {
  std::int64_t thermometer = 0;
  std::int64_t reading = 0;  ///< its number among those of the thermometer
  std::int64_t millidegrees = 0;
};

Reading make_reading(std::uint64_t index, std::uint64_t thermometers) {
  std::uint64_t noise = (index + 1) * 0x9e3779b97f4a7c15ULL;
  noise ^= noise >> 32U;
  return {.thermometer = static_cast<std::int64_t>(index % thermometers),
          .millidegrees = static_cast<std::int64_t>(noise % 100'000'000) - 50'000'000};
}

struct FindRecords {
  ValueState<std::int64_t> readings{"readings"};
  ValueState<std::int64_t> highest{"highest"};

  void process(const Reading& reading, KeyedContext<std::int64_t>&, Output<Record>& records) {
    const std::int64_t number = readings.value_or(0) + 1;
    readings.update(number);
    if (number > 1 && reading.millidegrees <= highest.value_or(0)) return;
    highest.update(reading.millidegrees);
    records.emit({.thermometer = reading.thermometer,
                  .reading = number,
                  .millidegrees = reading.millidegrees});
  }
};

void to_line(std::string& out, const Record& record) {
  out += "thermometer " + std::to_string(record.thermometer) + ", reading " +
         std::to_string(record.reading) + ": " + std::to_string(record.millidegrees);
}

}  // namespace

void checkpoint_demo(StreamExecutionEnvironment& env, JobArguments& args) {
  set_checkpoints(env);
  const auto thermometers = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, args.integer("thermometers", "how many send readings", 1000)));
  const auto rate =
      args.integer("rate", "readings per second over all; 0 for as many as possible", 10000);
  const auto count =
      args.integer("count", "readings after which the job ends; 0 for an endless one", 0);
  const auto output =
      args.optional_path("output", "folder for the records; standard output without it");

  const GeneratorSource<Reading> readings{
      .make = [thermometers](std::uint64_t index) { return make_reading(index, thermometers); },
      .count = static_cast<std::uint64_t>(count),
      .records_per_second = static_cast<double>(rate)};
  const auto records = env.from_source(readings, {.uid = "readings"})
                           .key_by(&Reading::thermometer)
                           .process(FindRecords{}, {.uid = "highest", .name = "Records"});
  if (output) {
    records.sink_to(FileSink{.path = *output}, {.uid = "records"});
  } else {
    records.sink_to(PrintSink{}, {.uid = "records"});
  }
}

}  // namespace streamrun::jobs
