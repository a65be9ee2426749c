#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// Stable codes of everything that can go wrong; their texts (`E-CONF`) and exit statuses are
/// promises to scripts. This is the one list of them: `streamrun help CODE` explains each with
/// `explanation_of`.
enum class ErrorCode {
  job_failed,
  usage,
  config,
  path,
  permission,
  lock,
  stop_unclean,
  unavailable,
  bug,
  metadata_missing,
  metadata_corrupt,
  metadata_version,
  metadata_limit,
  state_missing,
  state_corrupt,
  job_mismatch,
  max_parallelism,
  store_full,
  store_read_only,
  store_fsync,
  store_fatal,
  store_io,
  source_lost,
  sink_lost,
  kafka_transaction_lost,
  cancelled,
};

/// What is fixed about a code: its text, the exit status of a command that ends with it, and a
/// sentence or two.
struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view text;
  int exit_status;
  std::string_view explanation;
};

const std::vector<ErrorCodeInfo>& all_error_codes();
const ErrorCodeInfo& info_of(ErrorCode code);

/// Whether doing the same again may work: the restart strategy and retries ask this.
enum class Retry { no, yes };

/// What went wrong, for a person. `message` names the thing and the values; `where` the file, key
/// or offset; `why` the cause if known; `tries` are lines that can be pasted. A plain value, safe
/// to copy between threads.
struct Error {
  ErrorCode code = ErrorCode::bug;
  std::string message;
  std::string where = {};
  std::string why = {};
  std::vector<std::string> tries = {};
  Retry retry = Retry::yes;

  /// `E-CODE: what happened (where)`, the first line of every report.
  std::string headline() const;
};

/// An error raised by a person's input (flag, YAML key, graph) before any task runs, or by engine
/// code that is called from inside a user's function, where no return value can carry it. Caught in
/// one place each: `cli/main.cc`, and around the chain in `runtime`.
class ErrorException {
 public:
  explicit ErrorException(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

[[noreturn]] void throw_error(Error error);

}  // namespace streamrun
