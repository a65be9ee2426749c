#include "running_jobs.h"

#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_folder.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = std::size_t{64} << 10U;
/// Files in the folder from which on a run removes those of lost jobs.
constexpr std::size_t kMostUntold = 64;

std::string folder_in(const std::string& state_folder) {
  return join_path(state_folder, "running");
}

Error cannot(const char* what, const std::string& path) {
  const ErrorCode code = errno == EACCES || errno == EPERM ? ErrorCode::permission
                         : errno == ENOSPC                 ? ErrorCode::store_full
                         : errno == EROFS                  ? ErrorCode::store_read_only
                                                           : ErrorCode::store_io;
  return {.code = code, .message = what, .where = path, .why = std::strerror(errno)};
}

std::string text_of(const RunningJob& job) {
  const Json document = {{"v", 1},
                         {"job_id", job.id},
                         {"name", job.name},
                         {"pid", job.pid},
                         {"started_unix_ms", job.started_unix_ms},
                         {"url", job.url}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<RunningJob> parse(const std::string& text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  const auto string = [&](const char* key) {
    const auto found = document.find(key);
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const auto number = [&](const char* key) {
    const auto found = document.find(key);
    return found != document.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  };
  RunningJob job{.id = string("job_id"),
                 .name = string("name"),
                 .pid = number("pid"),
                 .started_unix_ms = number("started_unix_ms"),
                 .url = string("url")};
  if (job.id.size() != 32 || job.name.empty()) return std::nullopt;
  return job;
}

/// A descriptor that is closed at the end of a block, and its lock with it.
struct OpenFile {
  explicit OpenFile(int number) : descriptor(number) {}
  ~OpenFile() {
    if (descriptor >= 0) ::close(descriptor);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor;
};

std::string read_small(int descriptor) {
  std::string text(kMostBytes, '\0');
  std::size_t total = 0;
  while (total < text.size()) {
    const ssize_t count = ::read(descriptor, text.data() + total, text.size() - total);
    if (count <= 0) break;
    total += static_cast<std::size_t>(count);
  }
  text.resize(total);
  return text;
}

bool is_still_named(int descriptor, const std::string& path) {
  struct stat open_one {};
  struct stat named {};
  return ::fstat(descriptor, &open_one) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

void take_in(const std::string& path, Lost lost, RegisteredJobs& jobs) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.descriptor < 0) return;
  // Shared, so that two commands that look at once do not take each other for the job.
  const bool is_lost = ::flock(file.descriptor, LOCK_SH | LOCK_NB) == 0;
  if (!is_lost && errno != EWOULDBLOCK) return;
  auto job = parse(read_small(file.descriptor));
  if (is_lost) {
    if (!is_still_named(file.descriptor, path)) return;  // it ended just now, in order
    if (lost == Lost::forget) ::unlink(path.c_str());
  }
  if (job) (is_lost ? jobs.lost : jobs.running).push_back(*std::move(job));
}

}  // namespace

namespace {

/// Kills that nobody asks about do not fill the folder.
void forget_many(const std::string& folder) {
  std::error_code problem;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator it(folder, problem), end; !problem && it != end;
       it.increment(problem)) {
    ++count;
  }
  if (count > kMostUntold) registered_jobs(Lost::forget);
}

}  // namespace

Result<std::unique_ptr<Registration>> Registration::enter(const RunningJob& job) {
  const auto state_folder = writable_state_folder();
  if (!state_folder) {
    return Error{.code = ErrorCode::path,
                 .message = "no folder to register the job in",
                 .where = state_folder_name(),
                 .why = "it is not there and cannot be made, or cannot be written to"};
  }
  const std::string folder = folder_in(*state_folder);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return cannot("cannot make the folder to register the job in", folder);
  forget_many(folder);
  const std::string name = fmt::format("{}-{}.json", job.id, job.pid);
  // Under a name that nobody reads until it is locked and whole.
  const std::string hidden = join_path(folder, "." + name);
  const int descriptor =
      ::open(hidden.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return cannot("cannot register the job", hidden);
  std::string path = join_path(folder, name);
  const std::string text = text_of(job);
  const bool is_written =
      ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::rename(hidden.c_str(), path.c_str()) == 0;
  if (!is_written) {
    Error error = cannot("cannot register the job", path);
    ::unlink(hidden.c_str());
    ::close(descriptor);
    return error;
  }
  return std::unique_ptr<Registration>(new Registration(std::move(path), descriptor));
}

Registration::~Registration() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

RegisteredJobs registered_jobs(Lost lost) {
  RegisteredJobs jobs;
  const auto state_folder = present_state_folder();
  if (!state_folder) return jobs;
  std::error_code problem;
  std::filesystem::directory_iterator entries(folder_in(*state_folder), problem);
  if (problem) return jobs;
  std::vector<std::string> paths;
  for (const auto end = std::filesystem::directory_iterator(); entries != end && !problem;
       entries.increment(problem)) {
    const std::string name = entries->path().filename();
    if (!name.starts_with('.') && name.ends_with(".json")) paths.push_back(entries->path());
  }
  for (const std::string& path : paths) take_in(path, lost, jobs);
  const auto by_start = [](const RunningJob& a, const RunningJob& b) {
    return std::pair(a.started_unix_ms, a.id) < std::pair(b.started_unix_ms, b.id);
  };
  std::sort(jobs.running.begin(), jobs.running.end(), by_start);
  std::sort(jobs.lost.begin(), jobs.lost.end(), by_start);
  return jobs;
}

}  // namespace streamrun
