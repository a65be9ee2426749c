#include "rocksdb_store.h"

#include <bit>
#include <utility>

#include "row_iterator.h"

namespace streamrun {
namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

RocksDbStore::RocksDbStore(std::shared_ptr<Database> database, std::size_t most_batch_bytes,
                           std::function<std::size_t()> most_cached_bytes)
    : database_(std::move(database)),
      most_batch_bytes_(most_batch_bytes),
      most_cached_bytes_(std::move(most_cached_bytes)),
      values_(database_->families().size()) {}

std::uint32_t RocksDbStore::read(std::string_view key, std::string_view* values) {
  std::uint32_t present = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i].Reset();
    const rocksdb::Status status = database_->db().Get(
        rocksdb::ReadOptions(), database_->family(static_cast<int>(i)), slice(key), &values_[i]);
    if (status.IsNotFound()) continue;
    database_->check(status);
    present |= 1U << i;
    values[i] = {values_[i].data(), values_[i].size()};
  }
  return present;
}

void RocksDbStore::put(int state, std::string_view key, std::string_view value) {
  database_->check(batch_.Put(database_->family(state), slice(key), slice(value)));
  commit_if_full();
}

void RocksDbStore::remove(int state, std::string_view key) {
  database_->check(batch_.Delete(database_->family(state), slice(key)));
  commit_if_full();
}

void RocksDbStore::commit_if_full() {
  if (most_batch_bytes_ != 0 && batch_.GetDataSize() >= most_batch_bytes_) commit();
}

void RocksDbStore::commit() {
  if (batch_.Count() == 0) return;
  rocksdb::WriteOptions options;
  // A checkpoint is what survives.
  options.disableWAL = true;
  database_->check(database_->db().Write(options, &batch_));
  batch_.Clear();
}

bool RocksDbStore::scan(std::string& after, std::size_t limit, const UseRow& use) {
  RowIterator rows(*database_, rocksdb::ReadOptions());
  if (after.empty()) {
    rows.seek_to_first();
  } else {
    rows.seek_behind(after);
  }
  std::vector<std::string_view> values(values_.size());
  for (; limit > 0 && rows.valid(); --limit) {
    for (std::uint32_t left = rows.present(); left != 0; left &= left - 1) {
      const int state = std::countr_zero(left);
      values[static_cast<std::size_t>(state)] = rows.value(state);
    }
    after.assign(rows.key());
    use(rows.key(), rows.present(), values.data());
    rows.next();
  }
  database_->check(rows.status());
  return rows.valid();
}

}  // namespace streamrun
