#pragma once

#include <streamrun/base/key_groups.h>
#include <streamrun/platform/clock.h>
#include <streamrun/state/lent_rows.h>
#include <streamrun/state/row_classes.h>
#include <streamrun/state/row_store.h>
#include <streamrun/state/state_file.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/types/key_traits.h>
#include <streamrun/types/type_migration.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// How much of a value with a time to live has not expired.
enum class Liveness { all, some, none };

/// What a table can do with a value whose type it does not know.
struct ValueOperations {
  std::size_t size;
  std::size_t alignment;
  void (*destroy)(void* value);
  void (*relocate)(void* to, void* from);
  void (*write)(ByteWriter& out, const void* value);
  void (*read)(ByteReader& in, void* uninitialised);
  // Null for a type that can't be written straight to memory.
  std::size_t (*most_bytes)(const void* value);
  char* (*put)(char* to, const void* value);
  bool is_trivial;  ///< a copy of its bytes is a copy of the value
  TypeDescriptor (*describe)();

  // Of a value with a time to live, else none of it. What was last used at `dead_since`
  // (milliseconds since 1970) or before has expired.
  std::int64_t ttl = 0;  ///< milliseconds
  Liveness (*liveness)(const void* value, std::int64_t dead_since) = nullptr;
  // Of a value of several parts that expire one by one.
  void (*drop_dead)(void* value, std::int64_t dead_since) = nullptr;
  void (*write_live)(ByteWriter& out, const void* value, std::int64_t dead_since) = nullptr;
  char* (*put_live)(char* to, const void* value, std::int64_t dead_since) = nullptr;
};

template <Serializable V>
ValueOperations operations_of() {
  static_assert(alignof(V) <= 16, "a state value is aligned to at most 16 bytes");
  std::size_t (*most_bytes)(const void*) = nullptr;
  char* (*put)(char*, const void*) = nullptr;
  if constexpr (PutSerializable<V>) {
    most_bytes = [](const void* value) {
      return TypeSerializer<V>::most_bytes(*static_cast<const V*>(value));
    };
    put = [](char* to, const void* value) {
      return TypeSerializer<V>::put(to, *static_cast<const V*>(value));
    };
  }
  return {
      .size = sizeof(V),
      .alignment = alignof(V),
      .destroy = [](void* value) { static_cast<V*>(value)->~V(); },
      .relocate =
          [](void* to, void* from) {
            ::new (to) V(std::move(*static_cast<V*>(from)));
            static_cast<V*>(from)->~V();
          },
      .write =
          [](ByteWriter& out, const void* value) {
            TypeSerializer<V>::write(out, *static_cast<const V*>(value));
          },
      .read = [](ByteReader& in,
                 void* uninitialised) { TypeSerializer<V>::read(in, *::new (uninitialised) V()); },
      .most_bytes = most_bytes,
      .put = put,
      .is_trivial = std::is_trivially_copyable_v<V>,
      .describe = [] { return describe<V>(); }};
}

/// What follows the key in a row. Epoch 0 is an empty slot. `present` has one bit per state; none
/// is a row that was removed.
struct RowHeader {
  std::uint32_t epoch = 0;
  std::uint32_t present = 0;
};

/// Whether a row belongs to the snapshot that began with `epoch`, as it is. Of one that does not
/// only the epoch is looked at: its owner may be changing the rest.
inline bool belongs_to(std::uint32_t epoch, const RowHeader& head) {
  return head.epoch != 0 && head.epoch < epoch && head.present != 0;
}

/// Makes the payload of a block from slots as they lie in their table. Immutable; any thread.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  /// Appends the rows among the slots that belong to its snapshot; returns how many.
  virtual std::uint32_t encode(const std::byte* slots, std::size_t bytes,
                               StateBytes& block) const = 0;
};

/// Rows of one key group on their way to a snapshot.
struct SnapshotBlock {
  int key_group = 0;
  std::uint32_t rows = 0;  ///< known once it is encoded
  /// Copied rows, empty memory if they are lent, or with neither encoder a payload behind room for
  /// the block's header.
  StateBytes bytes = {};
  std::shared_ptr<const RowEncoder> encoder = {};
  std::shared_ptr<LentRows> lent = {};
  std::shared_ptr<const StringArena> texts = {};  ///< where long keys of such rows lie

  /// What it holds in the table or beside it.
  std::size_t lent_bytes() const { return lent != nullptr ? lent->bytes() : 0; }
  /// Makes `bytes` a payload; `scratch` lends its memory. On any thread.
  void encode(StateBytes& scratch) {
    if (encoder == nullptr) return;
    scratch.clear();
    const auto take = [&](const std::byte* slots, std::size_t size) {
      rows = encoder->encode(slots, size, scratch);
    };
    if (lent != nullptr) {
      lent->read(take);
    } else {
      take(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
    }
    std::swap(bytes, scratch);
    encoder.reset();
    lent.reset();
    texts.reset();
  }
};

/// One snapshot in the making: between batches its cursor moves on over slots, and a write to a row
/// that it has not reached saves that row first. If a copy of a row's bytes is a copy of the row,
/// the slots that the cursor passes are lent to the thread that encodes and writes them, and are
/// taken back by the first write among them; other rows their owner serialises as the cursor
/// passes. A snapshot of some classes finds its rows by the bytes beside the slots, and copies
/// them: they are few.
class TableSnapshot {
 public:
  /// Takes a block and gives empty memory for another.
  using EmitBlock = std::function<StateBytes(SnapshotBlock block)>;
  bool done() const { return done_; }
  /// Whether moving the cursor costs next to nothing.
  bool lends() const { return encoder_ != nullptr && is_full_; }

