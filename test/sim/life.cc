#include "sim/life.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/operators/sink_operator.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace streamrun::sim {
namespace {

/// A job without faults ends within this.
constexpr Duration kLivenessTime = std::chrono::seconds(60);
constexpr std::uint64_t kLivenessSteps = 1'000'000;

/// So small that the few rows of these jobs are chains of several files.
constexpr ChainLimits kShortChains{.small_bytes = 1,
                                   .full_pieces = 3,
                                   .least_piece_bytes = 100,
                                   .kept = 1.9,
                                   .most_pieces = 6,
                                   .inline_bytes = 300,
                                   .most_written = 0.5};

/// Errors that no fault of this world explains.
bool is_never_right(ErrorCode code) {
  switch (code) {
    case ErrorCode::bug:
    case ErrorCode::lock:
    case ErrorCode::job_mismatch:
    case ErrorCode::max_parallelism:
    case ErrorCode::metadata_missing:
    case ErrorCode::metadata_corrupt:
    case ErrorCode::state_missing:
    case ErrorCode::source_lost:
    case ErrorCode::sink_lost:
    case ErrorCode::kafka_transaction_lost:
      return true;
    default:
      return false;
  }
}

std::string text_of(const Error& error) {
  return error.headline() + (error.why.empty() ? "" : ": " + error.why);
}

/// What was in flight, batch by batch, the other way round.
void reverse_batches(MemoryFileSystem& store, const std::string& directory, StateHandle& data) {
  if (data.file) data.file->path = state_file_path(directory, *data.file);
  const Result<StateFileReader> reader = open_state(data, &store);
  if (!reader) return;
  StateFileBuilder builder;
  StateHandle reversed;
  StateBytes buffer;
  for (auto block = reader->blocks().rbegin(); block != reader->blocks().rend(); ++block) {
    const Result<std::string_view> payload = reader->payload(*block, buffer);
    if (!payload) return;
    reversed.inline_bytes += builder.block(block->key_group, block->rows, *payload);
  }
  reversed.inline_bytes += builder.end();
  data = std::move(reversed);
}

}  // namespace

class Life::SimLog final : public Log {
 public:
  explicit SimLog(const World& world) : world_(world) {}
  void write(LogLevel, std::string_view message) override { world_.say(message); }

 private:
  const World& world_;
};

Life::Life(World& world)
    : world_(world),
      log_(std::make_unique<SimLog>(world)),
      processes_(fmt::format("life {}", world.statistics.lives)),
      executor_(world.tape, world.clock, world.trace, world.pace),
      environment_{world.clock, world.random, executor_, executor_, *log_},
      thrown_before_(world.hooks.thrown) {
  ++world_.statistics.lives;
  world_.oracle.process_begins();
  plan_death();
  std::unique_ptr<FileSystem> store = make_store();
  store_ = store.get();
  file_systems_.add("file", std::move(store));
  world_.hooks.kafka = sim_kafka(world_.kafka, faults_, world_.tape, world_.trace, world_.mutant);
}

/// This machine's disk, or the way to where the files are.
std::unique_ptr<FileSystem> Life::make_store() {
  if (world_.remote == nullptr) {
    return std::make_unique<SimFileSystem>(world_.store, world_.oracle, faults_, world_.tape,
                                           world_.trace, world_.mutant);
  }
  world_.remote->set_faults(&faults_);
  network_ =
      std::make_unique<SimNetwork>(world_.remote->servers(), faults_, world_.tape, world_.trace,
                                   [this](Duration duration) { executor_.sleep(duration); });
  return world_.remote->make_client({*network_, world_.random, world_.clock, processes_});
}

