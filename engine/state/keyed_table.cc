#include <streamrun/platform/populate.h>
#include <streamrun/state/keyed_table.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace streamrun {
namespace {

constexpr std::size_t kMaxStates = 32;
constexpr std::size_t kFirstCapacity = 16;
/// Rows of one key group that are emitted as one block at the latest, as they are held until then.
constexpr std::size_t kBlockBytes = std::size_t{128} * 1024;
/// Slots that are lent as one block: what a write among them costs, if it comes before the reader.
constexpr std::size_t kLentBytes = std::size_t{32} * 1024;

void prefetch_to_write(const char* at, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i, 1);
}

std::size_t aligned(std::size_t offset, std::size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

constexpr std::size_t kCacheLine = 64;
/// Memory of a sub-table from which on it is worth a system call.
constexpr std::size_t kPopulatedBytes = std::size_t{256} * 1024;
/// A row that is copied counts as so many slots that are looked at.
constexpr std::size_t kCopyCost = 32;
/// Slots that are looked at for rows to copy before that is counted.
constexpr std::size_t kLookedAt = 4096;
/// And at least so many a key group, which takes time too.
constexpr std::size_t kGroupCost = 16;
/// Below it memory is cheap and a wrong guess of the branch at the end of a probe is not.
constexpr std::size_t kSmallCapacity = 1024;

/// How many rows a sub-table holds before it grows: 25 % to 35 % while it is small, 74 % to 84 %
/// later. Sub-tables fill evenly, so all would grow in the same moment if their limits were not
/// spread.
std::size_t limit_of(std::size_t capacity, int group) {
  const auto spread = static_cast<std::size_t>(group * 37 % 101);
  return capacity * ((capacity <= kSmallCapacity ? 250 : 740) + spread) / 1000;
}

/// In small steps once memory counts: what is empty right after one is the waste.
std::size_t next_capacity(std::size_t capacity) {
  return capacity < 2 * kSmallCapacity ? capacity * 2 : capacity + capacity / 8;
}

/// Calls `use(slot)` for each slot whose class is selected. Most are not: eight are dismissed at a
/// time.
template <typename F>
void for_each_selected(const RowClass* classes, std::size_t first, std::size_t end,
                       const RowSelection& selection, F&& use) {
  const auto taken = [&](std::size_t slot) {
    return static_cast<unsigned>(selection[classes[slot]]);
  };
  std::size_t slot = first;
  for (; slot + 8 <= end; slot += 8) {
    const unsigned any = taken(slot) | taken(slot + 1) | taken(slot + 2) | taken(slot + 3) |
                         taken(slot + 4) | taken(slot + 5) | taken(slot + 6) | taken(slot + 7);
    if (any == 0) continue;
    for (std::size_t i = slot; i < slot + 8; ++i) {
      if (taken(i) != 0) use(i);
    }
  }
  for (; slot < end; ++slot) {
    if (taken(slot) != 0) use(slot);
  }
}

}  // namespace

KeyedTableBase::KeyedTableBase(int max_parallelism, KeyGroupRange range, std::size_t header_offset,
                               std::size_t key_alignment)
    : max_parallelism_(max_parallelism),
      range_(range),
      header_offset_(header_offset),
      row_alignment_(std::max<std::size_t>(key_alignment, 8)),
      stride_(aligned(header_offset + sizeof(RowHeader), row_alignment_)),
      sub_tables_(static_cast<std::size_t>(std::max(0, range.size()))),
      empty_row_(std::make_unique<std::byte[]>(header_offset + sizeof(RowHeader))) {
  for (SubTable& table : sub_tables_) table.rows = empty_row_.get();
}

void KeyedTableBase::track_classes() {
  if (has_classes_) return;
  has_classes_ = true;
  for (SubTable& table : sub_tables_) {
    if (table.capacity == 0) continue;
    table.classes = std::make_unique<RowClass[]>(table.capacity);
    row_bytes_ += table.capacity * sizeof(RowClass);
    for (std::size_t slot = 0; slot < table.capacity; ++slot) {
      if (header(row_at(table, slot)).epoch != 0) table.classes[slot] = classes_.of_new;
    }
    classes_.rows[classes_.of_new] += static_cast<std::int64_t>(table.used);
  }
}

