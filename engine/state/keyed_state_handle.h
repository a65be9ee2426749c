#pragma once

#include <streamrun/state/keyed_table.h>

#include <new>
#include <string>
#include <utility>

namespace streamrun {

/// Keyed state as a function sees it: named members of a process function. They stand for the value
/// of the key of the record that is being processed; outside of that they must not be used. A
/// handle is bound to its table when the operator opens; names differ within an operator.
///
/// What a handle hands out is valid until the next change of any state of the operator, and no
/// longer: here it lies in a row of the table, elsewhere it may be a decoded copy that the handle
/// keeps. For the same reason nobody gets a container to work on: a store that holds each entry of
/// a map under a key of its own, or appends to a list without reading it, can stand behind the same
/// operations.
class KeyedStateHandleBase {
 public:
  explicit KeyedStateHandleBase(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 protected:
  KeyedTableBase& table() const {
    SR_ASSERT(table_ != nullptr,
              "keyed state is used only while a record of a keyed stream is processed");
    return *table_;
  }
  void bind_to(KeyedTableBase& table, StateDescription description, ValueOperations operations) {
    number_ = table.add_state(std::move(description), operations);
    offset_ = table.offset_of(number_);
    table_ = &table;
  }
  /// The value of the current key, or null.
  void* value() const {
    std::byte* const row = table().current_row();
    return row != nullptr && table_->has(row, number_) ? row + offset_ : nullptr;
  }
  /// The same, about to change.
  void* value_to_change() const {
    void* const at = value();
    if (at != nullptr) table_->before_change_of_current(table_->current_row());
    return at;
  }
  /// Gives the current key, which has none, a value.
  template <typename V>
  V& place(V fresh) {
    std::byte* const row = table().make_current_row();
    table_->before_change_of_current(row);
    V* const placed = ::new (row + offset_) V(std::move(fresh));
    table_->mark_present(row, number_);
    return *placed;
  }
  template <typename V>
  V& value_or_place() {
    auto* const old = static_cast<V*>(value_to_change());
    return old != nullptr ? *old : place(V());
  }
  template <typename V>
  void clear_value() const {
    auto* const old = static_cast<V*>(value_to_change());
    if (old == nullptr) return;
    old->~V();
    table_->mark_absent(table_->current_row(), number_);
  }

 private:
  std::string name_;
  KeyedTableBase* table_ = nullptr;
  int number_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace streamrun