 private:
  friend class KeyedTableBase;
  template <Key K>
  friend class KeyedTable;
  struct Pending {
    StateBytes bytes;  ///< rows as they were, else a payload from kStateBlockHeader on
    std::uint32_t rows = 0;
  };
  /// Whether a row belongs to it as it is; `row_class` its class.
  bool takes(const RowHeader& head, RowClass row_class) const {
    if (is_full_) return belongs_to(epoch_, head);
    const Take take = selection_[row_class];
    return head.epoch < epoch_ && (take == Take::all || (take == Take::live && head.present != 0));
  }
  /// Whether it has still to take removed rows of that class from that group.
  bool waits_for_removed(RowClass row_class, int group) const {
    return !done_ && group >= group_ && !is_full_ && selection_[row_class] == Take::all;
  }

  std::uint32_t epoch_ = 0;  ///< rows with a lower epoch belong to it as they are
  bool is_full_ = true;
  RowSelection selection_ = {};  ///< unless it is full
  /// Of a full one: the class that each row gets as the cursor passes.
  std::optional<PerClass<RowClass>> assigned_;
  int group_ = 0;
  std::size_t slot_ = 0;
  bool done_ = false;
  StateBytes spare_;                           ///< for the next block that is lent
  std::shared_ptr<const RowEncoder> encoder_;  ///< null: rows are serialised by their owner
  std::vector<Pending> pending_;               ///< by key group; not emitted yet
  EmitBlock emit_;
};

/// Keyed state of one operator in one subtask: open addressing, one sub-table per key group, each
/// row holding the key and the values of all states of that key next to each other, so that a
/// record costs one cache miss. What a row's class is stands beside the rows: what looks for few
/// rows among many reads one byte of each. Invariants:
///   - a row's epoch is that of its last change; it belongs to a snapshot of a higher epoch exactly
///   as it is, or it was
///     saved for it before it changed (S1, S7);
///   - rows move only when their sub-table grows, and then only in one that no cursor stands in the
///   middle of;
///   - of slots that are lent nothing changes but the rows that were changed for a later snapshot:
///   neither an epoch, nor anything in a row that belongs to the snapshot;
///   - with a `RowStore` behind it the table holds some of the rows. It takes no snapshots, and the
///   epoch stays: a row of that epoch was changed and is still to be written to the store, a row of
///   the one before is as the store has it, so that what it says of `present` the store has too.
/// One thread at a time. This base knows the layout; `KeyedTable<K>` knows the key.
class KeyedTableBase {
 public:
  KeyedTableBase(const KeyedTableBase&) = delete;
  KeyedTableBase& operator=(const KeyedTableBase&) = delete;
  virtual ~KeyedTableBase() = default;

  /// Declares a state and returns its number. Before the first row; at most 32, names differ.
  int add_state(StateDescription description, ValueOperations operations);
  const std::vector<StateDescription>& descriptions() const { return descriptions_; }

  /// What the state's values are in this job.
  TypeDescriptor describe_state(int state) const {
    return states_[static_cast<std::size_t>(state)].operations.describe();
  }
  /// Until the next call rows that are restored hold older values of this state, which become those
  /// of the job by `migration`; null: they are the job's own.
  void migrate_state(int state, std::shared_ptr<const TypeMigration> migration) {
    states_[static_cast<std::size_t>(state)].migration = std::move(migration);
  }

  /// Where times to live take the time from; outlives the table. Before rows are restored.
  void use_clock(const Clock& clock) {
    clock_ = &clock;
    refresh_time();
  }
  /// To be called before the records of a batch: state with a time to live sees one time for all of
  /// them, and what they cost in clean-up is paid at the beginning of the next batch; with a store
  /// the table may get rid of rows.
  void begin_batch() {
    if (!has_ttl_ && store_ == nullptr) [[likely]]
      return;
    if (has_ttl_) {
      refresh_time();
      remove_expired(std::exchange(clean_up_owed_, 0));
    }
    if (store_ != nullptr) make_room();
  }

  /// From now on rows live in `store`, which may have some already, and the table holds what was
  /// used last. After the last state was declared, before the first row. Once `store` is gone the
  /// table is only to be destroyed.
  void keep_rows_in(RowStore& store);
  /// Writes what has changed to the store, of which there is little at any time.
  void write_back();
  /// Takes rows apart, without holding them: of one block as `restore_rows`, but a key that stands
  /// twice goes unnoticed. `use` gets a key as the store wants it, and the serialized values that
  /// it has, in the job's types, by state: valid during the call.
  virtual bool split_rows(int group, std::uint32_t rows, std::string_view payload,
                          const std::vector<int>& state_numbers, const RowStore::UseRow& use) = 0;
  /// Of a value as the snapshot has it the bytes in the job's type, for which `text` may lend
  /// memory; nothing on damage.
  std::optional<std::string_view> migrated_value(int state, std::string_view saved,
                                                 std::string& text) const;
  bool is_migrated(int state) const {
    return states_[static_cast<std::size_t>(state)].migration != nullptr;
  }
  /// Between the rows of a long walk over keys: lets go of rows if a store has them. No row is
  /// current after that.
  void let_go_of_rows() {
    if (store_ != nullptr) make_room();
  }
  /// As of the beginning of the batch: milliseconds since 1970.
  std::int64_t now() const { return now_; }
  /// Rows that are to be looked at for expired values, some time later.
  void owe_clean_up(std::size_t rows) { clean_up_owed_ += rows; }

