#pragma once

#include <streamrun/base/result.h>

#include <optional>
#include <string>
#include <vector>

#include "name_nodes.h"
#include "webhdfs_answer.h"

namespace streamrun {

// The tree of names that the name nodes keep. What changes it is done once: where its outcome is
// not known, the names themselves tell. All of it blocks.

/// A name in HDFS. The name nodes outlive it.
struct HdfsName {
  NameNodes* nodes = nullptr;
  std::string path;   ///< in HDFS
  std::string where;  ///< the whole URI
};

HdfsName parent_of(const HdfsName& name);

Result<WebHdfsStatus> status_of(const HdfsName& name);
/// Nothing if nothing is there.
Result<std::optional<WebHdfsStatus>> find(const HdfsName& name);
/// E-PATH if the name is not that of a folder.
Result<void> require_folder(const HdfsName& name);

/// What a folder holds, in HDFS's order; in pages, so what comes and goes meanwhile may be missed.
Result<std::vector<WebHdfsStatus>> list(const HdfsName& folder);
/// `false` if it was there.
Result<bool> create_directory(const HdfsName& name);
/// `false` if `to` is taken.
Result<bool> rename_no_replace(const HdfsName& from, const HdfsName& to);
/// Removes a file or an empty folder, if it is of this kind; `false` if it is not there, or a
/// folder that is not empty.
Result<bool> remove(const HdfsName& name, FileKind kind);

}  // namespace streamrun