/// Whatever is under way now fails at once and comes to an end. A job that has ended by itself is
/// gone before that: what is left must not need it.
Life::~Life() {
  faults_.is_dead = true;
  if (!result_) executor_.run_out_io();
  master_.reset();
  executor_.run_out_io();
  if (world_.remote != nullptr) world_.remote->set_faults(nullptr);
  world_.hooks.kafka.reset();
  world_.statistics.write_errors += faults_.write_errors;
  world_.statistics.read_errors += faults_.read_errors;
  world_.statistics.thrown += world_.hooks.thrown - thrown_before_;
}

/// Some deaths come early, in the middle of a recovery; some between two turns, some in a call.
void Life::plan_death() {
  faults_.die = [this] { die(); };
  faults_.pause = [this] { executor_.maybe_pause_io(); };
  if (!world_.faults_on()) return end_faults();
  faults_.write_error_one_in = world_.options.write_error_one_in;
  faults_.write_error_of = world_.options.write_error_of;
  faults_.write_error_under = world_.options.write_error_under;
  faults_.read_error_one_in = world_.options.read_error_one_in;
  if (world_.deaths_left == 0) return;
  --world_.deaths_left;
  const bool early = world_.tape.one_in(3);
  if (world_.tape.flip()) {
    faults_.steps_to_death = early ? world_.tape.log_uniform(60) : world_.tape.between(1, 400);
  } else {
    turns_to_death_ = early ? world_.tape.log_uniform(300) : world_.tape.between(1, 2500);
  }
}

void Life::die() {
  const SimOptions& options = world_.options;
  const bool power_cut = options.power_cuts && (!options.kills || world_.tape.flip());
  world_.say(power_cut ? "POWER CUT" : "KILLED");
  faults_.is_dead = true;
  if (!power_cut) {
    ++world_.statistics.kills;
    return world_.store.kill();
  }
  ++world_.statistics.power_cuts;
  TapeRandom random(world_.tape);
  world_.store.power_cut(random);
  world_.oracle.after_power_cut();
}

LifeEnd Life::live() {
  let_mutants_clean();
  if (const auto end = choose_restore()) return *end;
  if (const auto end = make_spec()) return *end;
  return run_job();
}

/// As `-s latest --or-fresh`.
std::optional<LifeEnd> Life::choose_restore() {
  const Result<NewestComplete> newest = newest_complete(*store_, snapshot_roots(), kJobName, false);
  const auto unreadable = [&](const Error& error) {
    if (faults_.is_dead) return LifeEnd::died;
    world_.say("cannot start: " + text_of(error));
    if (faults_.read_errors > 0) return LifeEnd::could_not_start;
    world_.oracle.violate("G8: what is to be restored can't be read: " + text_of(error));
    return LifeEnd::violated;
  };
  if (!newest) return unreadable(newest.error());
  if (newest->finished) return LifeEnd::nothing_left;
  world_.oracle.restoring(newest->entry ? std::optional(newest->entry->id) : std::nullopt);
  if (!newest->entry) return std::nullopt;
  Result<ResolvedSnapshot> resolved = resolve_snapshot(*store_, newest->entry->path);
  if (!resolved) return unreadable(resolved.error());
  ResolvedSnapshot snapshot = *std::move(resolved);
  if (world_.mutant == Mutant::restores_oldest || world_.mutant == Mutant::restores_by_name) {
    snapshot = another_instead(snapshot);
  }
  let_mutants_at(snapshot);
  spec_.restore = std::move(snapshot);
  return std::nullopt;
}

ResolvedSnapshot Life::another_instead(ResolvedSnapshot newest) {
  Result<SnapshotListing> listing = list_all(*store_, kCheckpointRoot);
  if (!listing) return newest;
  std::vector<SnapshotEntry>& entries = listing->entries;
  std::reverse(entries.begin(), entries.end());
  if (world_.mutant == Mutant::restores_by_name) {
    std::sort(entries.begin(), entries.end(),
              [](const auto& left, const auto& right) { return left.path > right.path; });
  }
  for (const SnapshotEntry& entry : entries) {
    if (entry.status != SnapshotStatus::complete) continue;
    Result<ResolvedSnapshot> another = resolve_snapshot(*store_, entry.path);
    if (another) return *std::move(another);
  }
  return newest;
}