  const ValueOperations& operations_of_state(int state) const {
    return states_[static_cast<std::size_t>(state)].operations;
  }
  std::size_t offset_of(int state) const { return states_[static_cast<std::size_t>(state)].offset; }
  /// Rows with a state that it holds.
  std::uint64_t size() const { return live_; }
  /// Of all slots, empty ones included; long strings and what values point to come on top.
  std::size_t row_bytes() const { return row_bytes_; }
  /// Of one slot.
  std::size_t slot_bytes() const { return stride_; }
  KeyGroupRange key_groups() const { return range_; }

  /// The row of the current key, or null if it has none yet.
  std::byte* current_row() const { return current_row_; }
  /// The row of the current key, made if need be.
  virtual std::byte* make_current_row() = 0;

  RowHeader& header(std::byte* row) const {
    return *reinterpret_cast<RowHeader*>(row + header_offset_);
  }
  bool has(std::byte* row, int state) const {
    return (header(row).present >> static_cast<unsigned>(state) & 1U) != 0;
  }

  /// To be called before a row changes.
  void before_change(std::byte* row, int group) {
    if (header(row).epoch != epoch_) [[unlikely]]
      save_for_snapshots(row, group);
  }
  void before_change_of_current(std::byte* row) { before_change(row, current_group_); }
  /// After `before_change`: the value's memory is constructed (or destroyed) by the caller.
  void mark_present(std::byte* row, int state);
  void mark_absent(std::byte* row, int state);

  /// Fixes the present content as a snapshot, or what `selection` takes of it: constant time.
  /// `emit` gets its blocks during `advance`.
  TableSnapshot& start_snapshot(TableSnapshot::EmitBlock emit,
                                const RowSelection* selection = nullptr);
  /// Rows that a full snapshot takes from now on get the class that stands here for their own.
  void assign_classes(TableSnapshot& snapshot, const PerClass<RowClass>& assigned) {
    snapshot.assigned_ = assigned;
  }
  /// Emits what it has passed and not emitted yet.
  void emit_passed(TableSnapshot& snapshot);
  /// Takes up to about `slots` further slots, less if there is much to copy. The last part is
  /// emitted when it returns true: done.
  bool advance(TableSnapshot& snapshot, std::size_t slots);
  /// Forgets a snapshot, done or not. What is lent stays so.
  void end_snapshot(const TableSnapshot& snapshot);
  /// How many are not ended.
  std::size_t snapshots_under_way() const { return snapshots_.size(); }

  /// From here on rows have classes, which costs a byte each and a look at it when they change. A
  /// pass over the rows that are there; without it every snapshot takes all.
  void track_classes();
  RowClasses& classes() { return classes_; }
  const RowClasses& classes() const { return classes_; }
  /// A class without rows gets another meaning: no snapshot under way takes what it gets.
  void reuse_class(RowClass row_class);
  /// Whether snapshots under way treat the rows of both as one.
  bool are_alike(RowClass a, RowClass b) const;
  /// Rows of class c get class `to[c]`, which is one of its own (`to[to[c]] == to[c]`), slice by
  /// slice: until then either may be met. One at a time.
  void start_merge(const PerClass<RowClass>& to);
  bool is_merging() const { return merge_.has_value(); }
  /// Whether such a class takes part.
  bool is_merging(RowClass row_class) const;
  /// Up to `slots` further slots; true at the end, when `rows` of the classes that went is 0.
  bool advance_merge(std::size_t slots);

  /// Rows of a snapshot's key group follow: piece by piece, the newest first, so that a key that is
  /// there already is newer than what a piece says of it. A row without a state, which was removed,
  /// hides older ones until the end, which comes after the last group, when it goes.
  void begin_restore();
  void begin_restored_piece() {
    ++epoch_;
    restored_removed_.resize(sub_tables_.size());
  }
  void end_restore();
  /// Adds the rows of one block. The states of the file in its order, by their numbers here. False
  /// on damage: also if a key stands twice in a piece, is there from another snapshot, or belongs
  /// to another group.
  virtual bool restore_rows(int group, std::uint32_t rows, std::string_view payload,
                            const std::vector<int>& state_numbers) = 0;
  void reserve(int group, std::size_t rows);
  /// Changes whenever rows move.
  std::uint64_t layout() const { return layout_; }

 protected:
  struct SubTable {
    struct Free {
      void operator()(std::byte* bytes) const { std::free(bytes); }
    };
    std::unique_ptr<std::byte, Free> memory;
    std::unique_ptr<RowClass[]> classes;  ///< of each slot; null unless they are tracked
    std::byte* rows = nullptr;  ///< in `memory`, at the beginning of a cache line; with capacity 0
                                ///< the table's `empty_row_`
    std::size_t capacity = 0;
    std::size_t used = 0;   ///< slots that are not empty, removed rows included
    std::size_t limit = 0;  ///< `used` beyond which it grows
    /// Shared with blocks of copied rows, which only read what was there when they were copied.
    std::shared_ptr<StringArena> arena = std::make_shared<StringArena>();
  };
  struct State {
    ValueOperations operations;
    std::size_t offset = 0;
    std::int64_t dead_since = 0;  ///< see `ValueOperations`; as of the beginning of the batch
    std::shared_ptr<const TypeMigration> migration = {};

