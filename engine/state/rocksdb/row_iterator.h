#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>

#include "database.h"

namespace streamrun {

/// The keys of all states of a database in their order, each with the states that it has. Owned by
/// one thread at a time; `database` outlives it.
class RowIterator {
 public:
  RowIterator(Database& database, const rocksdb::ReadOptions& options);

  void seek_to_first();
  /// To the first key behind this one.
  void seek_behind(std::string_view key);
  /// Whether it stands at a key; if not, `status` tells the end from a failure.
  bool valid() const { return present_ != 0; }
  void next();
  rocksdb::Status status() const;

  // Valid until the next move.
  std::string_view key() const { return key_; }
  std::uint32_t present() const { return present_; }
  std::string_view value(int state) const {
    const rocksdb::Slice value = states_[static_cast<std::size_t>(state)]->value();
    return {value.data(), value.size()};
  }

 private:
  void find_least();

  std::vector<std::unique_ptr<rocksdb::Iterator>> states_;
  std::string_view key_;
  std::uint32_t present_ = 0;
};

}  // namespace streamrun
