// A table as a cache of the rows in a store: what is looked up comes in, what has changed is
// written back, and groups of rows go when there are too many.
#include <streamrun/state/keyed_table.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace streamrun {
namespace {

/// What is written back at once, at most: a checkpoint's pause.
constexpr std::size_t kMostChanged = 2048;
constexpr std::size_t kLeastChanged = 64;
constexpr std::size_t kChangedBytes = std::size_t{1} << 20U;
/// Values may grow where they are: in so many batches not beyond what those hold.
constexpr std::size_t kBatchesBetweenWrites = 1024;
/// Below it groups would come and go with every batch.
constexpr std::size_t kLeastGroupBytes = std::size_t{4} << 10U;

/// What serialized bytes take as a value, about.
std::size_t heap_bytes_of(std::size_t serialized) {
  return 32 + 3 * serialized;
}
/// The same of a key, short ones of which lie in their row.
std::size_t heap_bytes_of_key(std::size_t serialized) {
  constexpr std::size_t kMostInRow = 18;
  return serialized <= kMostInRow ? 0 : serialized;
}

}  // namespace

void KeyedTableBase::keep_rows_in(RowStore& store) {
  for (const SubTable& table : sub_tables_)
    SR_ASSERT(table.capacity == 0, "rows live in a store from the first one on");
  store_ = &store;
  epoch_ = 2;
  age_of_new_ = 1;
  stored_groups_.resize(sub_tables_.size());
  stored_values_.resize(states_.size());
  // A row that was removed is still to be removed from the store.
  classes_.keeps_removed.fill(true);
  most_changed_ = kMostChanged;
}

void KeyedTableBase::note_changed(std::byte* row, int group) {
  RowHeader& head = header(row);
  stored_group(group).changed.push_back(
      {.slot = static_cast<std::uint32_t>(slot_of(sub_table(group), row)), .stored = head.present});
  ++changed_rows_;
  head.epoch = epoch_;
}

void KeyedTableBase::load_values(std::byte* row, int group, std::size_t key_bytes,
                                 std::uint32_t present, const std::string_view* values) {
  std::size_t bytes = key_bytes;
  for (std::uint32_t left = present; left != 0; left &= left - 1) {
    const int state = std::countr_zero(left);
    const std::string_view value = values[state];
    ByteReader in(value);
    operations_of_state(state).read(in, row + offset_of(state));
    mark_present(row, state);
    if (!in.done()) throw_damaged();
    bytes += value.size();
  }
  note_heap(group, has_trivial_states_ ? heap_bytes_of_key(key_bytes) : heap_bytes_of(bytes));
}

void KeyedTableBase::note_absent(int group, std::size_t key_bytes) {
  note_heap(group, has_trivial_states_ ? heap_bytes_of_key(key_bytes) : heap_bytes_of(key_bytes));
}

void KeyedTableBase::note_heap(int group, std::size_t bytes) {
  stored_group(group).heap_bytes += bytes;
  heap_bytes_ += bytes;
}

void KeyedTableBase::throw_damaged() {
  throw_error(
      {.code = ErrorCode::store_io, .message = "the local database holds rows that can't be read"});
}

void KeyedTableBase::make_room() {
  ++batches_;
  const bool may_have_grown = !has_trivial_states_ && batches_ >= kBatchesBetweenWrites;
  const std::size_t most =
      std::max(store_->most_cached_bytes(), sub_tables_.size() * kLeastGroupBytes);
  // It takes changes again soon, and some memory is cheaper than to wait for that. What changed
  // values hold is not counted yet.
  const std::size_t changed_bytes = changed_rows_ / most_changed_ * kChangedBytes;
  if (store_->is_being_copied() && row_bytes_ + heap_bytes_ + changed_bytes < most + most / 2)
    return;
  if (may_have_grown) {
    write_back();
  } else if (changed_rows_ >= most_changed_) {
    write_some_back();
  }
  for (std::size_t i = 0; i < sub_tables_.size() && row_bytes_ + heap_bytes_ > most; ++i) {
    drop_rows(range_.first + next_dropped_);
    next_dropped_ = (next_dropped_ + 1) % static_cast<int>(sub_tables_.size());
  }
}