int KeyedTableBase::add_state(StateDescription description, ValueOperations operations) {
  SR_ASSERT(states_.size() < kMaxStates, "an operator has at most 32 states");
  for (const StateDescription& other : descriptions_) {
    if (other.name == description.name) {
      throw_error(
          {.code = ErrorCode::job_mismatch,
           .message = "two states of one operator have the name \"" + description.name + "\"",
           .retry = Retry::no});
    }
  }
  for (const SubTable& table : sub_tables_)
    SR_ASSERT(table.capacity == 0, "states are declared before rows");
  const std::size_t end = states_.empty() ? header_offset_ + sizeof(RowHeader)
                                          : states_.back().offset + states_.back().operations.size;
  const std::size_t offset = aligned(end, operations.alignment);
  row_alignment_ = std::max(row_alignment_, operations.alignment);
  stride_ = aligned(offset + operations.size, row_alignment_);
  states_.push_back({.operations = operations, .offset = offset});
  has_ttl_ = has_ttl_ || operations.ttl != 0;
  puts_states_ = puts_states_ && operations.put != nullptr;
  has_trivial_states_ = has_trivial_states_ && operations.is_trivial;
  descriptions_.push_back(std::move(description));
  return static_cast<int>(states_.size()) - 1;
}

void KeyedTableBase::destroy_rows() {
  for (const auto& lent : lent_) lent->take_back();
  for (SubTable& table : sub_tables_) {
    for (std::size_t slot = 0; slot < table.capacity; ++slot) {
      std::byte* const row = row_at(table, slot);
      if (header(row).epoch == 0) continue;
      for (std::size_t i = 0; i < states_.size(); ++i) {
        if (has(row, static_cast<int>(i))) states_[i].operations.destroy(row + states_[i].offset);
      }
      destroy_key(row);
    }
    table.capacity = 0;
  }
}

void KeyedTableBase::mark_present(std::byte* row, int state) {
  std::uint32_t& present = header(row).present;
  if (present == 0) ++live_;
  present |= 1U << static_cast<unsigned>(state);
}

void KeyedTableBase::mark_absent(std::byte* row, int state) {
  std::uint32_t& present = header(row).present;
  present &= ~(1U << static_cast<unsigned>(state));
  if (present == 0) --live_;
}

void KeyedTableBase::restore_value(int state_number, ByteReader& in, std::byte* row) {
  const State& state = states_[static_cast<std::size_t>(state_number)];
  if (state.migration == nullptr) {
    state.operations.read(in, row + state.offset);
  } else {
    std::string bytes;
    ByteWriter out(bytes);
    state.migration->rewrite(in, out, now_);
    ByteReader rewritten(bytes);
    state.operations.read(rewritten, row + state.offset);
    if (!rewritten.done()) in.fail();
  }
  mark_present(row, state_number);
}

std::optional<std::string_view> KeyedTableBase::migrated_value(int state, std::string_view saved,
                                                               std::string& text) const {
  const auto& migration = states_[static_cast<std::size_t>(state)].migration;
  if (migration == nullptr) return saved;
  text.clear();
  ByteReader in(saved);
  ByteWriter out(text);
  migration->rewrite(in, out, now_);
  if (!in.done()) return std::nullopt;
  return text;
}

void KeyedTableBase::refresh_time() {
  if (clock_ != nullptr) now_ = clock_->unix_milliseconds();
  for (State& state : states_) state.dead_since = now_ - state.operations.ttl;
}

void KeyedTableBase::remove_expired(std::size_t rows) {
  if (sub_tables_.empty()) return;
  // Empty slots and groups cost little, but there may be many.
  for (std::size_t steps = 8 * rows; rows > 0 && steps > 0; --steps) {
    const int group = range_.first + clean_up_group_;
    const SubTable& table = sub_table(group);
    if (clean_up_slot_ >= table.capacity) {
      clean_up_slot_ = 0;
      clean_up_group_ = (clean_up_group_ + 1) % static_cast<int>(sub_tables_.size());
      continue;
    }
    std::byte* const row = row_at(table, clean_up_slot_++);
    if (header(row).epoch == 0 || header(row).present == 0) continue;
    remove_expired_of(row, group);
    --rows;
  }
}