    bool is_dead(const std::byte* row) const {
      return operations.ttl != 0 && operations.liveness(row + offset, dead_since) == Liveness::none;
    }
    void write(ByteWriter& out, const std::byte* row) const {
      if (operations.write_live != nullptr)
        return operations.write_live(out, row + offset, dead_since);
      operations.write(out, row + offset);
    }
    char* put(char* to, const std::byte* row) const {
      if (operations.put_live != nullptr) return operations.put_live(to, row + offset, dead_since);
      return operations.put(to, row + offset);
    }
  };
  /// Those of the states in `present` that a snapshot takes of a row: not what has expired.
  [[gnu::always_inline]] static std::uint32_t live_states(std::uint32_t present,
                                                          const std::byte* row,
                                                          const std::vector<State>& states) {
    for (std::uint32_t left = present; left != 0; left &= left - 1) {
      if (states[static_cast<std::size_t>(std::countr_zero(left))].is_dead(row)) [[unlikely]]
        present &= ~(left & -left);
    }
    return present;
  }
  /// Reads the value of a state that the row has not yet.
  void restore_value(int state, ByteReader& in, std::byte* row);

  // With a store.
  /// A row that was changed since it was read or written, and the states that the store has of it.
  struct ChangedRow {
    std::uint32_t slot;
    std::uint32_t stored;
  };
  struct StoredGroup {
    std::vector<ChangedRow> changed;
    std::size_t heap_bytes = 0;  ///< beside its slots, about
  };
  StoredGroup& stored_group(int group) {
    return stored_groups_[static_cast<std::size_t>(group - range_.first)];
  }
  virtual void write_key(std::string& to, const std::byte* row) const = 0;
  /// Puts the values that the store has read into a new row.
  void load_values(std::byte* row, int group, std::size_t key_bytes, std::uint32_t present,
                   const std::string_view* values);
  /// Of a new row without a state, as the store has none of the key.
  void note_absent(int group, std::size_t key_bytes);
  void drop_all_rows();
  [[noreturn]] static void throw_damaged();

  KeyedTableBase(int max_parallelism, KeyGroupRange range, std::size_t header_offset,
                 std::size_t key_alignment);
  void destroy_rows();

  SubTable& sub_table(int group) {
    return sub_tables_[static_cast<std::size_t>(group - range_.first)];
  }
  static std::size_t position_of(std::uint32_t hash, std::size_t capacity) {
    // The key group took the low bits; the multiplication spreads the rest over the high ones.
    return static_cast<std::size_t>((static_cast<std::uint64_t>(hash * 0x9e3779b1U) * capacity) >>
                                    32U);
  }
  std::byte* row_at(const SubTable& table, std::size_t slot) const {
    return table.rows + slot * stride_;
  }
  std::size_t slot_of(const SubTable& table, const std::byte* row) const {
    return static_cast<std::size_t>(row - table.rows) / stride_;
  }
  /// What `row_bytes_` counts of each.
  std::size_t slot_cost() const { return stride_ + (has_classes_ ? sizeof(RowClass) : 0); }
  /// Untracked rows are all of one class.
  RowClass class_at(const SubTable& table, std::size_t slot) const {
    return has_classes_ ? table.classes[slot] : classes_.of_new;
  }
  /// Makes room for one more row. Rows of this group may move.
  void grow(int group);
  /// The same, with a capacity of at least this.
  void fit(int group, std::size_t capacity);
  void resize(int group, std::size_t capacity);

  /// For rows that belong to the snapshot of this epoch, and with `removed_too` those without a
  /// state; null if their owner has to serialise them.
  virtual std::shared_ptr<const RowEncoder> make_encoder(std::uint32_t epoch,
                                                         bool removed_too) const = 0;
  /// Serialises one row.
  virtual void write_row(TableSnapshot::Pending& pending, std::byte* row,
                         bool removed_too) const = 0;
  /// Takes what belongs to the snapshot of `count` slots from its cursor on, and moves the cursor.
  /// Returns how many rows it copied or serialised.
  std::size_t take_rows(TableSnapshot& snapshot, std::size_t count);
  /// Before an epoch changes: nobody else reads the slot afterwards.
  void reclaim(const std::byte* row, int group) {
    if (group < lent_from_ || group > lent_to_) [[likely]]
      return;
    reclaim_lent(row, group);
  }
  void emit_if_full(TableSnapshot& snapshot, int group);
  virtual std::uint32_t hash_of_row(const std::byte* row) const = 0;
  virtual void relocate_key(std::byte* to, std::byte* from, StringArena& arena) const = 0;
  virtual void destroy_key(std::byte* row) const = 0;

  // Constant after the first row.
  int max_parallelism_;
  KeyGroupRange range_;
  std::size_t header_offset_;
  std::size_t row_alignment_;
  std::size_t stride_;
  std::vector<State> states_;
  bool puts_states_ = true;         ///< all of them can be put
  bool has_trivial_states_ = true;  ///< all of them
  bool has_ttl_ = false;            ///< any of them
  std::vector<StateDescription> descriptions_;

  bool has_classes_ = false;
  RowClasses classes_;
  std::vector<SubTable> sub_tables_;
  std::list<TableSnapshot> snapshots_;
  std::vector<std::shared_ptr<LentRows>> lent_;  ///< perhaps back already; few
  int lent_from_ = 1;                            ///< their groups lie between these two
  int lent_to_ = 0;
  std::uint64_t live_ = 0;
  std::size_t row_bytes_ = 0;  ///< of all sub-tables
  std::uint64_t layout_ = 0;
  std::unique_ptr<std::byte[]>
      empty_row_;  ///< up to its header: what a sub-table without rows shows
  std::uint32_t epoch_ = 1;
  std::byte* current_row_ = nullptr;
  int current_group_ = 0;
  RowStore* store_ = nullptr;
  std::uint32_t age_of_new_ = 0;                 ///< what a new row's epoch is behind the table's
  std::vector<StoredGroup> stored_groups_;       ///< with a store, by key group
  std::vector<std::string_view> stored_values_;  ///< by state; between calls only its memory
  std::string stored_key_;                       ///< the same