void KeyedTableBase::write_back() {
  batches_ = 0;
  if (changed_rows_ == 0) return;
  for (int group = range_.first; group <= range_.last; ++group) write_back(group);
  store_->commit();
}

/// More than comes in a batch, so that what has piled up goes, and little enough for a short pause.
void KeyedTableBase::write_some_back() {
  const std::size_t before = changed_rows_;
  const std::size_t most = 2 * most_changed_;
  for (std::size_t i = 0; i < sub_tables_.size() && before - changed_rows_ < most; ++i) {
    write_back(range_.first + next_written_);
    next_written_ = (next_written_ + 1) % static_cast<int>(sub_tables_.size());
  }
  store_->commit();
}

void KeyedTableBase::write_back(int group) {
  StoredGroup& stored = stored_group(group);
  if (stored.changed.empty()) return;
  const SubTable& table = sub_table(group);
  std::size_t written = 0;
  for (const ChangedRow& changed : stored.changed) {
    std::byte* const row = row_at(table, changed.slot);
    RowHeader& head = header(row);
    stored_key_.clear();
    ByteWriter(stored_key_).u16(static_cast<std::uint16_t>(group));
    write_key(stored_key_, row);
    const std::size_t key_bytes = stored_key_.size();
    std::size_t bytes = key_bytes;
    for (std::uint32_t left = head.present; left != 0; left &= left - 1) {
      const int state = std::countr_zero(left);
      stored_value_.clear();
      ByteWriter out(stored_value_);
      operations_of_state(state).write(out, row + offset_of(state));
      store_->put(state, stored_key_, stored_value_);
      bytes += stored_value_.size();
    }
    for (std::uint32_t left = changed.stored & ~head.present; left != 0; left &= left - 1)
      store_->remove(std::countr_zero(left), stored_key_);
    head.epoch = epoch_ - age_of_new_;
    written += bytes;
    // What the store had was counted when it was read, but for what it has grown since.
    if (changed.stored == 0) {
      note_heap(group, has_trivial_states_ ? heap_bytes_of_key(key_bytes) : heap_bytes_of(bytes));
    } else if (!has_trivial_states_) {
      note_heap(group, bytes / 8);
    }
  }
  const std::size_t count = stored.changed.size();
  most_changed_ = std::clamp(kChangedBytes / std::max<std::size_t>(1, written / count),
                             kLeastChanged, kMostChanged);
  changed_rows_ -= count;
  stored.changed.clear();
}

void KeyedTableBase::drop_rows(int group) {
  if (!stored_group(group).changed.empty()) {
    write_back(group);
    store_->commit();
  }
  heap_bytes_ -= std::exchange(stored_group(group).heap_bytes, 0);
  SubTable& table = sub_table(group);
  if (table.capacity == 0) return;
  for (std::size_t slot = 0; slot < table.capacity; ++slot) {
    std::byte* const row = row_at(table, slot);
    const RowHeader& head = header(row);
    if (head.epoch == 0) continue;
    if (head.present != 0) --live_;
    for (std::uint32_t left = head.present; left != 0; left &= left - 1) {
      const int state = std::countr_zero(left);
      operations_of_state(state).destroy(row + offset_of(state));
    }
    destroy_key(row);
    if (has_classes_) --classes_.rows[table.classes[slot]];
  }
  row_bytes_ -= table.capacity * slot_cost();
  table = SubTable();
  table.rows = empty_row_.get();
  if (group == current_group_) current_row_ = nullptr;
  ++layout_;
}

void KeyedTableBase::drop_all_rows() {
  write_back();
  for (int group = range_.first; group <= range_.last; ++group) drop_rows(group);
}

}  // namespace streamrun