void Life::let_mutants_clean() {
  if (world_.mutant != Mutant::cleans_by_age) return;
  constexpr std::int64_t kOldMilliseconds = 10;
  for (const auto& [path, bytes] : world_.store.files()) {
    if (!path.starts_with(kCheckpointRoot) || !is_uuid_name(base_name(path))) continue;
    const Result<FileStatus> status = store_->status(path);
    const bool is_old = status && status->modified_unix_milliseconds + kOldMilliseconds <
                                      world_.clock.unix_milliseconds();
    if (is_old && !store_->remove_file(path)) return;
  }
}

void Life::let_mutants_at(ResolvedSnapshot& snapshot) const {
  if (world_.mutant == Mutant::reuses_ids) --snapshot.metadata.id;
  for (OperatorSnapshot& op : snapshot.metadata.operators) {
    for (OperatorSubtaskState& subtask : op.subtasks) {
      if (world_.mutant == Mutant::drops_committables) {
        std::erase_if(subtask.lists, [](const OperatorListState& list) {
          return list.name == kCommittablesState;
        });
      }
      if (world_.mutant == Mutant::key_groups_off_by_one) {
        for (KeyedStateHandle& handle : subtask.keyed) --handle.key_groups.last;
      }
      if (world_.mutant == Mutant::drops_in_flight) subtask.in_flight.clear();
      if (world_.mutant == Mutant::reverses_in_flight) {
        for (InFlightHandle& handle : subtask.in_flight)
          reverse_batches(world_.store, snapshot.directory, handle.data);
      }
    }
  }
}

std::optional<LifeEnd> Life::make_spec() {
  const SimOptions& options = world_.options;
  spec_.parallelism = options.parallelism;
  if (options.rescales) {
    spec_.parallelism = static_cast<int>(
        world_.tape.between(1, static_cast<std::uint64_t>(options.most_parallelism)));
  }
  job_id_ = JobId(world_.random.next128());
  spec_.id = job_id_;
  spec_.family_id = spec_.restore ? spec_.restore->metadata.family_id : spec_.id;
  spec_.name = kJobName;
  spec_.registered_name = kJobName;
  spec_.working_directory = "/";
  spec_.workers = spec_.parallelism;
  spec_.control_worker = spec_.parallelism;
  spec_.checkpoints.interval = options.interval;
  spec_.checkpoints.min_pause = options.min_pause;
  spec_.checkpoints.timeout = options.timeout;
  spec_.checkpoints.max_concurrent = options.max_concurrent;
  spec_.exactly_once = options.exactly_once;
  spec_.checkpoints.savepoints_overlap = !options.overtake_after;
  spec_.overtake_after = options.overtake_after;
  spec_.checkpoints.tolerable_failures = options.tolerable_failures;
  spec_.checkpoint_store = store_;
  spec_.checkpoint_root = kCheckpointRoot;
  if (options.savepoints) {
    spec_.savepoint_store = store_;
    spec_.savepoint_root = kSavepointRoot;
    spec_.prefer_checkpoint = options.retained != 2;
    if (!spec_.prefer_checkpoint) world_.oracle.savepoints_may_commit();
  }
  spec_.inline_threshold = options.inline_threshold;
  spec_.incremental = options.incremental;
  spec_.chain_limits = kShortChains;
  spec_.watermark_interval = std::chrono::milliseconds(3);
  spec_.retained = options.retained;
  spec_.history = options.history;
  spec_.claims_restored = options.claims;
  if (options.claims && spec_.restore) world_.oracle.claims(spec_.restore->directory);
  spec_.restart.type = RestartOptions::Type::fixed_delay;
  spec_.restart.attempts = 100'000;
  spec_.restart.delay = options.restart_delay;
  spec_.lock_note = fmt::format("life {}", world_.statistics.lives);

  StreamExecutionEnvironment environment;
  build_job(environment, options.shape, world_.hooks);
  spec_.graph =
      make_job_graph(environment.take_graph(), {.parallelism = spec_.parallelism,
                                                .max_parallelism = options.max_parallelism,
                                                .chaining = options.chaining});
  world_.say(fmt::format("life {} starts at parallelism {} from {}", world_.statistics.lives,
                         spec_.parallelism, spec_.restore ? spec_.restore->directory : "nothing"));
  if (!spec_.restore) return std::nullopt;
  ++world_.statistics.restores;
  if (spec_.restore->metadata.parallelism != spec_.parallelism) ++world_.statistics.rescales;
  const Result<RestorePlan> plan =
      plan_restore(spec_.graph, *spec_.restore, spec_.registered_name, false, {});
  if (plan) return std::nullopt;
  world_.oracle.violate("G5: a complete checkpoint can't be restored: " + text_of(plan.error()));
  return LifeEnd::violated;
}