  std::uint32_t restored_from_ = 1;              ///< epoch of the snapshot's newest piece
  std::vector<std::uint32_t> restored_removed_;  ///< rows without a state, by key group

 private:
  void make_room();
  void note_changed(std::byte* row, int group);
  void note_heap(int group, std::size_t bytes);
  void write_back(int group);
  void write_some_back();
  void drop_rows(int group);
  void refresh_time();
  /// Looks at about so many further rows, around the table.
  void remove_expired(std::size_t rows);
  void remove_expired_of(std::byte* row, int group);
  struct Merge {
    PerClass<RowClass> to;
    int group = 0;
    std::size_t slot = 0;
  };
  void save_for_snapshots(std::byte* row, int group);
  void save_row(TableSnapshot& snapshot, std::byte* row, int group);
  std::size_t save_selected(TableSnapshot& snapshot, std::size_t first, std::size_t count);
  void assign_passed(TableSnapshot& snapshot, std::size_t first, std::size_t count);
  PerClass<bool> classes_kept_when_removed(int group) const;
  std::size_t finish_group(TableSnapshot& snapshot);
  void lend_rows(TableSnapshot& snapshot, const std::byte* row, std::size_t count);
  void reclaim_lent(const std::byte* row, int group);
  void reclaim_group(int group);
  void forget_returned();
  void emit_pending(TableSnapshot& snapshot, int group);

  const Clock* clock_ = nullptr;
  std::int64_t now_ = 0;
  std::size_t clean_up_owed_ = 0;  ///< rows
  int clean_up_group_ = 0;         ///< from the first of the range on
  std::size_t clean_up_slot_ = 0;
  std::optional<Merge> merge_;
  std::size_t changed_rows_ = 0;           ///< with a store, of all groups
  std::size_t most_changed_ = 0;           ///< so that writing them back is a short pause
  std::size_t heap_bytes_ = 0;             ///< of all groups
  std::size_t batches_ = 0;                ///< since all was written back
  int next_dropped_ = 0;                   ///< group, from the first of the range on
  int next_written_ = 0;                   ///< the same
  std::string stored_value_;               ///< between calls only its memory
  TrivialVector<std::uint32_t> selected_;  ///< slots; between calls only its memory
};

template <Key K>
class KeyedTable final : public KeyedTableBase {
 public:
  using Ref = typename KeyTraits<K>::Ref;
  using Held = typename KeyTraits<K>::Held;
  /// The key stands first in a row, so that a 16-byte key needs no padding.
  static constexpr std::size_t kHeaderOffset = (sizeof(Held) + 3) / 4 * 4;
  static RowHeader& header(std::byte* row) {
    return *reinterpret_cast<RowHeader*>(row + kHeaderOffset);
  }

  KeyedTable(int max_parallelism, KeyGroupRange range)
      : KeyedTableBase(max_parallelism, range, kHeaderOffset, alignof(Held)),
        mask_((max_parallelism & (max_parallelism - 1)) == 0
                  ? static_cast<std::uint32_t>(max_parallelism - 1)
                  : 0) {}
  ~KeyedTable() override { destroy_rows(); }

  int group_of(std::uint32_t hash) const {
    return mask_ != 0 || max_parallelism_ == 1 ? static_cast<int>(hash & mask_)
                                               : key_group_of_hash(hash, max_parallelism_);
  }

  /// The row of a key, or null. `probe` is the key in the form in which rows hold it; its bytes
  /// need not last.
  std::byte* find(const Held& probe, std::uint32_t hash, int group) {
    const SubTable& table = sub_table(group);
    if (table.capacity == 0) return nullptr;
    for (std::size_t slot = position_of(hash, table.capacity);;) {
      std::byte* const row = row_at(table, slot);
      if (header(row).epoch == 0) return nullptr;
      if (KeyTraits<K>::equal(key_of(row), probe)) return row;
      if (++slot == table.capacity) slot = 0;
    }
  }

  /// The row of a key, made (with no state present) if it is not there. Rows of the group may move.
  std::byte* find_or_make(const Held& probe, std::uint32_t hash, int group) {
    SubTable& table = sub_table(group);
    if (table.capacity != 0) {
      for (std::size_t slot = position_of(hash, table.capacity);;) {
        std::byte* const row = row_at(table, slot);
        if (header(row).epoch == 0) break;
        if (KeyTraits<K>::equal(key_of(row), probe)) [[likely]]
          return row;
        if (++slot == table.capacity) slot = 0;
      }
    }
    if (store_ != nullptr) [[unlikely]] {
      if (std::byte* const stored = load(probe, hash, group)) return stored;
    }
    return make(probe, hash, group);
  }