void KeyedTableBase::remove_expired_of(std::byte* row, int group) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.operations.ttl == 0 || !has(row, static_cast<int>(i))) continue;
    std::byte* const value = row + state.offset;
    const Liveness left = state.operations.liveness(value, state.dead_since);
    if (left == Liveness::all) continue;
    before_change(row, group);
    if (left == Liveness::some) {
      state.operations.drop_dead(value, state.dead_since);
    } else {
      state.operations.destroy(value);
      mark_absent(row, static_cast<int>(i));
    }
  }
}

void KeyedTableBase::grow(int group) {
  fit(group, std::max(kFirstCapacity, sub_table(group).capacity));
}

void KeyedTableBase::fit(int group, std::size_t capacity) {
  const SubTable& table = sub_table(group);
  // Removed rows fall away if they may, so the size that is needed may even be smaller.
  const PerClass<bool> stays = classes_kept_when_removed(group);
  std::size_t kept = 0;
  for (std::size_t slot = 0; slot < table.capacity; ++slot) {
    const RowHeader& head = header(row_at(table, slot));
    kept += head.epoch != 0 && (head.present != 0 || stays[class_at(table, slot)]) ? 1 : 0;
  }
  while (limit_of(capacity, group) < kept + 1 + kept / 8) {
    capacity = next_capacity(capacity);
  }
  resize(group, capacity);
}

PerClass<bool> KeyedTableBase::classes_kept_when_removed(int group) const {
  PerClass<bool> stays = classes_.keeps_removed;
  for (const TableSnapshot& snapshot : snapshots_) {
    for (std::size_t i = 0; i < kRowClasses; ++i)
      stays[i] = stays[i] || snapshot.waits_for_removed(static_cast<RowClass>(i), group);
  }
  return stays;
}

void KeyedTableBase::reserve(int group, std::size_t rows) {
  std::size_t capacity = kFirstCapacity;
  while (limit_of(capacity, group) < rows + 1) capacity = next_capacity(capacity);
  if (capacity > sub_table(group).capacity) resize(group, capacity);
}

void KeyedTableBase::begin_restore() {
  SR_ASSERT(snapshots_.empty(), "a table is restored before snapshots are taken of it");
  restored_from_ = epoch_ + 1;
  classes_.keeps_removed.fill(true);
}

void KeyedTableBase::end_restore() {
  classes_.keeps_removed.fill(false);
  for (std::size_t i = 0; i < restored_removed_.size(); ++i) {
    const SubTable& table = sub_tables_[i];
    const std::size_t removed = std::exchange(restored_removed_[i], 0);
    // A few take less room than it takes time to move the others.
    if (removed > table.used / 16) fit(range_.first + static_cast<int>(i), kFirstCapacity);
  }
}

void KeyedTableBase::resize(int group, std::size_t capacity) {
  for (TableSnapshot& snapshot : snapshots_) {
    if (!snapshot.done_ && snapshot.group_ == group && snapshot.slot_ > 0) finish_group(snapshot);
    // Copied rows refer to the arena that is about to go.
    if (snapshot.encoder_ != nullptr) emit_pending(snapshot, group);
  }
  reclaim_group(group);
  if (merge_ && merge_->group == group) merge_->slot = 0;  // once more is not wrong
  const PerClass<bool> stays = classes_kept_when_removed(group);
  SubTable& table = sub_table(group);
  ChangedRow* changed = nullptr;
  ChangedRow* changed_end = nullptr;
  if (store_ != nullptr) {
    std::vector<ChangedRow>& rows = stored_group(group).changed;
    std::sort(rows.begin(), rows.end(),
              [](const ChangedRow& a, const ChangedRow& b) { return a.slot < b.slot; });
    changed = rows.data();
    changed_end = changed + rows.size();
  }
  SubTable grown;
  // calloc: an empty slot is all zeros, and fresh pages come zeroed for nothing.
  const std::size_t bytes = capacity * stride_ + kCacheLine;
  grown.memory.reset(static_cast<std::byte*>(std::calloc(bytes, 1)));
  if (grown.memory == nullptr) throw std::bad_alloc();
  // Rows are spread evenly, so every page will be written to.
  if (bytes >= kPopulatedBytes) populate(grown.memory.get(), bytes);
  std::size_t space = bytes;
  void* at = grown.memory.get();
  grown.rows = static_cast<std::byte*>(std::align(kCacheLine, capacity * stride_, at, space));
  if (has_classes_) grown.classes = std::make_unique<RowClass[]>(capacity);
  row_bytes_ += (capacity - table.capacity) * slot_cost();
  ++layout_;
  grown.capacity = capacity;
  grown.limit = limit_of(capacity, group);
  for (std::size_t slot = 0; slot < table.capacity; ++slot) {
    std::byte* const row = row_at(table, slot);
    const RowHeader head = header(row);
    if (head.epoch == 0) continue;
    const RowClass row_class = class_at(table, slot);
    if (head.present == 0 && !stays[row_class]) {
      destroy_key(row);
      if (has_classes_) --classes_.rows[row_class];
      classes_.has_dropped[row_class] = true;
      continue;
    }
    std::size_t to = position_of(hash_of_row(row), capacity);
    while (header(row_at(grown, to)).epoch != 0) {
      if (++to == capacity) to = 0;
    }
    std::byte* const target = row_at(grown, to);
    relocate_key(target, row, *grown.arena);
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (has(row, static_cast<int>(i))) {
        states_[i].operations.relocate(target + states_[i].offset, row + states_[i].offset);
      }
    }
    header(target) = head;
    if (has_classes_) grown.classes[to] = row_class;
    ++grown.used;
    if (changed != changed_end && changed->slot == slot) {
      changed->slot = static_cast<std::uint32_t>(to);
      ++changed;
    }
  }
  if (group == current_group_) current_row_ = nullptr;
  table = std::move(grown);
}

