#include "checkpoint_rows.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/storage/file_system.h>

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output.h"
#include "table.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

constexpr std::size_t kShortId = 8;

std::string kind_of(const SnapshotEntry& entry) {
  if (entry.status != SnapshotStatus::complete) return "";
  return entry.incremental ? "incremental" : "full";
}

std::string checkpoint_of(const SnapshotEntry& entry) {
  return entry.kind == SnapshotKind::savepoint ? "savepoint" : checkpoint_folder_name(entry.id);
}

std::string shown_path(const std::string& path, const RowForm& form) {
  const std::string inside = form.working_directory == "/" ? "/" : form.working_directory + "/";
  std::string shown = path.starts_with(inside) ? path.substr(inside.size()) : path;
  if (!form.shorten_ids) return shown;
  std::vector<std::string> parts = split(shown, '/');
  for (std::string& part : parts) {
    if (job_id_of_name(part)) part = part.substr(0, kShortId) + "…";
  }
  return join(parts, "/");
}

Row titles(const RowForm& form) {
  Row row = {"JOB", "CHECKPOINT", "KIND", "FULL", "NEW", "TOOK", "OPERATORS", "AGE"};
  if (form.with_status) row.emplace_back("STATUS");
  if (form.wide) {
    row.insert(row.end(), {"JOB-ID", "PARALLELISM", "MAX-PARALLELISM", "WRITTEN", "VERSION"});
  }
  row.emplace_back("PATH");
  return row;
}

std::string id_cell(const JobId& id) {
  return id.is_nil() ? "" : to_string(id);
}

/// The cells that every complete snapshot has; the others leave them empty.
Row facts(const SnapshotEntry& entry, const RowForm& form) {
  if (entry.status != SnapshotStatus::complete) return Row(5);
  return {human_bytes(entry.full_bytes), human_bytes(entry.new_bytes),
          human_duration(entry.took_ms()), std::to_string(entry.operators),
          human_age(form.now_unix_ms - entry.completed_unix_ms)};
}

Row wide_facts(const SnapshotEntry& entry) {
  if (entry.status != SnapshotStatus::complete) return {id_cell(entry.job_id), "", "", "", ""};
  return {id_cell(entry.job_id), std::to_string(entry.parallelism),
          std::to_string(entry.max_parallelism), rfc3339(entry.completed_unix_ms), entry.version};
}

Row row_of(const SnapshotEntry& entry, const RowForm& form) {
  Row row = {entry.job_name, checkpoint_of(entry), kind_of(entry)};
  const Row more = facts(entry, form);
  row.insert(row.end(), more.begin(), more.end());
  if (form.with_status) row.emplace_back(name_of(entry.status));
  if (form.wide) {
    const Row wide = wide_facts(entry);
    row.insert(row.end(), wide.begin(), wide.end());
  }
  row.push_back(shown_path(entry.path, form));
  return row;
}

Row row_of(const JobFolder& folder, const RowForm& form) {
  const std::int64_t ended = folder.finished->finished_unix_ms;
  Row row = {folder.job_name(), "", "", "", "", "", "", human_age(form.now_unix_ms - ended)};
  row.emplace_back("finished");
  if (form.wide) row.insert(row.end(), {id_cell(folder.job_id), "", "", rfc3339(ended), ""});
  row.push_back(shown_path(folder.path, form));
  return row;
}

Json json_of(const SnapshotEntry& entry) {
  Json json = {{"path", entry.path}, {"status", name_of(entry.status)}};
  if (entry.id != 0) json["id"] = entry.id;
  if (!entry.job_id.is_nil()) json["job_id"] = to_string(entry.job_id);
  json["kind"] = entry.kind == SnapshotKind::savepoint ? "savepoint" : "checkpoint";
  if (entry.damage) json["damage"] = entry.damage->headline();
  if (entry.status != SnapshotStatus::complete) return json;
  json["job"] = entry.job_name;
  json["registered_name"] = entry.registered_name;
  json["incremental"] = entry.incremental;
  json["full_bytes"] = entry.full_bytes;
  json["new_bytes"] = entry.new_bytes;
  json["triggered"] = rfc3339(entry.triggered_unix_ms);
  json["completed"] = rfc3339(entry.completed_unix_ms);
  json["took_ms"] = entry.took_ms();
  json["operators"] = entry.operators;
  json["parallelism"] = entry.parallelism;
  json["max_parallelism"] = entry.max_parallelism;
  json["version"] = entry.version;
  if (!entry.restored_from.empty()) json["restored_from"] = entry.restored_from;
  return json;
}

Json json_of(const JobFolder& folder) {
  return {{"path", folder.path},
          {"job", folder.job_name()},
          {"job_id", to_string(folder.job_id)},
          {"finished", rfc3339(folder.finished->finished_unix_ms)},
          {"last_checkpoint", folder.finished->last_checkpoint}};
}

template <typename T>
Json array_of(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(json_of(value));
  return array;
}

}  // namespace

const char* name_of(SnapshotStatus status) {
  switch (status) {
    case SnapshotStatus::complete:
      return "complete";
    case SnapshotStatus::unfinished:
      return "unfinished";
    case SnapshotStatus::damaged:
      return "damaged";
  }
  return "?";
}

std::string checkpoint_table(const std::vector<SnapshotEntry>& entries,
                             const std::vector<JobFolder>& finished, const RowForm& form) {
  Table table(titles(form));
  for (const SnapshotEntry& entry : entries) table.add(row_of(entry, form));
  if (form.with_status) {
    for (const JobFolder& folder : finished) table.add(row_of(folder, form));
  }
  return table.text();
}

std::string checkpoint_json(const std::vector<SnapshotEntry>& entries,
                            const std::vector<JobFolder>& finished, bool with_finished) {
  Json document = {{"v", 1}, {"checkpoints", array_of(entries)}};
  if (with_finished) document["finished"] = array_of(finished);
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace streamrun
