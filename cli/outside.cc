#include "outside.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/config/options.h>
#include <streamrun/operators/source_operator.h>
#include <streamrun/storage/file_systems.h>
#include <streamrun/storage/local_file_system.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fnmatch.h>

#include "resume_line.h"
#include "usage_error.h"

namespace streamrun {
namespace {

/// A local path without links, as far as it is there; empty for what is not local.
std::string local_path(const std::string& text, const std::string& working_directory) {
  const Result<Location> location = parse_location(text, working_directory);
  if (!location || location->scheme != "file") return {};
  std::error_code problem;
  const auto real = std::filesystem::weakly_canonical(location->path, problem);
  return problem ? location->path : absolute_path(real.string(), "/");
}

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || path.starts_with(folder + "/");
}

/// Whether a source of `input`, which may be a pattern, would find files in `output`.
bool looks_into(const std::string& input, const std::string& output) {
  for (std::string path = join_path(output, "part-0");; path = parent_path(path)) {
    if (path == input || ::fnmatch(input.c_str(), path.c_str(), FNM_PATHNAME) == 0) return true;
    if (path == parent_path(path) || is_hidden(base_name(path))) return false;
  }
}

void note(std::vector<Error>& problems, Result<void> result) {
  if (!result) problems.push_back(std::move(result).error());
}

/// Whether the store can be reached and what is there, if anything, is a folder.
Result<void> check_remote_output(const Place& folder) {
  const Result<FileStatus> status = folder.store->status(folder.path);
  if (!status && status.error().code != ErrorCode::path) return status.error();
  if (!status || status->kind == FileKind::directory) return {};
  return Error{.code = ErrorCode::path,
               .message = "the output is not a folder",
               .where = folder.path,
               .retry = Retry::no};
}

Result<void> check_output(const Place& folder) {
  return is_local_path(folder.path) ? check_local_output(folder.path) : check_remote_output(folder);
}

Result<void> check_folder(const std::string& folder, const JobSpec& spec,
                          const FileSystems& file_systems) {
  return check_output(SR_TRY(file_systems.place(folder, spec.working_directory)));
}

/// Of the folders above, the last one has to be there: a disk that is not mounted is noticed.
Result<void> check_checkpoint_root(const JobSpec& spec) {
  if (!is_local_path(spec.checkpoint_root))
    return check_remote_output({.path = spec.checkpoint_root, .store = spec.checkpoint_store});
  const std::string parent = parent_path(spec.checkpoint_root);
  const Result<FileStatus> above = spec.checkpoint_store->status(parent);
  if (above) return check_local_output(spec.checkpoint_root);
  Error error = above.error();
  if (error.code == ErrorCode::path) {
    error.message = "the folder above that of the checkpoints is not there";
    error.where = spec.checkpoint_root;
  }
  return error;
}

std::vector<std::string> unread_splits(const OperatorRestore& restore) {
  std::vector<std::string> unread;
  for (const OperatorSubtaskState& subtask : restore.subtasks) {
    for (const OperatorListState& list : subtask.lists) {
      if (list.name != kSplitsState) continue;
      unread.insert(unread.end(), list.elements.begin(), list.elements.end());
    }
  }
  return unread;
}

/// The folder that was moved and where it is now, read off where the snapshot was and is.
struct Move {
  std::string from;
  std::string to;
};
std::optional<Move> move_of(const JobSpec& spec) {
  const auto& configuration = spec.restore->metadata.configuration;
  const auto recorded = configuration.find(std::string(options::kCheckpointDirectory.key));
  const std::string job_folder = parent_path(spec.restore->directory);
  if (recorded == configuration.end() || !job_id_of_name(base_name(job_folder))) return {};
  Move move{.from = recorded->second, .to = parent_path(job_folder)};
  while (move.from != move.to && base_name(move.from) == base_name(move.to) &&
         parent_path(move.from) != move.from) {
    move = {.from = parent_path(move.from), .to = parent_path(move.to)};
  }
  if (move.from == move.to) return {};
  return move;
}

std::string moved_path(const std::string& path, const Move& move) {
  return is_below(path, move.from) ? move.to + path.substr(move.from.size()) : std::string();
}

bool is_there(const std::string& path) {
  std::error_code problem;
  return std::filesystem::exists(path, problem);
}

/// A link from the old name of what was moved to its new one: then everything that was recorded is
/// found, also what no argument names, such as the files of splits that are left to read. Empty if
/// it can't be told what was moved.
std::string link_hint(const std::string& lost, const std::optional<Move>& move) {
  const std::string now = move ? moved_path(lost, *move) : "";
  if (now.empty() || !is_there(parent_path(now)) || is_there(move->from)) return {};
  return shell_line({"ln", "-s", move->to, move->from}) +
         "  # the old name leads to the new place; then the same command again";
}

/// Input of a source that watches: at another place all files are new to it, and would be read
/// again.
bool is_read_while_running(const JobSpec& spec, const std::string& path) {
  const auto& operators = spec.graph.operators;
  return std::any_of(operators.begin(), operators.end(), [&](const JobOperator& op) {
    const auto& reads = op.node.reads;
    return !op.node.bounded && std::find(reads.begin(), reads.end(), path) != reads.end();
  });
}

/// The given arguments, else the recorded ones, with a path in them replaced.
std::optional<JobArguments::Values> with_path(const JobSpec& spec, const std::string& lost,
                                              const std::string& instead) {
  JobArguments::Values values = spec.arguments;
  bool found = false;
  for (auto& [name, value] : values) {
    if (value != lost) continue;
    value = instead;
    found = true;
  }
  return found ? std::optional(std::move(values)) : std::nullopt;
}

}  // namespace

