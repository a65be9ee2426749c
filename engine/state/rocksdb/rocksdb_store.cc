#include "rocksdb_store.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "row_iterator.h"

namespace streamrun {
namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

RocksDbStore::RocksDbStore(std::shared_ptr<Database> database, std::shared_ptr<WriteGate> gate,
                           std::size_t most_batch_bytes,
                           std::function<std::size_t()> most_cached_bytes)
    : database_(std::move(database)),
      gate_(std::move(gate)),
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

void RocksDbStore::read_many(const std::vector<std::string>& keys, const UseFound& use) {
  const std::size_t count = keys.size();
  const std::size_t states = values_.size();
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  keys_.clear();
  for (const std::size_t index : order_) keys_.push_back(slice(keys[index]));
  if (found_.size() < states * count) found_.resize(states * count);
  statuses_.resize(states * count);
  for (std::size_t state = 0; state < states; ++state) {
    rocksdb::PinnableSlice* const found = &found_[state * count];
    for (std::size_t i = 0; i < count; ++i) found[i].Reset();
    database_->db().MultiGet(rocksdb::ReadOptions(), database_->family(static_cast<int>(state)),
                             count, keys_.data(), found, &statuses_[state * count],
                             /*sorted_input=*/true);
  }
  std::vector<std::string_view> values(states);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t present = 0;
    for (std::size_t state = 0; state < states; ++state) {
      const rocksdb::Status& status = statuses_[state * count + i];
      if (status.IsNotFound()) continue;
      database_->check(status);
      const rocksdb::PinnableSlice& found = found_[state * count + i];
      present |= 1U << state;
      values[state] = {found.data(), found.size()};
    }
    use(order_[i], present, values.data());
  }
  // They hold on to blocks of the cache.
  for (rocksdb::PinnableSlice& found : found_) found.Reset();
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
  gate_->wait_until_open();
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
