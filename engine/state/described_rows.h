#pragma once

#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// One key of a snapshot with all its values, as JSON.
struct DescribedRow {
  int key_group = 0;
  std::string key;
  std::vector<std::optional<std::string>> values;  ///< by state, in the handle's order
};

/// Reads the rows of a handle without the job that wrote it: `use` gets each and says whether it
/// wants more. Paths are absolute. E-STATE-MISSING, E-STATE-CORRUPT with file and offset,
/// E-META-VERSION for types that this version does not know. Blocks.
Result<void> read_described_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                 const std::function<bool(DescribedRow)>& use);

/// Whether `key` (JSON) is what a person wrote: `word`, `42`, `["a",1]`.
bool is_key(const std::string& key, const std::string& written);

}  // namespace streamrun
