#pragma once

#include <streamrun/state/keyed_table.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace streamrun {

/// Keyed state as a function sees it: named members of a process function. They stand for the value
/// of the key of the record that is being processed; outside of that they must not be used. A
/// handle is bound to its table when the operator opens.
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
  /// The value's memory, about to change; `present` says whether a value is there.
  void* value_to_change(bool& present) {
    std::byte* const row = table().make_current_row();
    table_->before_change_of_current(row);
    present = table_->has(row, number_);
    if (!present) table_->mark_present(row, number_);
    return row + offset_;
  }
  template <typename V>
  void clear_value() {
    auto* const old = static_cast<V*>(value());
    if (old == nullptr) return;
    std::byte* const row = table_->current_row();
    table_->before_change_of_current(row);
    old->~V();
    table_->mark_absent(row, number_);
  }

 private:
  std::string name_;
  KeyedTableBase* table_ = nullptr;
  int number_ = 0;
  std::size_t offset_ = 0;
};

/// Flink's ValueState: one value a key.
template <Serializable V>
class ValueState : public KeyedStateHandleBase {
 public:
  using KeyedStateHandleBase::KeyedStateHandleBase;

  /// Null if this key has no value. Valid until the next change of any state of the operator.
  const V* get() const { return static_cast<const V*>(value()); }
  V value_or(V fallback) const {
    const V* const found = get();
    return found != nullptr ? *found : std::move(fallback);
  }
  void update(V next) {
    bool present = false;
    void* const at = value_to_change(present);
    if (present) {
      *static_cast<V*>(at) = std::move(next);
    } else {
      ::new (at) V(std::move(next));
    }
  }
  void clear() { clear_value<V>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = "value",
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = TypeSerializer<V>::type_name()},
            operations_of<V>());
  }
};

/// Flink's MapState: a map per key, in order of its keys.
template <Serializable UK, Serializable UV>
class MapState : public KeyedStateHandleBase {
 public:
  using Map = std::map<UK, UV>;
  using KeyedStateHandleBase::KeyedStateHandleBase;

  const UV* get(const UK& key) const {
    const Map& map = entries();
    const auto found = map.find(key);
    return found != map.end() ? &found->second : nullptr;
  }
  bool contains(const UK& key) const { return get(key) != nullptr; }
  void put(const UK& key, UV mapped) { map_to_change().insert_or_assign(key, std::move(mapped)); }
  void remove(const UK& key) {
    if (!contains(key)) return;
    Map& map = map_to_change();
    map.erase(key);
    if (map.empty()) clear();
  }
  /// Valid until the next change of any state of the operator.
  const Map& entries() const {
    static const Map kEmpty;
    const auto* const map = static_cast<const Map*>(value());
    return map != nullptr ? *map : kEmpty;
  }
  bool empty() const { return entries().empty(); }
  void clear() { clear_value<Map>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = "map",
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = TypeSerializer<Map>::type_name()},
            operations_of<Map>());
  }

 private:
  Map& map_to_change() {
    bool present = false;
    void* const at = value_to_change(present);
    return present ? *static_cast<Map*>(at) : *::new (at) Map();
  }
};

template <typename S>
concept KeyedStateMember = std::is_base_of_v<KeyedStateHandleBase, S>;

/// Binds all states of a function: those that `states()` names (`return std::tie(count, last);`),
/// else those among its members if it is a plain struct. A function without state needs neither.
template <typename F>
void bind_states(F& function, KeyedTableBase& table, const std::string& key_type) {
  const auto bind_all = [&](auto&... member) {
    const auto bind_one = [&](auto& one) {
      if constexpr (KeyedStateMember<std::remove_cvref_t<decltype(one)>>) one.bind(table, key_type);
    };
    (bind_one(member), ...);
  };
  if constexpr (requires { function.states(); }) {
    std::apply(bind_all, function.states());
  } else if constexpr (PlainStruct<F>) {
    std::apply(bind_all, fields_of(function));
  }
}

}  // namespace streamrun