  /// Where to look first for the rows of keys with these hashes, and begins to load them if they
  /// lie beyond the caches close to the core. Done for many keys before the first of them is
  /// compared, so that neither this arithmetic nor memory stands behind a comparison that was
  /// guessed wrongly. Each points to some row, perhaps an empty one, until `layout` changes.
  void locate(const std::uint32_t* hashes, std::size_t count, std::byte** homes) const {
    const bool prefetches = row_bytes_ > kCachedBytes;
    const SubTable* const tables = sub_tables_.data();
    const std::size_t groups = sub_tables_.size();
    const std::size_t waits_from = copied_from();
    const std::size_t copied = std::min(stride_, kMostCopied);
    for (std::size_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(group_of(hashes[i]) - range_.first);
      SR_ASSERT(index < groups, "S3: a record's key group belongs to this subtask");
      homes[i] = row_at(tables[index], position_of(hashes[i], tables[index].capacity));
      if (!prefetches) continue;
      // The next one too: many keys were displaced by one.
      __builtin_prefetch(homes[i], 1);
      __builtin_prefetch(homes[i] + stride_, 1);
      // What a snapshot waits for is copied whole before it changes. The last line of a row that
      // lies across is the first one of the next.
      if (index < waits_from) continue;
      for (std::size_t at = 64; at < copied; at += 64) __builtin_prefetch(homes[i] + at, 1);
    }
  }
  /// The header of a row that has changed since the newest snapshot, so that it may change again as
  /// it is, and that has exactly the states in `present`.
  RowHeader changed_header(std::uint32_t present) const {
    return {.epoch = epoch_, .present = present};
  }
  /// Whether `row` is the one of this key, with exactly this header.
  static bool is_row_of(std::byte* row, const Held& probe, RowHeader expected) {
    return std::bit_cast<std::uint64_t>(header(row)) == std::bit_cast<std::uint64_t>(expected) &&
           KeyTraits<K>::equal(*reinterpret_cast<const Held*>(row), probe);
  }

  /// `home` as `locate` found it.
  void set_current(Ref key, std::uint32_t hash, std::byte* home) {
    current_hash_ = hash;
    current_group_ = group_of(hash);
    current_probe_ = KeyTraits<K>::probe(key);
    const bool is_home =
        header(home).epoch != 0 && KeyTraits<K>::equal(key_of(home), current_probe_);
    current_row_ = is_home ? home : find(current_probe_, hash, current_group_);
    if (current_row_ == nullptr && store_ != nullptr) [[unlikely]]
      current_row_ = load(current_probe_, hash, current_group_);
  }
  void set_current(Ref key, std::uint32_t hash) {
    std::byte* home = nullptr;
    locate(&hash, 1, &home);
    set_current(key, hash, home);
  }
  std::byte* make_current_row() override {
    if (current_row_ == nullptr) current_row_ = make(current_probe_, current_hash_, current_group_);
    return current_row_;
  }

  bool has_store() const { return store_ != nullptr; }
  /// With a store: brings in the rows of records that follow, `count` of them with these hashes, as
  /// far as the table does not hold them; `with_key(i, use)` calls `use` with a record's key. Of a
  /// key that the store does not know either there is an empty row afterwards.
  template <typename WithKey>
  void load_missing(const std::uint32_t* hashes, std::size_t count, WithKey&& with_key) {
    missing_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      with_key(i, [&](Ref key) {
        const int group = group_of(hashes[i]);
        if (find(KeyTraits<K>::probe(key), hashes[i], group) != nullptr) return;
        missing_.push_back(i);
        if (missing_keys_.size() < missing_.size()) missing_keys_.emplace_back();
        set_stored_key(missing_keys_[missing_.size() - 1], group, key);
      });
    }
    if (missing_.empty()) return;
    missing_keys_.resize(missing_.size());
    store_->read_many(missing_keys_, [&](std::size_t index, std::uint32_t present,
                                         const std::string_view* values) {
      const std::size_t i = missing_[index];
      with_key(i, [&](Ref key) {
        const Held probe = KeyTraits<K>::probe(key);
        const int group = group_of(hashes[i]);
        // One key may stand there several times.
        if (find(probe, hashes[i], group) != nullptr) return;
        std::byte* const row = make(probe, hashes[i], group);
        const std::size_t key_bytes = missing_keys_[index].size();
        if (present == 0) return note_absent(group, key_bytes);
        load_values(row, group, key_bytes, present, values);
      });
    });
  }

  Held& key_of(std::byte* row) const { return *reinterpret_cast<Held*>(row); }
  const Held& key_of(const std::byte* row) const { return *reinterpret_cast<const Held*>(row); }

  /// Visits up to about `slots` slots from where `cursor` stands: `use(row, group)` for each row
  /// with a state, which it may change or clear, not add rows. True when the end was reached. For
  /// one operator that empties its table at the end of its input.
  struct Cursor {
    int group = -1;
    std::size_t slot = 0;
    std::string stored;  ///< the last key, of rows in a store
  };
  template <typename F>
  bool visit(Cursor& cursor, std::size_t slots, F&& use) {
    if (store_ != nullptr) [[unlikely]]
      return visit_stored(cursor, slots, use);
    if (cursor.group < 0) cursor.group = range_.first;
    while (cursor.group <= range_.last) {
      const SubTable& table = sub_table(cursor.group);
      for (; cursor.slot < table.capacity; ++cursor.slot) {
        if (slots-- == 0) return false;
        std::byte* const row = row_at(table, cursor.slot);
        if (header(row).epoch != 0 && header(row).present != 0) use(row, cursor.group);
      }
      ++cursor.group;
      cursor.slot = 0;
    }
    return true;
  }

