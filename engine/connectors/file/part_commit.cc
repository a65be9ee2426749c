#include <streamrun/base/checksum.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/connectors/file/part_commit.h>

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

Error lost(const std::string& path, std::string message, std::string why) {
  return {.code = ErrorCode::sink_lost,
          .message = std::move(message),
          .where = path,
          .why = std::move(why),
          .retry = Retry::no};
}

Result<std::string> checksum_of(FileSystem& store, const std::string& path) {
  const std::unique_ptr<ReadableFile> file = SR_TRY(store.open(path));
  Xxh3Stream xxh3;
  std::string buffer(kReadBytes, '\0');
  for (std::uint64_t offset = 0;;) {
    const std::size_t count = SR_TRY(file->read_at(offset, buffer.data(), buffer.size()));
    if (count == 0) return xxh3.hex();
    xxh3.update(std::string_view(buffer).substr(0, count));
    offset += count;
  }
}

/// Whether the finished file is there with the very bytes that were prepared.
Result<void> check_finished(FileSystem& store, const std::string& path,
                            const PartCommittable& part) {
  const Result<FileStatus> status = store.status(path);
  if (!status && status.error().code == ErrorCode::path) {
    return lost(path, "a prepared output file is gone, under its hidden name and its final one",
                fmt::format("it had {} bytes", part.length));
  }
  if (!status) return status.error();
  if (status->kind != FileKind::file || status->size != part.length) {
    return lost(path, "something else has taken the name of an output file",
                fmt::format("{} bytes are there, {} were prepared", status->size, part.length));
  }
  const std::string found = SR_TRY(checksum_of(store, path));
  if (found == part.xxh3) return {};
  return lost(path, "something else has taken the name of an output file",
              fmt::format("checksum {}, expected {}", found, part.xxh3));
}

Result<void> commit_part(FileSystem& store, const PartCommittable& part) {
  const std::string hidden = join_path(part.folder, hidden_name_of(part.finished_name));
  const std::string finished = join_path(part.folder, part.finished_name);
  const Result<FileStatus> status = store.status(hidden);
  if (!status && status.error().code != ErrorCode::path) return status.error();
  if (!status) return check_finished(store, finished, part);
  if (status->size != part.length) {
    return lost(hidden, "a prepared output file has changed",
                fmt::format("it has {} bytes, {} were prepared", status->size, part.length));
  }
  const Result<bool> renamed = store.rename_no_replace(hidden, finished);
  if (renamed && *renamed) return {};
  // Gone meanwhile: the same commit in another thread. Taken: a rename that was cut short may leave
  // both names.
  if (!renamed && renamed.error().code != ErrorCode::path) return renamed.error();
  SR_TRY(check_finished(store, finished, part));
  if (renamed) SR_TRY(store.remove_file(hidden));
  return {};
}

struct Leftover {
  std::string path;
  PartName part;
};

/// What a folder holds of a sink's files.
struct FolderContent {
  std::vector<Leftover> leftovers;                      // of this operator
  std::map<std::string, std::uint64_t> finished_parts;  // by job id; empty where a name tells none
};

FolderContent content_of(const std::vector<FileStatus>& files, const std::string& operator_prefix) {
  FolderContent content;
  for (const FileStatus& file : files) {
    const std::string name = base_name(file.path);
    const std::optional<PartName> hidden = parse_hidden_name(name);
    if (hidden && hidden->operator_prefix == operator_prefix) {
      content.leftovers.push_back({.path = file.path, .part = *hidden});
    } else if (name.starts_with("part-")) {
      const std::optional<PartName> part = parse_finished_name(name);
      ++content.finished_parts[part ? part->job_id : std::string()];
    }
  }
  return content;
}

class LeftoverRemoval {
 public:
  LeftoverRemoval(const OperatorContext& context, FileSystem& store,
                  const std::vector<std::string>& restored, const PartOf& part_of)
      : context_(context), store_(store), part_of_(part_of), own_id_(to_string(context.job_id)) {
    keep(restored);
  }

  void look_at(const Leftover& leftover) {
    const PartName& part = leftover.part;
    const auto parallelism = static_cast<std::uint64_t>(context_.parallelism);
    if (part.subtask % parallelism != static_cast<std::uint64_t>(context_.subtask)) return;
    const bool is_ours = part.job_id == own_id_;
    if (is_ours && part.attempt == context_.attempt) return;  // being written
    const bool is_dead = is_ours || fate_of(part.job_id) == RunFate::dead;
    if (!is_dead || !know_what_is_retained(part.job_id)) {
      ++left_alone_;
      return;
    }
    if (kept_.count(finished_name_of(part)) == 0) remove(leftover.path);
  }