std::optional<Error> output_inside_input(const JobGraph& graph,
                                         const std::string& working_directory) {
  for (const JobOperator& sink : graph.operators) {
    for (const std::string& written : sink.node.writes) {
      const std::string output = local_path(written, working_directory);
      for (const JobOperator& source : graph.operators) {
        for (const std::string& read : source.node.reads) {
          const std::string input = local_path(read, working_directory);
          if (output.empty() || input.empty() || !looks_into(input, output)) continue;
          return Error{
              .code = ErrorCode::usage,
              .message = fmt::format(
                  "the output folder {} {} the input {}: the job would read what it writes",
                  written, output == input ? "is also" : "lies inside", read),
              .tries = {"give the output a folder outside of the input, or one below it "
                        "whose name begins with _ (sources leave such out)"},
              .retry = Retry::no};
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Error> lost_output(const JobGraph& graph, const std::string& working_directory) {
  for (const JobOperator& op : graph.operators) {
    for (const std::string& folder : op.node.writes) {
      const std::string path = local_path(folder, working_directory);
      if (path.empty() || is_there(path) || is_there(parent_path(path))) continue;
      return Error{.code = ErrorCode::path,
                   .message = "the output folder of the run that is resumed is gone",
                   .where = folder,
                   .why = parent_path(path) + " is not there either",
                   .retry = Retry::no};
    }
  }
  return std::nullopt;
}

std::vector<Error> problems_outside(const JobSpec& spec, const RestorePlan* plan,
                                    FileSystems& file_systems, bool read_data) {
  std::vector<Error> problems;
  if (spec.restore) {
    problems =
        find_damage(file_systems, spec.restore->directory, spec.restore->metadata, read_data);
  }
  for (std::size_t i = 0; i < spec.graph.operators.size(); ++i) {
    const StreamNode& node = spec.graph.operators[i].node;
    if (node.check_input) {
      const OperatorRestore fresh;
      const OperatorRestore& restore = plan != nullptr ? plan->operators.at(i) : fresh;
      note(problems, node.check_input(file_systems, spec.working_directory,
                                      restore.coordinator_state, unread_splits(restore)));
    }
    for (const std::string& folder : node.writes) {
      note(problems, check_folder(folder, spec, file_systems));
    }
  }
  if (spec.checkpoint_store != nullptr) note(problems, check_checkpoint_root(spec));
  return problems;
}

Error with_hints(Error error, const JobSpec& spec, const GlobalFlags& global,
                 const RunFlags& flags) {
  const bool is_damaged =
      error.code == ErrorCode::state_corrupt || error.code == ErrorCode::state_missing;
  if (spec.restore && is_damaged && error.tries.empty() && !flags.fallback) {
    error.tries.push_back(
        run_line(global, flags,
                 {.from = flags.from.value_or(spec.restore->directory), .extra = {"--fallback"}}) +
        "  # the newest good one before it");
  }
  const bool may_be_moved = error.code == ErrorCode::path || error.code == ErrorCode::source_lost;
  if (!spec.restore || !may_be_moved || !error.tries.empty()) return error;
  const std::string from = spec.restore->directory;
  const std::optional<Move> move = move_of(spec);
  const std::string link = link_hint(error.where, move);
  if (!link.empty()) error.tries.push_back(link);
  if (error.where == spec.checkpoint_root) {
    GlobalFlags with_root = global;
    with_root.definitions.push_back("state.checkpoints.dir=" + parent_path(parent_path(from)));
    error.tries.push_back(run_line(with_root, flags, {.from = from}));
  } else if (error.code == ErrorCode::path && !is_read_while_running(spec, error.where)) {
    const std::string now = move ? moved_path(error.where, *move) : "";
    const auto arguments = with_path(spec, error.where, now.empty() ? "NEW-PLACE" : now);
    const RunLine line{.from = from, .arguments = arguments, .job = spec.registered_name};
    if (arguments) error.tries.push_back(run_line(global, flags, line));
  }
  const bool is_place =
      error.where.rfind('/', 0) == 0 || error.where.find("://") != std::string::npos;
  if (error.tries.empty() && is_place) {
    error.tries.push_back("put " + error.where +
                          " back, or a link with that name to where it is now; then the same "
                          "command again");
  }
  return error;
}

}  // namespace streamrun
