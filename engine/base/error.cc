#include <streamrun/base/assert.h>
#include <streamrun/base/error.h>

namespace streamrun {

const std::vector<ErrorCodeInfo>& all_error_codes() {
  static const std::vector<ErrorCodeInfo> kCodes = {
      {ErrorCode::job_failed, "E-JOB-FAILED", 1,
       "The job failed and the restart strategy allows no further attempt. The line below it names "
       "the operator "
       "and what it threw."},
      {ErrorCode::usage, "E-USAGE", 64,
       "The command line could not be understood: an unknown command, flag, job or argument, or a "
       "value that is "
       "missing. Nothing was started."},
      {ErrorCode::config, "E-CONF", 78,
       "The configuration is wrong: an unknown or duplicate key, or a value of the wrong form. The "
       "message names "
       "the file, line and column. Nothing was started."},
      {ErrorCode::path, "E-PATH", 66, "A file, folder or topic that was named does not exist."},
      {ErrorCode::permission, "E-PERM", 77,
       "This user may not read or write a file, folder or topic that the command needs."},
      {ErrorCode::lock, "E-LOCK", 75,
       "Another process runs this job or holds its folder: wait for it to end, or stop it. Or the "
       "folder lies where nothing can be locked."},
      {ErrorCode::stop_unclean, "E-STOP-UNCLEAN", 75,
       "The job was told to stop, but its final checkpoint was not complete in time. The newest "
       "complete "
       "checkpoint is still there and can be resumed."},
      {ErrorCode::unavailable, "E-UNAVAILABLE", 69,
       "A service (broker, name node, object store, running job) did not answer in its time."},
      {ErrorCode::bug, "E-BUG", 70,
       "An internal invariant does not hold. This is a bug in streamrun: report it with the "
       "printed values."},
      {ErrorCode::metadata_missing, "E-META-MISSING", 66,
       "The folder has no _metadata: the checkpoint was never completed. Resume from a complete "
       "one."},
      {ErrorCode::metadata_corrupt, "E-META-CORRUPT", 65,
       "The _metadata of this checkpoint is damaged: cut short, changed, or not written by "
       "streamrun."},
      {ErrorCode::metadata_version, "E-META-VERSION", 76,
       "The _metadata has a format version that this streamrun does not read."},
      {ErrorCode::metadata_limit, "E-META-LIMIT", 65,
       "The _metadata is larger or deeper than any that streamrun writes."},
      {ErrorCode::state_missing, "E-STATE-MISSING", 65,
       "A state file that the checkpoint refers to is not there."},
      {ErrorCode::state_corrupt, "E-STATE-CORRUPT", 65,
       "A state file that the checkpoint refers to is damaged: its length or checksum is wrong, "
       "it is no regular file, or it can't be read."},
      {ErrorCode::job_mismatch, "E-JOB-MISMATCH", 76,
       "The checkpoint does not fit the job in this binary: an operator uid, a state name or a "
       "type differs."},
      {ErrorCode::max_parallelism, "E-MAXP", 76,
       "The maximum parallelism of the checkpoint and of the job differ, or the parallelism is "
       "above it."},
      {ErrorCode::store_full, "E-STORE-FULL", 74,
       "There is no space left for checkpoints or output. Completed checkpoints are kept."},
      {ErrorCode::store_read_only, "E-STORE-RO", 73,
       "The folder for checkpoints or output can't be written."},
      {ErrorCode::store_fsync, "E-STORE-FSYNC", 74,
       "The disk did not confirm that data is durable, twice in a row. Look at the disk before "
       "going on."},
      {ErrorCode::store_fatal, "E-STORE-FATAL", 74,
       "A checkpoint is in doubt and could not be withdrawn. The job stops rather than guess."},
      {ErrorCode::store_io, "E-STORE-IO", 74, "Reading or writing a file failed."},
      {ErrorCode::source_lost, "E-SOURCE-LOST", 76,
       "Input that the checkpoint has still to read is gone, shorter or changed: going on would "
       "lose records."},
      {ErrorCode::sink_lost, "E-SINK-LOST", 76,
       "Output that a completed checkpoint prepared is gone: going on would lose records."},
      {ErrorCode::kafka_transaction_lost, "E-KAFKA-TXN-LOST", 76,
       "Kafka can't tell whether records that a checkpoint prepared were committed, since it "
       "forgets "
       "a group that was not used for offsets.retention.minutes (7 days). Going on might lose "
       "them, "
       "or write them twice: --on-unknown-commit send or drop decides; after stop it is drop."},
      {ErrorCode::cancelled, "E-CANCELLED", 75, "The operation was cancelled before it was done."},
  };
  return kCodes;
}

const ErrorCodeInfo& info_of(ErrorCode code) {
  for (const ErrorCodeInfo& info : all_error_codes()) {
    if (info.code == code) return info;
  }
  SR_ASSERT(false, "every error code is in the table");
  return all_error_codes().front();
}

std::string Error::headline() const {
  std::string line(info_of(code).text);
  line += ": ";
  line += message;
  if (!where.empty()) line += " (" + where + ")";
  return line;
}

void throw_error(Error error) {
  throw ErrorException(std::move(error));
}

}  // namespace streamrun
