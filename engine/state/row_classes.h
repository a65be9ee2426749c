#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace streamrun {

/// Rows that last changed between the same two snapshots, or whose values lie in the same piece of
/// a snapshot: a byte beside each slot says which. 0 is an empty slot.
using RowClass = std::uint8_t;
constexpr std::size_t kRowClasses = 256;
template <typename T>
using PerClass = std::array<T, kRowClasses>;

/// What a snapshot takes of a class.
enum class Take : std::uint8_t {
  nothing,
  live,  ///< rows with a state
  all,   ///< also rows that were removed, as tombstones: their key and nothing else
};
using RowSelection = PerClass<Take>;

/// The classes of one table. A row's class changes where its epoch does: the first time that the
/// row changes after a snapshot began. Owned by the table's thread.
struct RowClasses {
  RowClasses() { after_change.fill(of_new); }

  RowClass of_new = 1;                   ///< of a row that is made
  PerClass<RowClass> after_change = {};  ///< of a row of that class once it changes
  PerClass<bool> keeps_removed = {};     ///< a removed row stays: it is still to become a tombstone
  PerClass<bool> has_dropped = {};       ///< a removed row of it has gone
  PerClass<std::int64_t> rows = {};      ///< removed ones included

  void move(RowClass& from, RowClass to) {
    --rows[from];
    ++rows[to];
    from = to;
  }
};

}  // namespace streamrun
