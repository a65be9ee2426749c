#include "run_spec.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/config/options.h>
#include <streamrun/config/validation.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "load.h"
#include "other_runs.h"
#include "outside.h"
#include "resume_line.h"
#include "rocksdb_configuration.h"
#include "version.h"

namespace streamrun {
namespace {

[[noreturn]] void fail(ErrorCode code, std::string message, std::vector<std::string> tries = {}) {
  throw_error(
      {.code = code, .message = std::move(message), .tries = std::move(tries), .retry = Retry::no});
}

/// One run's preparation, step by step; each step uses what the ones before it found.
class Preparation {
 public:
  Preparation(const GlobalFlags& global, RunFlags flags, const JobTable& jobs,
              FileSystems& file_systems, Random& random, std::int64_t now)
      : global_(global),
        flags_(std::move(flags)),
        jobs_(jobs),
        file_systems_(file_systems),
        random_(random),
        now_(now) {}

  PreparedRun prepare() {
    try {
      return prepare_step_by_step();
    } catch (const ConfigurationErrors&) {
      throw;
    } catch (const ErrorException& thrown) {
      Error error = thrown.error();
      error.tries = completed_tries(global_, flags_, std::move(error.tries));
      throw_error(std::move(error));
    }
  }

 private:
  PreparedRun prepare_step_by_step() {
    run_.spec.working_directory = std::filesystem::current_path().string();
    load();
    take_recovery_settings();
    refuse_what_makes_no_sense();
    if (flags_.from) guess_job_settings();
    if (flags_.from) find_snapshot();
    if (run_.nothing_left) return std::move(run_);
    if (snapshot_) refuse_files_outside();
    if (snapshot_) load();  // once more, now with what the snapshot recorded
    if (snapshot_ && *flags_.from != "latest") warn_of_finished_kin();
    choose_job();
    run_program();
    check_supported();
    build_graph();
    fill_spec();
    if (snapshot_) {
      plan_and_describe_restore();
    } else {
      describe_fresh_start();
    }
    return std::move(run_);
  }

  /// What a flag says counts more than its key.
  void take_recovery_settings() {
    const Configuration& configuration = run_.configuration;
    if (!flags_.from) flags_.from = configuration.find(options::kStateRecoveryPath);
    flags_.allow_non_restored =
        flags_.allow_non_restored || configuration.get(options::kIgnoreUnclaimedState);
    if (flags_.claim_mode.empty())
      flags_.claim_mode = choice_name(configuration.get(options::kClaimMode));
  }

  void refuse_what_makes_no_sense() const {
    if (flags_.from && flags_.from->empty()) {
      fail(ErrorCode::usage, "-s was given an empty path, so there is nothing to resume",
           {"streamrun list-checkpoints        # what there is", "leave -s out to start empty"});
    }
    if (!flags_.job && !flags_.from) {
      fail(ErrorCode::usage, "which job? give its name, or a snapshot to resume with -s",
           {"streamrun jobs"});
    }
    if (flags_.from && *flags_.from == "latest" && !flags_.job) {
      fail(ErrorCode::usage, "-s latest needs the name of the job",
           {"streamrun jobs  # their names"});
    }
    if (flags_.or_fresh && (!flags_.from || *flags_.from != "latest")) {
      fail(ErrorCode::usage, "--or-fresh goes with -s latest only");
    }
  }

  void load() {
    std::vector<FlagSetting> settings;
    if (flags_.parallelism) {
      settings.push_back({"parallelism.default", std::to_string(*flags_.parallelism), "-p"});
    }
    std::map<std::string, std::string> recorded;
    std::string name;
    if (snapshot_) {
      recorded = snapshot_->metadata.configuration;
      recorded["parallelism.default"] = std::to_string(snapshot_->metadata.parallelism);
      name = base_name(snapshot_->directory);
    }
    run_.configuration = load_for_command(global_, settings, recorded, name).configuration;
    if (job_settings_.empty()) return;
    std::vector<Error> errors;
    for (const auto& [key, value] : job_settings_) {
      Result<void> set = run_.configuration.set(key, value, Origin::job, "the job's code");
      if (!set) errors.push_back(std::move(set).error());
    }
    if (errors.empty()) errors = contradictions(run_.configuration);
    if (!errors.empty()) throw ConfigurationErrors(std::move(errors));
  }