TableSnapshot& KeyedTableBase::start_snapshot(TableSnapshot::EmitBlock emit,
                                              const RowSelection* selection) {
  SR_ASSERT(store_ == nullptr, "a table takes no snapshots of rows in a store");
  TableSnapshot& snapshot = snapshots_.emplace_back();
  snapshot.epoch_ = ++epoch_;
  SR_ASSERT(epoch_ != 0, "2^32 snapshots in one life");
  SR_ASSERT(selection == nullptr || has_classes_, "a selection is one of classes");
  snapshot.group_ = range_.first;
  snapshot.pending_.resize(sub_tables_.size());
  snapshot.is_full_ = selection == nullptr;
  if (selection != nullptr) snapshot.selection_ = *selection;
  snapshot.encoder_ = make_encoder(epoch_, selection != nullptr);
  snapshot.emit_ = std::move(emit);
  return snapshot;
}

void KeyedTableBase::end_snapshot(const TableSnapshot& snapshot) {
  snapshots_.remove_if([&](const TableSnapshot& other) { return &other == &snapshot; });
  forget_returned();
}

void KeyedTableBase::save_for_snapshots(std::byte* row, int group) {
  if (store_ != nullptr) return note_changed(row, group);
  reclaim(row, group);
  RowHeader& head = header(row);
  const SubTable& table = sub_table(group);
  RowClass* const its_class = has_classes_ ? &table.classes[slot_of(table, row)] : nullptr;
  for (TableSnapshot& snapshot : snapshots_) {
    if (!snapshot.takes(head, its_class != nullptr ? *its_class : classes_.of_new)) continue;
    const bool passed = snapshot.done_ || group < snapshot.group_ ||
                        (group == snapshot.group_ && row < row_at(table, snapshot.slot_));
    if (!passed) save_row(snapshot, row, group);
  }
  head.epoch = epoch_;
  if (its_class != nullptr) classes_.move(*its_class, classes_.after_change[*its_class]);
}

void KeyedTableBase::save_row(TableSnapshot& snapshot, std::byte* row, int group) {
  TableSnapshot::Pending& pending =
      snapshot.pending_[static_cast<std::size_t>(group - range_.first)];
  if (snapshot.encoder_ != nullptr) {
    char* const to = pending.bytes.extend(stride_);
    std::memcpy(to, row, stride_);
    prefetch_to_write(to + stride_, stride_);  // for the next row of this group
    ++pending.rows;
  } else {
    write_row(pending, row, !snapshot.is_full_);
  }
  emit_if_full(snapshot, group);
}

std::size_t KeyedTableBase::take_rows(TableSnapshot& snapshot, std::size_t count) {
  const int group = snapshot.group_;
  const std::size_t first = snapshot.slot_;
  snapshot.slot_ += count;
  if (!snapshot.is_full_) return save_selected(snapshot, first, count);
  if (snapshot.assigned_) assign_passed(snapshot, first, count);
  std::byte* row = row_at(sub_table(group), first);
  if (snapshot.encoder_ != nullptr) {
    lend_rows(snapshot, row, count);
    return 0;
  }
  std::size_t taken = 0;
  for (; count > 0; --count, row += stride_) {
    if (!belongs_to(snapshot.epoch_, header(row))) continue;
    save_row(snapshot, row, group);
    ++taken;
  }
  return taken;
}

