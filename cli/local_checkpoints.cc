#include "local_checkpoints.h"

#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "assemble.h"
#include "checkpoint_roots.h"
#include "load.h"

namespace streamrun {
namespace {

constexpr std::size_t kMost = 64;

using Found = std::vector<std::pair<std::int64_t, std::string>>;  // modified, path

void add_folders_in(FileSystem& files, const std::string& folder, bool look_inside_jobs,
                    Found& found) {
  const auto content = files.list(folder);
  if (!content) return;
  for (const FileStatus& status : *content) {
    if (status.kind != FileKind::directory) continue;
    if (look_inside_jobs && job_id_of_name(base_name(status.path))) {
      add_folders_in(files, status.path, false, found);
    } else if (const auto metadata = files.status(join_path(status.path, kMetadataName))) {
      found.emplace_back(metadata->modified_unix_milliseconds, status.path);
    }
  }
}

}  // namespace

std::vector<std::string> local_checkpoints() {
  const std::unique_ptr<FileSystems> stores = make_file_systems({});
  const auto local = stores->of_scheme("file");
  if (!local) return {};
  Found found;
  for (const Place& root : configured_roots(load_quietly({}, {}, {}, "").configuration, *stores)) {
    if (root.store == *local) add_folders_in(**local, root.path, true, found);
  }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > kMost) found.resize(kMost);
  const std::string inside = working_directory() + "/";
  std::vector<std::string> paths;
  for (const auto& [modified, path] : found) {
    paths.push_back(path.starts_with(inside) ? path.substr(inside.size()) : path);
  }
  return paths;
}

}  // namespace streamrun