  void count_finished(const std::string& job_id, std::uint64_t parts) {
    const bool is_known =
        job_id == own_id_ || (!job_id.empty() && fate_of(job_id) == RunFate::dead);
    if (!is_known) parts_of_others_ += parts;
  }

  void warn(const std::string& folder) const {
    if (left_alone_ > 0) {
      say(fmt::format(
          "{} unfinished part(s) in {} were left alone: their job runs, or is another one, or its "
          "snapshots can't be read",
          left_alone_, folder));
    }
    if (parts_of_others_ > 0) {
      say(fmt::format("{} already holds {} finished part(s) of other jobs: this one adds to them",
                      folder, parts_of_others_));
    }
  }

 private:
  RunFate fate_of(const std::string& job_id) {
    const auto known = fates_.find(job_id);
    if (known != fates_.end()) return known->second;
    const Result<JobId> id = parse_job_id(job_id);
    const RunFate fate = id ? context_.fate_of_run(*id) : RunFate::unknown;
    return fates_.emplace(job_id, fate).first->second;
  }

  /// Adds what snapshots of that job name to what is kept; false if that can't be told.
  bool know_what_is_retained(const std::string& job_id) {
    const auto known = retained_known_.find(job_id);
    if (known != retained_known_.end()) return known->second;
    const Result<JobId> id = parse_job_id(job_id);
    bool is_known = false;
    try {
      is_known = id && keep(context_.retained_committables(*id));
    } catch (const ErrorException& thrown) {
      say("cannot tell what " + job_id + " still needs: " + thrown.error().headline());
    }
    return retained_known_.emplace(job_id, is_known).first->second;
  }

  bool keep(const std::vector<std::string>& committables) {
    bool all_known = true;
    for (const std::string& bytes : committables) {
      const Result<PartCommittable> part = part_of_(bytes);
      if (part) kept_.insert(part->finished_name);
      all_known = all_known && part;
    }
    return all_known;
  }

  void remove(const std::string& path) {
    const Result<bool> removed = store_.remove_file(path);
    SR_CRASH("rs.linger.mid");
    if (removed) {
      context_.environment.log.info("sink " + context_.name + ": removed " + path +
                                    ", left by a dead attempt");
    } else {
      say("cannot remove what a dead attempt left: " + removed.error().headline());
    }
  }
  void say(const std::string& text) const {
    context_.environment.log.warning("sink " + context_.name + ": " + text);
  }

  const OperatorContext& context_;
  FileSystem& store_;
  const PartOf& part_of_;
  const std::string own_id_;
  std::set<std::string> kept_;  // finished names
  std::map<std::string, bool> retained_known_;
  std::map<std::string, RunFate> fates_;
  std::uint64_t left_alone_ = 0;
  std::uint64_t parts_of_others_ = 0;
};

}  // namespace

Result<void> commit_parts(const FileSystems& file_systems,
                          const std::vector<std::string>& committables) {
  SR_CRASH("sink.commit.before");
  std::map<std::string, FileSystem*> folders;
  for (const std::string& bytes : committables) {
    const PartCommittable part = SR_TRY(decode_committable(bytes));
    FileSystem* const store = SR_TRY(file_systems.place(part.folder, "/")).store;
    if (!folders.empty()) SR_CRASH("sink.commit.between-two");
    folders[part.folder] = store;
    SR_TRY(commit_part(*store, part));
  }
  for (const auto& [folder, store] : folders) SR_TRY(store->sync_directory(folder));
  SR_CRASH("sink.commit.after-before-ack");
  return {};
}

Result<void> remove_part_leftovers(const OperatorContext& context, const std::string& folder,
                                   const std::vector<std::string>& restored,
                                   const PartOf& part_of) {
  const auto [path, store] = SR_TRY(context.file_systems.place(folder, context.working_directory));
  const FolderContent content =
      content_of(SR_TRY(store->list(path)), operator_prefix_of(context.operator_id));
  LeftoverRemoval removal(context, *store, restored, part_of);
  for (const Leftover& leftover : content.leftovers) removal.look_at(leftover);
  if (context.subtask == 0 && restored.empty()) {
    for (const auto& [job_id, parts] : content.finished_parts)
      removal.count_finished(job_id, parts);
  }
  removal.warn(path);
  return {};
}

}  // namespace streamrun
