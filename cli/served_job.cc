#include "served_job.h"

#include <streamrun/config/options.h>

#include <exception>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace streamrun {
namespace {

/// Flink's client asks again after 2 s at most.
constexpr Duration kTimeToHear = std::chrono::milliseconds(2500);
constexpr Duration kTimeToAnswer = std::chrono::milliseconds(500);

JobApi::Options with_hosts(JobApi::Options options, const Configuration& configuration) {
  const bool is_default =
      configuration.origin_of(options::kRestBindAddress.key) == Origin::default_value;
  const std::string bound = configuration.get(options::kRestBindAddress);
  options.any_host =
      !is_default && bound != "localhost" && bound != "::1" && !bound.starts_with("127.");
  options.host_names = {configuration.get(options::kRestAddress)};
  return options;
}

/// The first free port of the list; where nobody asked for certain ones, any other at last, so that
/// any number of jobs run side by side.
std::vector<PortRange> ports_of(const Configuration& configuration) {
  std::vector<PortRange> ports = configuration.get(options::kRestBindPort);
  if (configuration.origin_of(options::kRestBindPort.key) == Origin::default_value)
    ports.push_back({0, 0});
  return ports;
}

std::string url_of(const RestServer& server) {
  std::string host = server.address();
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("http://{}:{}", host, server.port());
}

void warn(Log& log, const Error& error, const char* what) {
  log.write(LogLevel::warning, fmt::format("{}{}; the job runs, {}", error.headline(),
                                           error.why.empty() ? "" : ": " + error.why, what));
}

}  // namespace

ServedJob::ServedJob(JobControl& control, const Clock& clock, Random& random, Log& log,
                     const Configuration& configuration, const JobApi::Options& options)
    : api_(control, clock, random, with_hosts(options, configuration)) {
  // The job runs by now: nothing that goes wrong here may end it.
  try {
    enter(configuration, log, options);
  } catch (const ErrorException& thrown) {
    warn(log, thrown.error(), "but no command reaches it");
  } catch (const std::exception& thrown) {
    warn(log, {.code = ErrorCode::unavailable, .message = thrown.what()},
         "but no command reaches it");
  }
}

void ServedJob::enter(const Configuration& configuration, Log& log,
                      const JobApi::Options& options) {
  serve(configuration, log);
  const std::string url = server_ == nullptr ? "" : url_of(*server_);
  auto registered = Registration::enter({.id = to_string(options.id),
                                         .name = options.name,
                                         .pid = ::getpid(),
                                         .started_unix_ms = options.started_unix_ms,
                                         .url = url});
  if (registered) {
    registration_ = *std::move(registered);
    if (!url.empty()) log.write(LogLevel::debug, "REST at " + url);
  } else {
    warn(log, registered.error(),
         url.empty() ? "but no command reaches it" : ("but commands need -m " + url).c_str());
  }
}

void ServedJob::serve(const Configuration& configuration, Log& log) {
  auto server = RestServer::start(configuration.get(options::kRestBindAddress),
                                  ports_of(configuration), api_);
  if (server) {
    server_ = *std::move(server);
  } else {
    warn(log, server.error(), "but stop, savepoint and the like do not reach it (rest.bind-port)");
  }
}

void ServedJob::end(const JobResult& result) {
  // By name a new run of the job is found from now on, also while somebody still hears of this one.
  registration_.reset();
  api_.ended(result);
  if (server_ != nullptr) {
    api_.operations().wait_until_heard(kTimeToHear);
    server_->drain(kTimeToAnswer);
  }
}

}  // namespace streamrun
