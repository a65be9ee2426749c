#include "savepoint.h"

#include <streamrun/checkpoint/dispose_savepoint.h>

#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "assemble.h"
#include "job_operand.h"
#include "load.h"
#include "output.h"
#include "reach_job.h"
#include "running_job_commands.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

const char* words_for(JobClient::Way way) {
  switch (way) {
    case JobClient::Way::stop:
      return "stopping {} {} with a savepoint";
    case JobClient::Way::drain:
      return "draining {} {}, then a savepoint";
    case JobClient::Way::cancel:
      return "cancelling {} {} with a savepoint";
    case JobClient::Way::savepoint:
      break;
  }
  return "savepoint of {} {}";
}

/// The running job has a working directory of its own, so it is told an absolute path.
std::string absolute_folder(const std::string& directory) {
  if (directory.empty() || directory.find("://") != std::string::npos) return directory;
  return absolute_path(directory, working_directory());
}

/// Begins it; a refusal for want of a folder says how to name one here.
std::string begin(JobClient& client, const ReachableJob& job, JobClient::Way way,
                  const std::string& directory, const std::string& format) {
  try {
    return client.begin_savepoint(job.id, way, absolute_folder(directory), format);
  } catch (const ErrorException& thrown) {
    Error error = thrown.error();
    const bool lacks_folder = error.code == ErrorCode::usage && directory.empty() &&
                              error.message.find("savepoint-dir") != std::string::npos;
    if (!lacks_folder) throw;
    const char* const line = way == JobClient::Way::savepoint ? "streamrun savepoint {} DIR"
                             : way == JobClient::Way::cancel
                                 ? "streamrun cancel -s DIR {}"
                                 : "streamrun stop {} --savepointPath DIR";
    error.tries = {fmt::format(fmt::runtime(line), job.id),
                   "run the job with -D state.savepoints.dir=DIR"};
    throw_error(std::move(error));
  }
}

int dispose(const Invocation& invocation, const std::string& path) {
  if (path.empty()) usage_error("--dispose takes the path of a savepoint, not an empty text");
  Reach reach(invocation);
  if (invocation.has("--jobmanager")) {
    const std::string url =
        value_or_throw(parse_http_address(*invocation.value("--jobmanager"))).url();
    JobClient client = reach.client_of(url);
    client.wait_for_disposal(client.begin_disposal(absolute_folder(path)));
  } else {
    const std::unique_ptr<FileSystems> stores = make_file_systems(invocation.global);
    const Result<void> done = dispose_savepoint_at(path, reach.configuration(), *stores);
    if (!done) throw_error(done.error());
  }
  if (invocation.global.json) {
    print_value(invocation, "disposed", path);
  } else {
    print_note("disposed of the savepoint " + path, invocation.global);
  }
  return 0;
}

}  // namespace

void print_value(const Invocation& invocation, const char* name, const std::string& value) {
  if (!invocation.global.json) return print(value + "\n");
  const Json document = {{"v", 1}, {name, value}};
  print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<void> dispose_savepoint_at(const std::string& path, const Configuration& configuration,
                                  const FileSystems& stores) {
  try {
    const Place place = configured_path(path, configuration, stores);
    return dispose_savepoint(*place.store, place.path);
  } catch (const ErrorException& thrown) {
    return thrown.error();
  }
}

int take_savepoint(const Invocation& invocation, const std::string& job, JobClient::Way way,
                   const std::string& directory) {
  Reach reach(invocation);
  const ReachableJob found = reach.one(job);
  JobClient client = reach.client_of(found.url);
  const std::string format = invocation.value("--type").value_or("canonical");
  const std::string operation =
      begin(client, found, way, directory, format == "native" ? "NATIVE" : "CANONICAL");
  print_note(fmt::format(fmt::runtime(words_for(way)), found.name, found.id), invocation.global);
  if (invocation.has("--detached")) {
    print_value(invocation, "trigger_id", operation);
    return 0;
  }
  const std::string path = client.wait_for_savepoint(found.id, operation);
  print_value(invocation, "path", path);
  if (way == JobClient::Way::cancel) client.wait_for_end(found.id);
  return 0;
}

int savepoint_command(const Invocation& invocation) {
  if (const auto path = invocation.value("--dispose")) return dispose(invocation, *path);
  const auto& words = invocation.operands;
  return take_savepoint(invocation, words.empty() ? "" : words.front(), JobClient::Way::savepoint,
                        words.size() > 1 ? words[1] : "");
}

int stop_command(const Invocation& invocation) {
  const JobAndFolder what = job_and_folder(invocation, "--savepointPath");
  return take_savepoint(invocation, what.job,
                        invocation.has("--drain") ? JobClient::Way::drain : JobClient::Way::stop,
                        what.folder.value_or(""));
}

int checkpoint_command(const Invocation& invocation) {
  Reach reach(invocation);
  const ReachableJob job =
      reach.one(invocation.operands.empty() ? "" : invocation.operands.front());
  JobClient client = reach.client_of(job.url);
  const std::string operation = client.begin_checkpoint(job.id, invocation.has("--full"));
  print_note(fmt::format("checkpoint of {} {}", job.name, job.id), invocation.global);
  print_value(invocation, "path", client.wait_for_checkpoint(job.id, operation));
  return 0;
}

}  // namespace streamrun