 protected:
  std::shared_ptr<const RowEncoder> make_encoder([[maybe_unused]] std::uint32_t epoch,
                                                 [[maybe_unused]] bool removed_too) const override {
    if constexpr (PutSerializable<K> && std::is_trivially_copyable_v<Held>) {
      if (puts_states_ && has_trivial_states_)
        return std::make_shared<Encoder>(states_, stride_, epoch, removed_too);
    }
    return nullptr;
  }
  void write_row(TableSnapshot::Pending& pending, std::byte* row, bool removed_too) const override {
    StateBytes& bytes = pending.bytes;
    const std::uint32_t present = live_states(header(row).present, row, states_);
    if (present == 0 && !removed_too) return;  // all of it has expired
    if (bytes.empty()) bytes.extend(kStateBlockHeader);
    ++pending.rows;
    if constexpr (PutSerializable<K>) {
      if (puts_states_) return put_row(bytes, row, present, states_);
    }
    std::string text;
    ByteWriter out(text);
    out.varint(present);
    TypeSerializer<K>::write(out, KeyTraits<K>::view(key_of(row)));
    for (std::uint32_t left = present; left != 0; left &= left - 1)
      states_[static_cast<std::size_t>(std::countr_zero(left))].write(out, row);
    std::copy(text.begin(), text.end(), bytes.extend(text.size()));
  }
  bool restore_rows(int group, std::uint32_t rows, std::string_view payload,
                    const std::vector<int>& state_numbers) override {
    ByteReader in(payload);
    for (; rows > 0; --rows) {
      const std::uint64_t present = in.varint();
      if (in.failed() || present >> state_numbers.size() != 0) return false;
      const auto [row, is_new] = restore_key(group, in);
      if (row == nullptr) return false;
      if (present == 0 && is_new)
        ++restored_removed_[static_cast<std::size_t>(group - range_.first)];
      for (std::size_t i = 0; i < state_numbers.size(); ++i) {
        if ((present >> i & 1U) == 0) continue;
        if (is_new) {
          restore_value(state_numbers[i], in, row);
        } else {
          skip_value(in, states_[static_cast<std::size_t>(state_numbers[i])]);
        }
      }
      if (in.failed()) return false;
    }
    return in.done();
  }
  bool split_rows(int group, std::uint32_t rows, std::string_view payload,
                  const std::vector<int>& state_numbers, const RowStore::UseRow& use) override {
    std::vector<std::string> texts(states_.size());
    std::vector<std::string_view> values(states_.size());
    std::string key;
    ByteReader in(payload);
    for (; rows > 0; --rows) {
      const std::uint64_t saved = in.varint();
      if (in.failed() || saved >> state_numbers.size() != 0) return false;
      const ReadKey read = read_key(in);
      if (in.failed() || group_of(key_hash_of<K>(read)) != group) return false;
      set_stored_key(key, group, read);
      std::uint32_t present = 0;
      for (std::size_t i = 0; i < state_numbers.size(); ++i) {
        if ((saved >> i & 1U) == 0) continue;
        const auto state = static_cast<std::size_t>(state_numbers[i]);
        values[state] = value_text(in, payload, states_[state], texts[state]);
        present |= 1U << state;
      }
      if (in.failed()) return false;
      use(key, present, values.data());
    }
    return in.done();
  }
  void write_key(std::string& to, const std::byte* row) const override {
    ByteWriter out(to);
    TypeSerializer<K>::write(out, KeyTraits<K>::view(key_of(row)));
  }
  std::uint32_t hash_of_row(const std::byte* row) const override {
    return key_hash_of<K>(KeyTraits<K>::view(key_of(row)));
  }
  void relocate_key(std::byte* to, std::byte* from, StringArena& arena) const override {
    Held& old = key_of(from);
    ::new (to) Held(KeyTraits<K>::hold(KeyTraits<K>::view(old), arena));
    old.~Held();
  }
  void destroy_key(std::byte* row) const override { key_of(row).~Held(); }

 private:
  class Encoder final : public RowEncoder {
   public:
    Encoder(std::vector<State> states, std::size_t stride, std::uint32_t epoch, bool removed_too)
        : states_(std::move(states)), stride_(stride), epoch_(epoch), removed_too_(removed_too) {}
    std::uint32_t encode(const std::byte* slots, std::size_t bytes,
                         StateBytes& block) const override {
      block.extend(kStateBlockHeader);
      std::uint32_t rows = 0;
      for (const std::byte* row = slots; row != slots + bytes; row += stride_) {
        prefetch(row + kReadAhead);
        const auto& head = *reinterpret_cast<const RowHeader*>(row + kHeaderOffset);
        if (!belongs_to(epoch_, head) && !removed_too_) continue;
        const std::uint32_t present = live_states(head.present, row, states_);
        // All of it has expired: an increment has to say so.
        if (present == 0 && head.present != 0 && !removed_too_) continue;
        put_row(block, row, present, states_);
        ++rows;
      }
      return rows;
    }

   private:
    /// Bytes ahead at which loading begins: what hardware foresees ends with each page.
    static constexpr std::size_t kReadAhead = 2048;
    void prefetch(const std::byte* row) const {
      for (std::size_t i = 0; i < stride_; i += 64) __builtin_prefetch(row + i, 0);
    }
    const std::vector<State> states_;
    const std::size_t stride_;
    const std::uint32_t epoch_;
    const bool removed_too_;  ///< all are rows that their owner chose
  };

  [[gnu::always_inline]] static void put_row(StateBytes& bytes, const std::byte* row,
                                             std::uint32_t present,
                                             const std::vector<State>& states) {
    decltype(auto) key = KeyTraits<K>::view(*reinterpret_cast<const Held*>(row));
    std::size_t most = kMostVarintBytes + TypeSerializer<K>::most_bytes(key);
    for (std::uint32_t left = present; left != 0; left &= left - 1) {
      const State& state = states[static_cast<std::size_t>(std::countr_zero(left))];
      most += state.operations.most_bytes(row + state.offset);
    }
    const std::size_t before = bytes.size();
    char* const first = bytes.extend(most);
    char* to = TypeSerializer<K>::put(put_varint(first, present), key);
    for (std::uint32_t left = present; left != 0; left &= left - 1)
      to = states[static_cast<std::size_t>(std::countr_zero(left))].put(to, row);
    bytes.truncate(before + static_cast<std::size_t>(to - first));
  }

