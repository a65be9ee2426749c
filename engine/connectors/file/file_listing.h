#pragma once

#include <streamrun/storage/file_systems.h>

#include <string>
#include <vector>

namespace streamrun {

/// A path to read, as a person gave it, and what it stands for.
struct InputPath {
  Place place;
  /// It was read already, so that it is no error if it is not there any more.
  bool may_be_gone = false;
};

/// The files that some paths lead to, sorted by path. Of several names of one file the first one is
/// in `files`, the others in `other_names`.
struct InputListing {
  std::vector<FileStatus> files;
  std::vector<std::string> other_names;
};

/// Looks for files; blocking. E-PATH if a path does not exist or a pattern matches nothing, and,
/// unless `may_be_empty`, if no file is found at all. With `may_be_empty` a pattern may match
/// nothing in a folder that exists.
Result<InputListing> list_input(const std::vector<InputPath>& paths, bool may_be_empty);

}  // namespace streamrun