LifeEnd Life::run_job() {
  master_ = std::make_unique<JobMaster>(environment_, file_systems_, std::move(spec_), *this);
  master_->start();
  while (!result_ && !faults_.is_dead && !world_.oracle.violation()) {
    if (!executor_.step()) {
      report_stuck();
      break;
    }
    ++world_.statistics.steps;
    disturb();
  }
  if (world_.oracle.violation()) return LifeEnd::violated;
  if (faults_.is_dead) return LifeEnd::died;
  return judge_end();
}

void Life::disturb() {
  if (result_ || faults_.is_dead) return;
  if (!world_.faults_on()) {
    end_faults();
    return check_liveness();
  }
  if (turns_to_death_ && (*turns_to_death_)-- == 0) return die();
  if (!world_.options.stops) return;
  if (world_.tape.one_in(5000)) master_->request_checkpoint();
  if (world_.options.savepoints) ask_for_savepoints();
  if (world_.tape.one_in(10'000)) {
    ++world_.statistics.stops;
    asked_to_end_ = true;
    world_.say("asked to stop");
    if (world_.options.savepoints) world_.oracle.savepoints_may_commit();
    master_->request_stop();
  }
}

void Life::ask_for_savepoints() {
  const auto heard = [this](const Result<std::string>& answer) {
    world_.say(answer ? *answer : "no savepoint: " + text_of(answer.error()));
  };
  if (world_.tape.one_in(1000)) {
    ++world_.statistics.savepoints;
    master_->take_savepoint("", heard);
  }
  if (world_.tape.one_in(10'000)) {
    ++world_.statistics.stops;
    asked_to_end_ = true;
    world_.say("asked to stop with a savepoint");
    // Until now nothing commits what only a savepoint has prepared.
    world_.oracle.savepoints_may_commit();
    master_->stop_with_savepoint("", false, heard);
  }
  if (world_.tape.one_in(20'000)) {
    asked_to_end_ = true;
    world_.say("asked to cancel");
    master_->cancel([](const Result<void>&) {});
  }
}

/// Half of the time the process that met the faults ends with them, so that the last run is one
/// that met none.
void Life::end_faults() {
  if (std::exchange(faults_ended_, true)) return;
  faults_.write_error_one_in = 0;
  faults_.read_error_one_in = 0;
  faults_.steps_to_death.reset();
  turns_to_death_.reset();
  const bool may_die = world_.options.kills || world_.options.power_cuts;
  if (master_ != nullptr && may_die && world_.tape.flip()) die();
}

void Life::check_liveness() {
  const bool late = world_.clock.now() - world_.safety_over_at > kLivenessTime ||
                    world_.statistics.steps - world_.safety_over_steps > kLivenessSteps;
  if (late) world_.oracle.violate("L6: without faults the job does not end");
}

void Life::report_stuck() {
  master_->request_dump();
  for (int i = 0; i < 1000 && executor_.step(); ++i) continue;
  world_.oracle.violate("L6: nothing will ever happen again, and the job has not ended");
}

LifeEnd Life::judge_end() {
  switch (result_->status) {
    case JobStatus::finished:
      // One that was stopped with a savepoint goes on from there.
      return result_->resume_path.empty() ? LifeEnd::finished : LifeEnd::suspended;
    case JobStatus::canceled:
    case JobStatus::suspended:
      return LifeEnd::suspended;
    default:
      return judge_failure(result_->error.value_or(Error{}));
  }
}

LifeEnd Life::judge_failure(const Error& error) {
  const bool had_faults =
      !is_clean() || world_.hooks.thrown > thrown_before_ || world_.options.slow_io_one_in > 0;
  if (!had_faults || is_never_right(error.code)) {
    world_.oracle.violate("the job failed and should not: " + text_of(error));
    return LifeEnd::violated;
  }
  world_.say("FAILED: " + text_of(error));
  return LifeEnd::failed;
}

void Life::on_checkpoint_completed(const CheckpointSummary& summary) {
  ++world_.statistics.checkpoints;
  if (summary.in_flight_bytes > 0) ++world_.statistics.in_flight;
  if (summary.new_bytes < summary.full_bytes) ++world_.statistics.increments;
  world_.say(fmt::format("{} is complete", summary.path));
  world_.oracle.heard_of_completion(summary.id);
  let_mutants_subsume();
  let_mutants_share_less(summary.path);
}

void Life::let_mutants_share_less(const std::string& newest) {
  if (world_.mutant != Mutant::shares_with_newest_only) return;
  const Result<ResolvedSnapshot> snapshot = read_snapshot(world_.store, newest);
  if (!snapshot) return;
  const std::set<std::string> needed = shared_names_of(snapshot->metadata);
  for (const auto& [path, bytes] : world_.store.files()) {
    const bool is_shared = parent_path(path) == join_path(parent_path(newest), kSharedName);
    if (is_shared && !needed.contains(base_name(path)))
      static_cast<void>(store_->remove_file(path).has_value());
  }
}

void Life::let_mutants_subsume() {
  if (world_.mutant != Mutant::subsumes_savepoints) return;
  for (const std::string& folder : savepoints_)
    static_cast<void>(store_->remove_file(join_path(folder, kMetadataName)).has_value());
}

void Life::on_checkpoint_failed(CheckpointId id, const Error& error) {
  ++world_.statistics.failed_checkpoints;
  world_.say(fmt::format("checkpoint {} failed: {}", id, text_of(error)));
  // Empty but for a mutant.
  for (const std::string& path : world_.hooks.prepared_for[id]) {
    static_cast<void>(store_->remove_file(path).has_value());
  }
}

void Life::on_savepoint_completed(const CheckpointSummary& summary) {
  world_.say(fmt::format("{} is complete", summary.path));
  world_.oracle.heard_of_completion(summary.id);
  savepoints_.push_back(summary.path);
}

/// While the job goes on, no checkpoint is a reason to give up a savepoint.
void Life::on_savepoint_failed(const Error& error) {
  world_.say("a savepoint failed: " + text_of(error));
  if (error.code == ErrorCode::cancelled && !asked_to_end_)
    world_.oracle.violate("R1: a savepoint is given up for a checkpoint: " + text_of(error));
}

void Life::on_restart(int restart, Duration, const Error& error, const std::string& from) {
  ++world_.statistics.restarts;
  world_.say(fmt::format("restart {} from {}: {}", restart, from, text_of(error)));
  if (is_never_right(error.code)) {
    world_.oracle.violate("the job restarts for no good reason: " + text_of(error));
  }
}

void Life::on_dump(const std::string& text) {
  world_.say(text);
}

void Life::on_end(const JobResult& result) {
  result_ = result;
  world_.say(to_string(result.status));
}

}  // namespace streamrun::sim