  /// A text stays where it is until a row holds it.
  using ReadKey = std::conditional_t<std::is_same_v<K, std::string>, std::string_view, K>;
  static ReadKey read_key(ByteReader& in) {
    ReadKey key{};
    if constexpr (std::is_same_v<K, std::string>) {
      key = in.text();
    } else {
      TypeSerializer<K>::read(in, key);
    }
    return key;
  }

  struct RestoredRow {
    std::byte* row;
    bool is_new;  ///< else a newer piece had it
  };
  /// Reads a key and puts a new, empty row for it; null if it is not of this group, or there
  /// already though no newer piece of this snapshot had it.
  RestoredRow restore_key(int group, ByteReader& in) {
    const ReadKey key = read_key(in);
    if (in.failed()) return {nullptr, false};
    const std::uint32_t hash = key_hash_of<K>(key);
    if (group_of(hash) != group) return {nullptr, false};
    const Held probe = KeyTraits<K>::probe(key);
    std::byte* row = find(probe, hash, group);
    if (row == nullptr) return {make(probe, hash, group), true};
    const std::uint32_t epoch = header(row).epoch;
    if (epoch < restored_from_ || epoch == epoch_) row = nullptr;
    return {row, false};
  }
  /// Of what is in the snapshot: another type than the job's if values are migrated.
  void skip_value(ByteReader& in, const State& state) const {
    std::string unused;
    skip_value_into(in, state, unused);
  }
  /// The same; `text` becomes the value in the job's type if that is another.
  void skip_value_into(ByteReader& in, const State& state, std::string& text) const {
    if (state.migration != nullptr) {
      text.clear();
      ByteWriter out(text);
      return state.migration->rewrite(in, out, now());
    }
    const std::unique_ptr<std::byte[]> value(new std::byte[state.operations.size]);
    state.operations.read(in, value.get());
    state.operations.destroy(value.get());
  }

  /// The bytes of a value in the job's type, `in` at what the snapshot has of it.
  std::string_view value_text(ByteReader& in, std::string_view payload, const State& state,
                              std::string& text) const {
    const std::size_t begin = in.offset();
    skip_value_into(in, state, text);
    if (in.failed() || state.migration == nullptr)
      return payload.substr(begin, in.offset() - begin);
    ByteReader rewritten(text);
    const std::unique_ptr<std::byte[]> value(new std::byte[state.operations.size]);
    state.operations.read(rewritten, value.get());
    state.operations.destroy(value.get());
    if (!rewritten.done()) in.fail();
    return text;
  }
  /// As the store wants a key.
  static void set_stored_key(std::string& to, int group, typename KeyTraits<K>::Ref key) {
    to.clear();
    ByteWriter out(to);
    out.u16(static_cast<std::uint16_t>(group));
    TypeSerializer<K>::write(out, key);
  }
  /// The row of a key that the store has; null if it has none.
  [[gnu::noinline]] std::byte* load(const Held& probe, std::uint32_t hash, int group) {
    set_stored_key(stored_key_, group, KeyTraits<K>::view(probe));
    const std::uint32_t present = store_->read(stored_key_, stored_values_.data());
    if (present == 0) return nullptr;
    std::byte* const row = make(probe, hash, group);
    load_values(row, group, stored_key_.size(), present, stored_values_.data());
    return row;
  }
  /// A part of the rows comes into the table, which is emptied for it.
  template <typename F>
  bool visit_stored(Cursor& cursor, std::size_t most, F& use) {
    drop_all_rows();
    return !store_->scan(
        cursor.stored, std::min(most, kVisitedAtOnce),
        [&](std::string_view key, std::uint32_t present, const std::string_view* values) {
          ByteReader in(key);
          const int group = in.u16();
          if (!range_.contains(group)) throw_damaged();
          std::byte* const row = restore_key(group, in).row;
          if (row == nullptr) throw_damaged();
          load_values(row, group, key.size(), present, values);
          use(row, group);
        });
  }
  static constexpr std::size_t kVisitedAtOnce = 1024;

  std::byte* make(const Held& probe, std::uint32_t hash, int group) {
    SubTable* table = &sub_table(group);
    if (table->used >= table->limit) {
      grow(group);
      table = &sub_table(group);
    }
    std::size_t slot = position_of(hash, table->capacity);
    while (header(row_at(*table, slot)).epoch != 0) {
      if (++slot == table->capacity) slot = 0;
    }
    std::byte* const row = row_at(*table, slot);
    reclaim(row, group);
    ::new (row) Held(KeyTraits<K>::hold(KeyTraits<K>::view(probe), *table->arena));
    header(row) = {.epoch = epoch_ - age_of_new_, .present = 0};
    if (has_classes_) {
      table->classes[slot] = classes_.of_new;
      ++classes_.rows[classes_.of_new];
    }
    ++table->used;
    return row;
  }

  /// The first key group, counted from that of the range, of which a full snapshot waits for all
  /// rows: an increment waits for few.
  std::size_t copied_from() const {
    std::size_t from = sub_tables_.size();
    for (const TableSnapshot& snapshot : snapshots_) {
      if (!snapshot.is_full_) continue;
      from = std::min(from, static_cast<std::size_t>(snapshot.group_ - range_.first));
    }
    return from;
  }

  static constexpr std::size_t kCachedBytes = std::size_t{2} << 20U;
  /// Of a row, begun to be loaded before it is copied: of a long one the processor loads the rest.
  static constexpr std::size_t kMostCopied = 256;

  std::uint32_t mask_;
  std::uint32_t current_hash_ = 0;
  std::vector<std::size_t> missing_;       ///< between calls only its memory
  std::vector<std::string> missing_keys_;  ///< the same
  Held current_probe_{};
};

}  // namespace streamrun
