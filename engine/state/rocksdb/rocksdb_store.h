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
#include "write_gate.h"

namespace streamrun {

/// Rows of a table in its database.
class RocksDbStore final : public RowStore {
 public:
  /// `gate` is closed while the database is being copied. `most_batch_bytes`: what is gathered
  /// before it is written unasked, 0 for no limit; `most_cached_bytes` may change from call to
  /// call.
  RocksDbStore(std::shared_ptr<Database> database, std::shared_ptr<WriteGate> gate,
               std::size_t most_batch_bytes, std::function<std::size_t()> most_cached_bytes);

  std::uint32_t read(std::string_view key, std::string_view* values) override;
  void read_many(const std::vector<std::string>& keys, const UseFound& use) override;
  void put(int state, std::string_view key, std::string_view value) override;
  void remove(int state, std::string_view key) override;
  void commit() override;
  bool is_being_copied() const override { return gate_->is_closed(); }
  bool scan(std::string& after, std::size_t limit, const UseRow& use) override;
  std::size_t most_cached_bytes() const override { return most_cached_bytes_(); }

 private:
  void commit_if_full();

  const std::shared_ptr<Database> database_;
  const std::shared_ptr<WriteGate> gate_;
  const std::size_t most_batch_bytes_;
  const std::function<std::size_t()> most_cached_bytes_;
  rocksdb::WriteBatch batch_;
  std::vector<rocksdb::PinnableSlice> values_;  ///< by state, of the last `read`
  // Of the last `read_many`; between calls only their memory.
  std::vector<std::size_t> order_;
  std::vector<rocksdb::Slice> keys_;
  std::vector<rocksdb::PinnableSlice> found_;  ///< by state, then in the order of the keys
  std::vector<rocksdb::Status> statuses_;      ///< the same
};

}  // namespace streamrun
