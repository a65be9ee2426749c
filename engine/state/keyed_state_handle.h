#pragma once

#include <streamrun/state/keyed_table.h>
#include <streamrun/state/state_ttl.h>

#include <chrono>
#include <cstdint>
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
  /// A time to live of less than a millisecond is E-USAGE.
  explicit KeyedStateHandleBase(std::string name, const StateTtlConfig& ttl = {})
      : name_(std::move(name)), ttl_(ttl) {
    if (!ttl_.is_enabled()) return;
    ttl_milliseconds_ = std::chrono::duration_cast<std::chrono::milliseconds>(ttl_.ttl).count();
    if (ttl_milliseconds_ > 0) return;
    throw_error({.code = ErrorCode::usage,
                 .message = "state \"" + name_ + "\": a time to live is at least a millisecond",
                 .retry = Retry::no});
  }
  const std::string& name() const { return name_; }

 protected:
  KeyedTableBase& table() const {
    SR_ASSERT(table_ != nullptr,
              "keyed state is used only while a record of a keyed stream is processed");
    return *table_;
  }
  void bind_to(KeyedTableBase& table, StateDescription description,
               const ValueOperations& operations) {
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
  /// Makes the value the result of `change(old)`, or of `first()` where there is none to see.
  template <typename V, typename First, typename Change>
  void change_or_place(First&& first, Change&& change) {
    if (!has_ttl()) {
      auto* const old = static_cast<V*>(value_to_change());
      if (old == nullptr) {
        place<V>(first());
      } else {
        change(*old);
      }
      return;
    }
    note_access();
    auto* const old = static_cast<Timed<V>*>(value_to_change());
    if (old == nullptr) {
      place<Timed<V>>({first(), now()});
      return;
    }
    if (is_hidden(*old)) {
      old->value = first();
    } else {
      change(old->value);
    }
    old->last_access = now();
  }
  /// The value of the current key as a reader sees it, or null: with a time to live that is an
  /// access.
  template <typename V>
  const V* read_value() const {
    void* const at = value();
    if (!has_ttl() || at == nullptr) return static_cast<const V*>(at);
    note_access();
    auto& timed = *static_cast<Timed<V>*>(at);
    if (is_hidden(timed)) {
      clear_value<Timed<V>>();
      return nullptr;
    }
    if (is_touched_by_read(timed)) {
      value_to_change();
      timed.last_access = now();
    }
    return &timed.value;
  }
  template <typename V>
  void clear_read_value() const {
    if (has_ttl()) {
      clear_value<Timed<V>>();
    } else {
      clear_value<V>();
    }
  }
  template <typename V>
  void bind_value(KeyedTableBase& table, const char* kind, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = kind,
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = has_ttl() ? TypeSerializer<Timed<V>>::type_name()
                                     : TypeSerializer<V>::type_name()},
            has_ttl() ? operations_of_timed<V>(ttl_milliseconds_) : operations_of<V>());
  }
  /// The same for a container that is one of these two.
  template <typename Plain, typename TimedParts>
  void bind_parts(KeyedTableBase& table, const char* kind, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = kind,
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = has_ttl() ? TypeSerializer<TimedParts>::type_name()
                                     : TypeSerializer<Plain>::type_name()},
            has_ttl() ? operations_of_timed_parts<TimedParts>(ttl_milliseconds_)
                      : operations_of<Plain>());
  }

  // Times to live.
  bool has_ttl() const { return ttl_milliseconds_ != 0; }
  std::int64_t now() const { return table().now(); }
  std::int64_t dead_since() const { return now() - ttl_milliseconds_; }
  void note_access() const { table().owe_clean_up(ttl_.cleanup_size); }
  bool hides_expired() const {
    return ttl_.visibility == StateTtlConfig::Visibility::never_return_expired;
  }
  template <typename V>
  bool is_hidden(const Timed<V>& timed) const {
    return hides_expired() && detail::is_dead(timed, dead_since());
  }
  /// Whether a read is an access that makes it younger. What has expired stays so.
  template <typename V>
  bool is_touched_by_read(const Timed<V>& timed) const {
    return ttl_.update_type == StateTtlConfig::UpdateType::on_read_and_write &&
           timed.last_access != now() && !detail::is_dead(timed, dead_since());
  }
  /// A container of parts with times, as a reader sees it, or null. `touch`: that is an access.
  template <typename Parts>
  const Parts* read_parts(bool touch) const {
    note_access();
    auto* const parts = static_cast<Parts*>(value());
    if (parts == nullptr) return nullptr;
    if (hides_expired()) {
      const Liveness left = detail::liveness_of(*parts, dead_since());
      if (left == Liveness::none) {
        clear_value<Parts>();
        return nullptr;
      }
      if (left == Liveness::some) {
        value_to_change();
        detail::erase_dead(*parts, dead_since());
      }
    }
    if (touch && ttl_.update_type == StateTtlConfig::UpdateType::on_read_and_write)
      touch_parts(*parts);
    return parts;
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
  template <typename Parts>
  void touch_parts(Parts& parts) const {
    value_to_change();
    for (auto& part : parts) {
      auto& timed = detail::timed_of(part);
      if (is_touched_by_read(timed)) timed.last_access = now();
    }
  }

  std::string name_;
  StateTtlConfig ttl_;
  std::int64_t ttl_milliseconds_ = 0;  ///< 0: none
  KeyedTableBase* table_ = nullptr;
  int number_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace streamrun
