#include "snapshot_scan.h"

#include <streamrun/base/bytes.h>

#include <bit>
#include <cstring>
#include <utility>

#include "ttl_values.h"

namespace streamrun {
namespace {

/// Read in one go: what is held beside what waits to be written.
constexpr std::size_t kPartBytes = std::size_t{1} << 20U;
/// Rows of one key group in one block, about.
constexpr std::size_t kBlockBytes = std::size_t{128} << 10U;
constexpr std::size_t kReadAhead = std::size_t{1} << 20U;
constexpr std::size_t kKeyGroupBytes = 2;

}  // namespace

SnapshotScan::SnapshotScan(std::shared_ptr<Database> database, const KeyedTableBase& table)
    : database_(std::move(database)), snapshot_(database_->db().GetSnapshot()) {
  for (std::size_t i = 0; i < table.descriptions().size(); ++i) {
    const ValueOperations& operations = table.operations_of_state(static_cast<int>(i));
    states_.push_back({.operations = operations, .dead_since = table.now() - operations.ttl});
  }
  values_.resize(states_.size());
}

SnapshotScan::~SnapshotScan() {
  rows_.reset();
  database_->db().ReleaseSnapshot(snapshot_);
}

Result<std::vector<SnapshotBlock>> SnapshotScan::next() {
  if (!rows_) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    // What is read once would only displace what is read often.
    options.fill_cache = false;
    options.readahead_size = kReadAhead;
    rows_.emplace(*database_, options);
    rows_->seek_to_first();
  }
  std::vector<SnapshotBlock> blocks;
  std::size_t bytes = 0;
  for (; rows_->valid() && bytes < kPartBytes; rows_->next()) {
    ByteReader in(rows_->key());
    const int group = in.u16();
    const bool fits = !blocks.empty() && blocks.back().key_group == group &&
                      blocks.back().bytes.size() < kBlockBytes;
    if (!fits) {
      blocks.push_back({.key_group = group});
      blocks.back().bytes.extend(kStateBlockHeader);
    }
    SnapshotBlock& block = blocks.back();
    const std::size_t before = block.bytes.size();
    if (append_row(block.bytes)) ++block.rows;
    bytes += block.bytes.size() - before;
  }
  done_ = !rows_->valid();
  if (const rocksdb::Status status = rows_->status(); !status.ok())
    return database_->error_of(status);
  std::erase_if(blocks, [](const SnapshotBlock& block) { return block.rows == 0; });
  return blocks;
}

bool SnapshotScan::append_row(StateBytes& bytes) {
  std::uint32_t present = rows_->present();
  const std::string_view key = rows_->key().substr(kKeyGroupBytes);
  std::size_t length = kMostVarintBytes + key.size();
  for (std::uint32_t left = present; left != 0; left &= left - 1) {
    const int number = std::countr_zero(left);
    State& state = states_[static_cast<std::size_t>(number)];
    std::string_view& value = values_[static_cast<std::size_t>(number)];
    value = rows_->value(number);
    if (state.operations.ttl != 0) {
      const Liveness alive = live_part(state.operations, state.dead_since, value, state.rewritten);
      if (alive == Liveness::none) present &= ~(1U << static_cast<unsigned>(number));
      if (alive == Liveness::some) value = state.rewritten;
    }
    length += value.size();
  }
  if (present == 0) return false;
  const std::size_t before = bytes.size();
  char* const first = bytes.extend(length);
  char* to = put_varint(first, present);
  const auto append = [&to](std::string_view part) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  };
  append(key);
  for (std::uint32_t left = present; left != 0; left &= left - 1)
    append(values_[static_cast<std::size_t>(std::countr_zero(left))]);
  bytes.truncate(before + static_cast<std::size_t>(to - first));
  return true;
}

}  // namespace streamrun