std::size_t KeyedTableBase::save_selected(TableSnapshot& snapshot, std::size_t first,
                                          std::size_t count) {
  const int group = snapshot.group_;
  const SubTable& table = sub_table(group);
  // All first: then the loads of the rows overlap.
  selected_.clear();
  for_each_selected(table.classes.get(), first, first + count, snapshot.selection_,
                    [&](std::size_t slot) {
                      selected_.push_back(static_cast<std::uint32_t>(slot));
                      const std::byte* const row = row_at(table, slot);
                      for (std::size_t i = 0; i < stride_; i += 64) __builtin_prefetch(row + i);
                    });
  for (const std::uint32_t slot : selected_) {
    std::byte* const row = row_at(table, slot);
    SR_ASSERT(header(row).epoch < snapshot.epoch_,
              "S7: a row that changed after a snapshot began is in none of its classes");
    if (snapshot.takes(header(row), table.classes[slot])) save_row(snapshot, row, group);
  }
  return selected_.size();
}

void KeyedTableBase::assign_passed(TableSnapshot& snapshot, std::size_t first, std::size_t count) {
  const PerClass<RowClass>& assigned = *snapshot.assigned_;
  RowClass* const classes = sub_table(snapshot.group_).classes.get();
  for (std::size_t slot = first; slot < first + count; ++slot) {
    const RowClass to = assigned[classes[slot]];
    if (to != classes[slot]) classes_.move(classes[slot], to);
  }
}

void KeyedTableBase::reuse_class(RowClass row_class) {
  SR_ASSERT(classes_.rows[row_class] == 0 && !is_merging(row_class),
            "a class that gets another meaning has no rows");
  for (TableSnapshot& snapshot : snapshots_) {
    snapshot.selection_[row_class] = Take::nothing;
    if (snapshot.assigned_) (*snapshot.assigned_)[row_class] = row_class;
  }
  classes_.has_dropped[row_class] = false;
}

bool KeyedTableBase::are_alike(RowClass a, RowClass b) const {
  return std::all_of(snapshots_.begin(), snapshots_.end(), [&](const TableSnapshot& snapshot) {
    const auto& assigned = snapshot.assigned_;
    return snapshot.selection_[a] == snapshot.selection_[b] &&
           (!assigned || ((*assigned)[a] == a) == ((*assigned)[b] == b));
  });
}

void KeyedTableBase::start_merge(const PerClass<RowClass>& to) {
  SR_ASSERT(!merge_, "one merge of classes at a time");
  merge_ = Merge{.to = to, .group = range_.first};
}

bool KeyedTableBase::is_merging(RowClass row_class) const {
  if (!merge_) return false;
  for (std::size_t i = 0; i < kRowClasses; ++i) {
    if (merge_->to[i] != i && (i == row_class || merge_->to[i] == row_class)) return true;
  }
  return false;
}

bool KeyedTableBase::advance_merge(std::size_t slots) {
  for (; merge_->group <= range_.last; ++merge_->group, merge_->slot = 0) {
    const SubTable& table = sub_table(merge_->group);
    const std::size_t end = std::min(table.capacity, merge_->slot + slots);
    slots -= end - merge_->slot;
    for (std::size_t& slot = merge_->slot; slot < end; ++slot)
      table.classes[slot] = merge_->to[table.classes[slot]];
    if (merge_->slot < table.capacity) return false;
  }
  for (std::size_t i = 0; i < kRowClasses; ++i) {
    const RowClass to = merge_->to[i];
    if (to == i) continue;
    classes_.rows[to] += std::exchange(classes_.rows[i], 0);
    classes_.has_dropped[to] = classes_.has_dropped[to] || classes_.has_dropped[i];
  }
  merge_.reset();
  return true;
}

