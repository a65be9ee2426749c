#pragma once

#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/types/described_type.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// One key of a snapshot with all its values, as JSON.
struct DescribedRow {
  int key_group = 0;
  std::string key;
  std::vector<std::optional<std::string>> values;  ///< by state, in the handle's order
};

/// Makes described rows of bytes, by the names of the types that a handle records. E-META-VERSION
/// for types that this version does not know. Immutable.
class RowDescriber {
 public:
  static Result<RowDescriber> of(const KeyedStateHandle& handle);
  /// Of a row as in a state file; `in.failed()` on damage.
  DescribedRow read(int key_group, ByteReader& in) const;
  /// Of bytes of the key, and of the values that `present` says are there; nothing on damage.
  std::optional<DescribedRow> describe(int key_group, std::string_view key, std::uint32_t present,
                                       const std::string_view* values) const;

 private:
  RowDescriber(DescribedType key, std::vector<DescribedType> values);
  DescribedType key_;
  std::vector<DescribedType> values_;
};

/// Reads the rows of a handle without the job that wrote it: `use` gets each and says whether it
/// wants more. Paths are absolute. E-STATE-MISSING, E-STATE-CORRUPT with file and offset,
/// E-META-VERSION for types that this version does not know, E-JOB-MISMATCH for files of RocksDB.
/// Blocks.
Result<void> read_described_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                 const std::function<bool(DescribedRow)>& use);

/// Whether `key` (JSON) is what a person wrote: `word`, `42`, `["a",1]`.
bool is_key(const std::string& key, const std::string& written);

}  // namespace streamrun