  const Job* job_named(const std::string& name) const {
    const auto found =
        std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.name == name; });
    return found != jobs_.end() ? &*found : nullptr;
  }

  /// The job's code may say where its checkpoints are, and is asked before they are looked for.
  /// What it finds wrong is told later, when it is run with the arguments that the snapshot
  /// recorded.
  void guess_job_settings() {
    const Job* const job = flags_.job ? job_named(*flags_.job) : nullptr;
    if (job == nullptr) return;
    StreamExecutionEnvironment environment;
    try {
      JobArguments arguments(flags_.job_arguments, run_.spec.working_directory);
      job->program(environment, arguments);
    } catch (...) {
      return;
    }
    job_settings_ = environment.settings();
    load();
  }

  std::optional<std::string> root(const ConfigOption<std::string>& option) const {
    const auto place = configured_folder(option, run_.configuration, file_systems_);
    if (!place) return std::nullopt;
    return place->path;
  }

  std::vector<std::string> roots() const {
    std::vector<std::string> found;
    for (const auto* option : {&options::kCheckpointDirectory, &options::kSavepointDirectory}) {
      if (auto path = root(*option)) found.push_back(*path);
    }
    return found;
  }

  std::string name_of_job() const {
    return run_.configuration.find(options::kPipelineName).value_or(flags_.job.value_or(""));
  }

  void find_snapshot() {
    if (*flags_.from == "latest") return find_latest();
    const auto [path, files] =
        value_or_throw(file_systems_.place(*flags_.from, run_.spec.working_directory));
    snapshot_ = value_or_throw(flags_.fallback ? resolve_with_fallback(*files, path, true)
                                               : resolve_snapshot(*files, path));
    if (!snapshot_->warning.empty()) run_.warnings.push_back(snapshot_->warning);
    const auto holder = holder_of(file_systems_, folder_of_writer());
    if (!holder) {
      run_.warnings.push_back("whether the run that wrote this snapshot is alive can't be told: " +
                              holder.error().headline());
    } else if (*holder) {
      run_.warnings.push_back("the run that wrote this snapshot is still alive (" + **holder + ")");
    }
  }

  /// The folder of the run that wrote the snapshot, whose lock tells whether it is alive. A
  /// savepoint lies elsewhere.
  std::string folder_of_writer() const {
    const auto checkpoints = root(options::kCheckpointDirectory);
    if (snapshot_->metadata.kind == SnapshotKind::savepoint && checkpoints)
      return join_path(*checkpoints, to_string(snapshot_->metadata.job_id));
    return parent_path(snapshot_->directory);
  }

  GlobalFlags with_definition(const std::string& definition) const {
    GlobalFlags flags = global_;
    flags.definitions.push_back(definition);
    return flags;
  }

  void find_latest() {
    const std::vector<std::string> places = roots();
    if (places.empty()) {
      fail(ErrorCode::usage, "-s latest looks under state.checkpoints.dir, which is not set",
           {run_line(with_definition("state.checkpoints.dir=DIR"), flags_, {.from = "latest"})});
    }
    // What the run completes until it is known to be over counts: its output is there for good.
    std::string seen;
    while (find_newest(places) && snapshot_->directory != seen) {
      seen = snapshot_->directory;
      const auto holder = value_or_throw(holder_of(file_systems_, folder_of_writer()));
      if (holder && !take_over(*holder)) {
        throw_error(
            {.code = ErrorCode::lock,
             .message = "the run that wrote the newest checkpoint is still alive: " + *holder,
             .where = snapshot_->directory,
             .tries = {"stop it first, or name a checkpoint with -s PATH"}});
      }
    }
  }