void KeyedTableBase::lend_rows(TableSnapshot& snapshot, const std::byte* row, std::size_t count) {
  const int group = snapshot.group_;
  const SubTable& table = sub_table(group);
  if (table.used == 0) return;
  forget_returned();
  const std::size_t most = std::max<std::size_t>(1, kLentBytes / stride_);
  while (count > 0) {
    const std::size_t slots = std::min(count, most);
    auto lent = std::make_shared<LentRows>(group, row, slots * stride_);
    lent_.push_back(lent);
    lent_from_ = lent_.size() == 1 ? group : std::min(lent_from_, group);
    lent_to_ = lent_.size() == 1 ? group : std::max(lent_to_, group);
    snapshot.spare_ = snapshot.emit_({.key_group = group,
                                      .bytes = std::exchange(snapshot.spare_, {}),
                                      .encoder = snapshot.encoder_,
                                      .lent = std::move(lent),
                                      .texts = table.arena});
    row += slots * stride_;
    count -= slots;
  }
}

void KeyedTableBase::reclaim_lent(const std::byte* row, int group) {
  for (const auto& lent : lent_) {
    if (lent->group() == group && lent->contains(row)) lent->take_back();
  }
}

void KeyedTableBase::reclaim_group(int group) {
  for (const auto& lent : lent_) {
    if (lent->group() == group) lent->take_back();
  }
}

void KeyedTableBase::forget_returned() {
  // One that only the table holds was dropped unread, with its snapshot. To destroy it, not to use
  // it again: the count alone orders nothing.
  std::erase_if(lent_, [](const std::shared_ptr<LentRows>& lent) {
    return lent->is_back() || lent.use_count() == 1;
  });
  lent_from_ = 1;
  lent_to_ = 0;
  if (lent_.empty()) return;
  const auto [first, last] =
      std::minmax_element(lent_.begin(), lent_.end(),
                          [](const auto& a, const auto& b) { return a->group() < b->group(); });
  lent_from_ = (*first)->group();
  lent_to_ = (*last)->group();
}

void KeyedTableBase::emit_if_full(TableSnapshot& snapshot, int group) {
  const auto& pending = snapshot.pending_[static_cast<std::size_t>(group - range_.first)];
  if (pending.bytes.size() >= kBlockBytes) [[unlikely]]
    emit_pending(snapshot, group);
}

void KeyedTableBase::emit_pending(TableSnapshot& snapshot, int group) {
  TableSnapshot::Pending& pending =
      snapshot.pending_[static_cast<std::size_t>(group - range_.first)];
  if (pending.rows == 0) return;
  SnapshotBlock block{.key_group = group,
                      .rows = std::exchange(pending.rows, 0),
                      .bytes = std::exchange(pending.bytes, {}),
                      .encoder = snapshot.encoder_,
                      .lent = {},
                      .texts = {}};
  if (block.encoder != nullptr) block.texts = sub_table(group).arena;
  pending.bytes = snapshot.emit_(std::move(block));
}

void KeyedTableBase::emit_passed(TableSnapshot& snapshot) {
  if (!snapshot.done_) emit_pending(snapshot, snapshot.group_);
}

std::size_t KeyedTableBase::finish_group(TableSnapshot& snapshot) {
  const int group = snapshot.group_;
  const std::size_t taken = take_rows(snapshot, sub_table(group).capacity - snapshot.slot_);
  emit_pending(snapshot, group);
  // Its memory goes on with the next group.
  const auto index = static_cast<std::size_t>(group - range_.first);
  StateBytes spare = std::exchange(snapshot.pending_[index].bytes, {});
  if (index + 1 < snapshot.pending_.size() && snapshot.pending_[index + 1].bytes.empty())
    snapshot.pending_[index + 1].bytes = std::move(spare);
  ++snapshot.group_;
  snapshot.slot_ = 0;
  if (snapshot.group_ > range_.last) snapshot.done_ = true;
  return taken;
}

bool KeyedTableBase::advance(TableSnapshot& snapshot, std::size_t slots) {
  if (range_.size() <= 0) snapshot.done_ = true;
  while (!snapshot.done_ && slots > 0) {
    const std::size_t left = sub_table(snapshot.group_).capacity - snapshot.slot_;
    const std::size_t most = snapshot.is_full_ ? slots : std::min(slots, kLookedAt);
    std::size_t cost = std::min(left, most);
    const std::size_t taken = left <= most ? finish_group(snapshot) : take_rows(snapshot, cost);
    if (!snapshot.is_full_) cost += kCopyCost * taken;
    if (left <= most) cost = std::max(cost, snapshot.is_full_ ? 1 : kGroupCost);
    slots -= std::min(slots, cost);
  }
  return snapshot.done_;
}

}  // namespace streamrun
