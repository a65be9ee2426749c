#pragma once

#include <streamrun/state/row_store.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "database.h"

namespace streamrun {

/// Rows of a table in its database.
class RocksDbStore final : public RowStore {
 public:
  /// `most_batch_bytes`: what is gathered before it is written unasked, 0 for no limit;
  /// `most_cached_bytes` may change from call to call.
  RocksDbStore(std::shared_ptr<Database> database, std::size_t most_batch_bytes,
               std::function<std::size_t()> most_cached_bytes);

  std::uint32_t read(std::string_view key, std::string_view* values) override;
  void put(int state, std::string_view key, std::string_view value) override;
  void remove(int state, std::string_view key) override;
  void commit() override;
  bool scan(std::string& after, std::size_t limit, const UseRow& use) override;
  std::size_t most_cached_bytes() const override { return most_cached_bytes_(); }

 private:
  void commit_if_full();

  const std::shared_ptr<Database> database_;
  const std::size_t most_batch_bytes_;
  const std::function<std::size_t()> most_cached_bytes_;
  rocksdb::WriteBatch batch_;
  std::vector<rocksdb::PinnableSlice> values_;  ///< by state, of the last `read`
};

}  // namespace streamrun
