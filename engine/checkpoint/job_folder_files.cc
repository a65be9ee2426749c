#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <nlohmann/json.hpp>

#include "checked_json.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

std::string written(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Error damaged(std::string_view what, std::string_view detail) {
  return {.code = ErrorCode::metadata_corrupt,
          .message = std::string(what) + " is damaged: " + std::string(detail),
          .retry = Retry::no};
}

Result<Json> parsed(std::string_view bytes, std::string_view what) {
  if (bytes.size() > kSmallFileLimitBytes) return damaged(what, "no valid JSON");
  Result<Json> json = parse_checked_json(bytes);
  if (!json) return damaged(what, "no valid JSON");
  if (!json->is_object()) return damaged(what, "no JSON object");
  return json;
}

Result<std::string> text_of(const Json& json, const char* key, std::string_view what) {
  const auto member = json.find(key);
  if (member == json.end() || !member->is_string()) return damaged(what, key);
  return member->get<std::string>();
}

Result<JobId> job_of(const Json& json, const char* key, std::string_view what) {
  const Result<JobId> id = parse_job_id(SR_TRY(text_of(json, key, what)));
  if (!id) return damaged(what, key);
  return *id;
}

Result<std::int64_t> integer_of(const Json& json, const char* key, std::string_view what) {
  const auto member = json.find(key);
  if (member == json.end() || !member->is_number_integer()) return damaged(what, key);
  return member->get<std::int64_t>();
}

}  // namespace

std::string encode(const JobFile& file) {
  return written({{"format", 1},
                  {"job_id", to_string(file.job_id)},
                  {"family_id", to_string(file.family_id)},
                  {"job_name", file.job_name},
                  {"started_unix_ms", file.started_unix_ms}});
}

std::string encode(const FinishedMarker& marker) {
  Json json = {{"format", 1},
               {"job_id", to_string(marker.job_id)},
               {"job_name", marker.job_name},
               {"last_checkpoint", marker.last_checkpoint},
               {"last_snapshot", marker.last_snapshot},
               {"finished_unix_ms", marker.finished_unix_ms}};
  if (!marker.savepoint.empty()) json["savepoint"] = marker.savepoint;
  return written(json);
}

Result<JobFile> decode_job_file(std::string_view bytes) {
  constexpr std::string_view kWhat = "the file of the job";
  const Json json = SR_TRY(parsed(bytes, kWhat));
  JobFile file;
  file.job_id = SR_TRY(job_of(json, "job_id", kWhat));
  file.family_id = SR_TRY(job_of(json, "family_id", kWhat));
  file.job_name = SR_TRY(text_of(json, "job_name", kWhat));
  file.started_unix_ms = SR_TRY(integer_of(json, "started_unix_ms", kWhat));
  return file;
}

Result<FinishedMarker> decode_finished_marker(std::string_view bytes) {
  constexpr std::string_view kWhat = "the finished marker";
  const Json json = SR_TRY(parsed(bytes, kWhat));
  FinishedMarker marker;
  marker.job_id = SR_TRY(job_of(json, "job_id", kWhat));
  marker.job_name = SR_TRY(text_of(json, "job_name", kWhat));
  marker.last_checkpoint = SR_TRY(integer_of(json, "last_checkpoint", kWhat));
  // Markers did not always have it.
  marker.last_snapshot = marker.last_checkpoint;
  if (json.contains("last_snapshot"))
    marker.last_snapshot = SR_TRY(integer_of(json, "last_snapshot", kWhat));
  marker.finished_unix_ms = SR_TRY(integer_of(json, "finished_unix_ms", kWhat));
  if (json.contains("savepoint")) marker.savepoint = SR_TRY(text_of(json, "savepoint", kWhat));
  return marker;
}

bool is_of_family(FileSystem& files, const std::string& job_folder, const JobId& family) {
  const Result<std::string> bytes =
      files.read_all(join_path(job_folder, kJobFileName), kSmallFileLimitBytes);
  if (!bytes) return false;
  const Result<JobFile> job = decode_job_file(*bytes);
  return job && job->family_id == family;
}

}  // namespace streamrun