  /// False: there is nothing to go on from, and that is no error.
  bool find_newest(const std::vector<std::string>& places) {
    snapshot_.reset();
    NewestComplete newest =
        value_or_throw(newest_complete(file_systems_, places, name_of_job(), flags_.fallback));
    warn_once(newest.warning);
    if (newest.finished) {
      if (!flags_.dry_run) finish_removals_of(newest.finished->job_id, places);
      run_.nothing_left =
          fmt::format("{} ended by itself {} ago: there is nothing left to do", name_of_job(),
                      human_age(now_ - newest.finished->finished_unix_ms));
      return false;
    }
    if (!newest.entry) {
      if (flags_.or_fresh) return false;
      fail(ErrorCode::path,
           fmt::format("there is no complete checkpoint of {} under {}", name_of_job(),
                       join(places, ", ")),
           {run_line(global_, flags_, {.from = "latest", .extra = {"--or-fresh"}}) +
            "  # starts empty the first time"});
    }
    snapshot_ = value_or_throw(flags_.fallback
                                   ? resolve_with_fallback(file_systems_, newest.entry->path, true)
                                   : resolve_snapshot(file_systems_, newest.entry->path));
    warn_once(snapshot_->warning);
    return true;
  }

  void warn_once(const std::string& warning) {
    std::vector<std::string>& warnings = run_.warnings;
    if (!warning.empty() && std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
      warnings.push_back(warning);
  }

  /// Where locks do not end with their holder, one that may be on another machine can be overtaken:
  /// then it publishes nothing more. False: it is alive, or that could not be done.
  bool take_over(const std::string& holder) {
    if (flags_.dry_run) return false;
    const std::string path = join_path(folder_of_writer(), kLockName);
    if (!file_systems_.lock(path, "taken over by a later run")) return false;
    run_.warnings.push_back("the run that wrote the newest checkpoint (" + holder +
                            ") can't be looked at from here; should it live, it ends before its "
                            "next checkpoint");
    return true;
  }

  /// A snapshot may refer to files of other checkpoints, but not to any file there is (X2). What it
  /// says itself of where checkpoints lie does not count.
  void refuse_files_outside() const {
    const auto real = [](const std::string& path) {
      std::error_code problem;
      const auto found = std::filesystem::weakly_canonical(path, problem);
      return problem ? path : found.string();
    };
    std::vector<std::string> known = roots();
    known.push_back(root_beside(snapshot_->directory));
    for (const StateFile* file : files_of(snapshot_->metadata)) {
      if (is_exclusive(*file)) continue;
      const std::string path = real(state_file_path(snapshot_->directory, *file));
      const bool is_known = std::any_of(known.begin(), known.end(), [&](const std::string& root) {
        return path.starts_with(real(root) + "/");
      });
      if (is_known) continue;
      throw_error({.code = ErrorCode::metadata_corrupt,
                   .message = "the checkpoint metadata refers to a file outside of the folders of "
                              "checkpoints: " +
                              file->path,
                   .where = join_path(snapshot_->directory, kMetadataName),
                   .retry = Retry::no});
    }
  }

  /// The run that finished may have been killed while it removed its checkpoints.
  void finish_removals_of(const JobId& job, const std::vector<std::string>& places) const {
    for (const std::string& place : places) {
      const Result<JobFolder> folder =
          list_job_folder(file_systems_, join_path(place, to_string(job)));
      if (!folder || !folder->job) continue;
      finish_removals(file_systems_, place, folder->job->family_id, {},
                      "pid " + std::to_string(::getpid()) + " removing what was left");
    }
  }

  void warn_of_finished_kin() {
    std::string warning = warning_of_finished_kin(file_systems_, roots(), *snapshot_, now_);
    if (!warning.empty()) run_.warnings.push_back(std::move(warning));
  }

  void choose_job() {
    const std::string wanted = flags_.job ? *flags_.job : snapshot_->metadata.registered_name;
    job_ = job_named(wanted);
    if (job_ == nullptr && !flags_.job) {
      fail(ErrorCode::job_mismatch,
           "the snapshot is of the job " + wanted + ", which this binary does not have",
           {"streamrun jobs"});
    }
    if (job_ == nullptr) {
      std::vector<std::string> names;
      for (const Job& job : jobs_) names.push_back(job.name);
      const std::string near = nearest_of(wanted, names);
      fail(ErrorCode::usage,
           "there is no job " + wanted.substr(0, 64) +
               (near.empty() ? "" : "; did you mean " + near + "?"),
           {"streamrun jobs"});
    }
    if (snapshot_ && snapshot_->metadata.registered_name != job_->name) {
      run_.warnings.push_back(fmt::format("the snapshot is of {}, and {} resumes it",
                                          snapshot_->metadata.registered_name, job_->name));
    }
  }

  /// What Flink has and this version has not, refused rather than ignored.
  void check_supported() {
    const Configuration& configuration = run_.configuration;
    const auto refuse = [&](std::string_view key, const std::string& what) {
      throw_error({.code = ErrorCode::config,
                   .message = fmt::format("{}: {}", key, what),
                   .where = configuration.from(key),
                   .retry = Retry::no});
    };
    if (configuration.get(options::kStateBackend) == StateBackendType::rocksdb) {
      static_cast<void>(
          rocksdb_settings(configuration, 1, run_.spec.working_directory));  // are they good?
    }
    if (!configuration.get(options::kCheckpointCreateSubdirectory)) {
      refuse(options::kCheckpointCreateSubdirectory.key, "each job has a folder of its own");
    }
    if (configuration.get(options::kRuntimeMode) != RuntimeMode::streaming) {
      refuse(options::kRuntimeMode.key, "this version runs jobs as STREAMING only");
    }
  }

  void run_program() {
    // New arguments replace the recorded ones as a whole: what stands on the line is what the job
    // runs with.
    const bool recorded = snapshot_ && flags_.job_arguments.empty();
    JobArguments arguments(recorded ? snapshot_->metadata.arguments : flags_.job_arguments,
                           run_.spec.working_directory);
    StreamExecutionEnvironment environment;
    job_->program(environment, arguments);
    arguments.check();
    run_.spec.arguments = arguments.values();
    graph_ = environment.take_graph();
    if (job_settings_ != environment.settings()) {
      job_settings_ = environment.settings();
      load();
      check_supported();
    }
    for (std::string& doubt : doubts(run_.configuration)) run_.warnings.push_back(std::move(doubt));
  }

  void build_graph() {
    const int parallelism = run_.configuration.get(options::kParallelism);
    run_.spec.graph = make_job_graph(
        std::move(graph_),
        {.parallelism = parallelism,
         .max_parallelism = std::max(0, run_.configuration.get(options::kMaxParallelism)),
         .chaining = run_.configuration.get(options::kOperatorChaining)});
    for (const std::string& warning : run_.spec.graph.warnings) run_.warnings.push_back(warning);
    if (const auto problem = output_inside_input(run_.spec.graph, run_.spec.working_directory)) {
      // A job that has run so before may have read all there was.
      if (!snapshot_) throw_error(*problem);
      run_.warnings.push_back(problem->message);
    }
    for (const JobOperator& op : run_.spec.graph.operators) {
      run_.prints_to_stdout |= op.node.name.find("standard output") != std::string::npos;
    }
  }

  void fill_spec() {
    JobSpec& spec = run_.spec;
    const Configuration& configuration = run_.configuration;
    if (const auto id = configuration.find(options::kJobId)) {
      spec.id = *id;
    } else {
      spec.id = JobId(random_.next128());
    }
    spec.family_id = snapshot_ ? snapshot_->metadata.family_id : spec.id;
    spec.registered_name = job_->name;
    spec.name = configuration.find(options::kPipelineName).value_or(job_->name);
    spec.configuration = configuration.to_map();
    spec.version = kVersion;
    spec.parallelism = configuration.get(options::kParallelism);
    spec.workers = std::max(1, spec.parallelism);
    spec.control_worker = spec.workers;
    spec.checkpoints.interval = configuration.find(options::kCheckpointInterval);
    spec.checkpoints.timeout = configuration.get(options::kCheckpointTimeout);
    spec.checkpoints.min_pause = configuration.get(options::kCheckpointMinPause);
    spec.checkpoints.max_concurrent = configuration.get(options::kMaxConcurrentCheckpoints);
    spec.checkpoints.tolerable_failures = configuration.get(options::kTolerableFailedCheckpoints);
    spec.exactly_once =
        configuration.get(options::kCheckpointingMode) == CheckpointingMode::exactly_once;
    if (configuration.get(options::kUnalignedCheckpoints)) {
      spec.overtake_after = configuration.get(options::kAlignedCheckpointTimeout);
      // As in Flink a savepoint, whose barriers overtake nothing, waits its turn.
      spec.checkpoints.savepoints_overlap = false;
    }
    spec.watermark_interval = configuration.get(options::kAutoWatermarkInterval);
    spec.retained = configuration.get(options::kRetainedCheckpoints);
    spec.history = static_cast<std::size_t>(configuration.get(options::kCheckpointHistory));
    spec.retention = configuration.get(options::kCheckpointRetention);
    spec.inline_threshold = configuration.get(options::kDataInlineThreshold).bytes;
    spec.compresses_snapshots = configuration.get(options::kSnapshotCompression);
    spec.incremental = configuration.get(options::kIncrementalCheckpoints);
    spec.shutdown_timeout = configuration.get(options::kShutdownTimeout);
    spec.restart = restart_options();
    spec.allow_non_restored = flags_.allow_non_restored;
    spec.drop_state = flags_.drop_state;
    choose_storage();
    choose_savepoints();
    if (snapshot_) take_snapshot();
  }

  void take_snapshot() {
    JobSpec& spec = run_.spec;
    spec.restore = snapshot_;
    const ClaimMode mode = value_or_throw(parse_choice<ClaimMode>(flags_.claim_mode));
    spec.claims_restored = mode == ClaimMode::claim;
    if (mode == ClaimMode::legacy) {
      run_.warnings.emplace_back(
          "claim mode LEGACY is deprecated: nobody owns the snapshot, and it is never removed; "
          "NO_CLAIM and CLAIM say who does");
    }
    if (spec.claims_restored && spec.checkpoint_store == nullptr) {
      run_.warnings.emplace_back(
          "the claimed snapshot stays: checkpoints in memory can't take its place; set "
          "state.checkpoints.dir");
    }
  }

  RestartOptions restart_options() const {
    const Configuration& configuration = run_.configuration;
    RestartOptions restart;
    const auto type = configuration.find(options::kRestartStrategy);
    if (!type) {
      // As in Flink: exponential delay when checkpoints are on, else none.
      restart.type = run_.spec.checkpoints.interval ? RestartOptions::Type::exponential_delay
                                                    : RestartOptions::Type::none;
    } else {
      restart.type = *type == RestartStrategyType::none          ? RestartOptions::Type::none
                     : *type == RestartStrategyType::fixed_delay ? RestartOptions::Type::fixed_delay
                     : *type == RestartStrategyType::failure_rate
                         ? RestartOptions::Type::failure_rate
                         : RestartOptions::Type::exponential_delay;
    }
    restart.attempts = configuration.get(options::kFixedDelayAttempts);
    restart.delay = restart.type == RestartOptions::Type::failure_rate
                        ? configuration.get(options::kFailureRateDelay)
                        : configuration.get(options::kFixedDelayDelay);
    restart.max_failures_per_interval = configuration.get(options::kFailureRateMax);
    restart.failure_rate_interval = configuration.get(options::kFailureRateInterval);
    restart.initial_backoff = configuration.get(options::kExponentialInitialBackoff);
    restart.max_backoff = configuration.get(options::kExponentialMaxBackoff);
    restart.backoff_multiplier = configuration.get(options::kExponentialMultiplier);
    restart.reset_backoff_threshold = configuration.get(options::kExponentialResetThreshold);
    restart.jitter_factor = configuration.get(options::kExponentialJitter);
    restart.attempts_before_reset_backoff = configuration.get(options::kExponentialAttempts);
    return restart;
  }

  void choose_storage() {
    JobSpec& spec = run_.spec;
    const auto storage = run_.configuration.find(options::kCheckpointStorage);
    const auto path = root(options::kCheckpointDirectory);
    const bool in_memory = !path || storage == CheckpointStorageType::jobmanager;
    const std::string every =
        spec.checkpoints.interval ? "every " + format_duration(*spec.checkpoints.interval) : "none";
    if (in_memory) {
      run_.checkpoints_text = spec.checkpoints.interval ? "in memory " + every : every;
      run_.notices.emplace_back(
          "no checkpoint directory: a failed task recovers, but nothing outlives this process; set "
          "state.checkpoints.dir");
      return;
    }
    spec.checkpoint_store = &file_systems_;
    spec.checkpoint_root = *path;
    // Recorded as it was meant here: a resume works from any folder.
    spec.configuration[std::string(options::kCheckpointDirectory.key)] = *path;
    run_.checkpoints_text = fmt::format("{} {}, keep {}", *path, every, spec.retained);
    if (!spec.checkpoints.interval) {
      run_.warnings.emplace_back(
          "a checkpoint directory is set but no execution.checkpointing.interval: no periodic "
          "checkpoints are taken");
    }
  }

  void choose_savepoints() {
    JobSpec& spec = run_.spec;
    spec.prefer_checkpoint = run_.configuration.get(options::kPreferCheckpointForRecovery);
    if (!spec.prefer_checkpoint) {
      run_.notices.push_back(fmt::format(
          "{} is false: a failure may go back to a savepoint, so keep the newest one until a newer "
          "checkpoint is complete",
          options::kPreferCheckpointForRecovery.key));
    }
    const auto path = root(options::kSavepointDirectory);
    if (!path) return;
    spec.savepoint_store = &file_systems_;
    spec.savepoint_root = *path;
    spec.configuration[std::string(options::kSavepointDirectory.key)] = *path;
  }

  void plan_and_describe_restore() {
    run_.plan = value_or_throw(plan_restore(run_.spec.graph, *snapshot_, job_->name,
                                            flags_.allow_non_restored, flags_.drop_state));
    for (const std::string& warning : run_.plan->warnings) run_.warnings.push_back(warning);
    run_.from_text = fmt::format("restored   {} ({} old, {})", snapshot_->directory,
                                 human_age(now_ - snapshot_->metadata.completed_unix_ms),
                                 human_bytes(snapshot_->full_bytes));
  }

  void describe_fresh_start() {
    run_.from_text = "starting   empty";
    const std::vector<std::string> places = roots();
    for (const std::string& place : places) {
      const Result<SnapshotListing> listing = list_all(file_systems_, place);
      if (!listing) continue;  // it need not exist yet
      for (std::string& warning :
           warnings_of_living_runs(file_systems_, *listing, run_.spec.name)) {
        run_.warnings.push_back(std::move(warning));
      }
      for (const SnapshotEntry& entry : listing->entries) {
        if (entry.status == SnapshotStatus::complete && entry.job_name == run_.spec.name) {
          run_.passed_over.push_back(entry.path);
        }
      }
    }
  }

  const GlobalFlags& global_;
  RunFlags flags_;  ///< with what the configuration says instead of flags
  const JobTable& jobs_;
  FileSystems& file_systems_;
  Random& random_;
  std::int64_t now_;

  PreparedRun run_;
  std::optional<ResolvedSnapshot> snapshot_;
  const Job* job_ = nullptr;
  std::vector<std::pair<std::string, std::string>> job_settings_;  ///< from its code
  StreamGraph graph_;
};

}  // namespace

PreparedRun prepare_run(const GlobalFlags& global, const RunFlags& flags, const JobTable& jobs,
                        FileSystems& file_systems, Random& random, std::int64_t unix_milliseconds) {
  return Preparation(global, flags, jobs, file_systems, random, unix_milliseconds).prepare();
}

}  // namespace streamrun
