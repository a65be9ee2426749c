#pragma once

#include <streamrun/runtime/job_control.h>

#include <string>
#include <vector>

namespace streamrun {

/// Flink's JSON for what a running job tells of itself. A member that its clients read as a number
/// is always there: one that is missing makes them fail. What Flink has no member for is in one
/// called `streamrun`.

/// The answer to `/jobs/overview`.
std::string overview_json(const JobOverview& job, std::int64_t now_unix_ms);
/// `/jobs`
std::string jobs_json(const JobOverview& job);
/// `/jobs/:jobid`
std::string job_json(const JobOverview& job, std::int64_t now_unix_ms);
/// `/jobs/:jobid/status`
std::string status_json(const JobOverview& job);
/// `/overview`
std::string cluster_json(const JobOverview& job, const std::string& version);
/// `/config`
std::string config_json(const std::string& version);

/// `{"errors":[…]}`
std::string errors_json(const std::vector<std::string>& errors);
/// An error as the texts that `error_of` reads.
std::vector<std::string> texts_of(const Error& error);
/// `{"location":…}`
std::string location_json(const std::string& path);
/// `{"checkpointId":…}`
std::string checkpoint_json(const CheckpointSummary& summary);
/// The answer to a poll: `operation` is empty while it is under way.
std::string operation_json(const std::string& operation);
/// `{"request-id":…}`
std::string request_id_json(const std::string& id);

}  // namespace streamrun
