#pragma once

#include <streamrun/platform/clock.h>

#include <cstdint>
#include <optional>
#include <string>

#include "sim/sim_executor.h"
#include "sim/sim_jobs.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// Which guarantees histories are about. Those of `aligned` are the same with `mixed`, but for the
/// halves that are unaligned, incremental, or claim there.
/// `kafka` are those of `mixed` with a topic of Kafka in the place of files, `hdfs` and `s3` those
/// with all files there.
enum class Guarantees { mixed, aligned, at_least_once, kafka, hdfs, s3 };

/// Where a job's files are.
enum class StoreKind { disk, hdfs, s3 };

/// What one history is about: the job, its configuration, and which faults may come. Each kind of
/// fault is on in half of all histories, so that rare combinations get their turn.
struct SimOptions {
  JobShape shape;
  int most_parallelism = 4;
  int parallelism = 1;
  int max_parallelism = 0;  ///< 0: as the engine derives it
  bool chaining = true;     ///< false: a channel behind every operator

  Duration interval{0};
  Duration min_pause{0};
  Duration timeout{0};
  int max_concurrent = 1;
  bool exactly_once = true;
  std::optional<Duration> overtake_after;  ///< none: checkpoints are aligned
  int tolerable_failures = 0;
  int retained = 1;
  std::size_t history = 1;  ///< snapshots before it that each one tells of
  std::uint64_t inline_threshold = 0;
  bool incremental = false;
  bool claims = false;  ///< a run owns the snapshot that it starts from
  Duration restart_delay{0};
  Duration most_pause{0};       ///< of the source between its records
  Duration most_sink_pause{0};  ///< between its batches
  Duration most_io_delay{0};

  bool kills = false;
  bool power_cuts = false;
  std::uint64_t deaths = 0;  ///< at most so many, of either kind
  bool rescales = false;
  bool stops = false;
  bool savepoints = false;  ///< also stops with one, and cancels
  std::uint64_t starving_steps = 0;
  std::uint64_t pause_io_one_in = 0;
  std::uint64_t slow_io_one_in = 0;
  std::uint64_t throw_one_in = 0;
  std::uint64_t write_error_one_in = 0;
  std::string write_error_of;     ///< the only operation that fails so; empty: any
  std::string write_error_under;  ///< the only part of the store where it does; empty: all
  std::uint64_t read_error_one_in = 0;
  StoreKind store = StoreKind::disk;
  int attempts = 1;              ///< of a client of such a store at one step
  std::size_t page_entries = 0;  ///< of a listing there; 0, in HDFS: all at once
  bool old_server = false;       ///< HDFS before renames had options, S3 before PUT had conditions
  bool in_pieces = false;        ///< small files are sent, and copied in S3, as large ones are
  Duration safety_phase{0};      ///< faults come for so long, then no more

  static SimOptions draw(Tape& tape, Guarantees guarantees);
  std::string describe() const;

 private:
  void move_to(StoreKind kind);
};

}  // namespace streamrun::sim
