#pragma once

#include <streamrun/platform/environment.h>
#include <streamrun/runtime/job_master.h>
#include <streamrun/storage/file_systems.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sim_executor.h"
#include "sim/sim_file_system.h"
#include "sim/sim_network.h"
#include "sim/world.h"

namespace streamrun::sim {

constexpr const char* kJobName = "simulated";

/// How a simulated process ended.
enum class LifeEnd {
  finished,         ///< the job ended by itself
  suspended,        ///< it was asked to stop
  failed,           ///< the job failed
  died,             ///< it was killed, or the power went
  nothing_left,     ///< an earlier run had ended by itself
  could_not_start,  ///< what it was to restore could not be read
  violated,         ///< an invariant does not hold: the oracle knows which
};

/// One simulated process: it looks for the newest checkpoint as `streamrun run -s latest
/// --or-fresh` does, and runs the job from it with the real engine until it ends, one way or
/// another.
class Life final : public JobListener {
 public:
  explicit Life(World& world);
  ~Life() override;

  LifeEnd live();
  const JobId& job_id() const { return job_id_; }
  /// Nothing went wrong with the store.
  bool is_clean() const { return faults_.write_errors + faults_.read_errors == 0; }

  void on_checkpoint_completed(const CheckpointSummary& summary) override;
  void on_checkpoint_failed(CheckpointId id, const Error& error) override;
  void on_savepoint_completed(const CheckpointSummary& summary) override;
  void on_savepoint_failed(const Error& error) override;
  void on_restart(int restart, Duration delay, const Error& error,
                  const std::string& from) override;
  void on_dump(const std::string& text) override;
  void on_end(const JobResult& result) override;

 private:
  class SimLog;

  std::unique_ptr<FileSystem> make_store();
  void plan_death();
  std::optional<LifeEnd> choose_restore();
  std::optional<LifeEnd> make_spec();
  LifeEnd run_job();
  void disturb();
  void ask_for_savepoints();
  void end_faults();
  void check_liveness();
  void report_stuck();
  void die();
  LifeEnd judge_end();
  LifeEnd judge_failure(const Error& error);
  void let_mutants_at(ResolvedSnapshot& snapshot) const;
  void let_mutants_clean();
  void let_mutants_subsume();
  void let_mutants_share_less(const std::string& newest);
  ResolvedSnapshot another_instead(ResolvedSnapshot newest);

  World& world_;
  StorageFaults faults_;
  std::optional<std::uint64_t> turns_to_death_;
  bool faults_ended_ = false;
  std::unique_ptr<SimLog> log_;
  SimProcessTable processes_;
  std::unique_ptr<SimNetwork> network_;  // to a store elsewhere
  FileSystems file_systems_;
  FileSystem* store_ = nullptr;  // in file_systems_
  SimExecutor executor_;
  Environment environment_;
  JobId job_id_;
  JobSpec spec_;
  std::unique_ptr<JobMaster> master_;
  std::optional<JobResult> result_;
  std::vector<std::string> savepoints_;  // complete ones of this life
  bool asked_to_end_ = false;
  std::uint64_t thrown_before_ = 0;
};

}  // namespace streamrun::sim
