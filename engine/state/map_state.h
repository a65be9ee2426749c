#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace streamrun {

/// Flink's MapState: a map per key, in order of its keys. A key with an empty map has no state.
template <Serializable UK, Serializable UV>
class MapState : public KeyedStateHandleBase {
  using Map = std::map<UK, UV>;

 public:
  struct Entry {
    const UK& key;
    const UV& value;
  };

  /// What `keys`, `values` and `entries` give, one after another:
  /// `for (const auto& [product, price] : prices.entries())`. Each is valid until the next one is
  /// asked for, and all until the next change of any state of the operator.
  template <typename Part>
  class Range {
   public:
    class Iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = std::remove_cvref_t<decltype(Part::of(std::declval<Entry>()))>;
      using difference_type = std::ptrdiff_t;
      using pointer = void;
      using reference = decltype(Part::of(std::declval<Entry>()));

      explicit Iterator(typename Map::const_iterator at) : at_(at) {}
      reference operator*() const { return Part::of({at_->first, at_->second}); }
      Iterator& operator++() {
        ++at_;
        return *this;
      }
      bool operator==(const Iterator&) const = default;

     private:
      typename Map::const_iterator at_;
    };

    explicit Range(const Map* map) : map_(map) {}
    Iterator begin() const { return Iterator(map_->begin()); }
    Iterator end() const { return Iterator(map_->end()); }
    bool empty() const { return map_->empty(); }

   private:
    const Map* map_;
  };

 private:
  struct WholeEntry {
    static Entry of(const Entry& entry) { return entry; }
  };
  struct KeyPart {
    static const UK& of(const Entry& entry) { return entry.key; }
  };
  struct ValuePart {
    static const UV& of(const Entry& entry) { return entry.value; }
  };

 public:
  using KeyedStateHandleBase::KeyedStateHandleBase;

  /// Null if this key's map has no such entry. Valid until the next change of any state of the
  /// operator.
  const UV* get(const UK& key) const {
    const Map& map = current();
    const auto found = map.find(key);
    return found != map.end() ? &found->second : nullptr;
  }
  bool contains(const UK& key) const { return get(key) != nullptr; }
  bool empty() const { return current().empty(); }
  auto entries() const { return Range<WholeEntry>(&current()); }
  auto keys() const { return Range<KeyPart>(&current()); }
  auto values() const { return Range<ValuePart>(&current()); }

  void put(const UK& key, UV mapped) {
    value_or_place<Map>().insert_or_assign(key, std::move(mapped));
  }
  /// `mapped` is any range of pairs, but not what this state handed out.
  template <typename Pairs>
  void put_all(const Pairs& mapped) {
    for (const auto& [key, each] : mapped) put(key, each);
  }
  void put_all(std::initializer_list<std::pair<const UK, UV>> mapped) {
    for (const auto& [key, each] : mapped) put(key, each);
  }
  void remove(const UK& key) {
    if (!contains(key)) return;
    auto& map = *static_cast<Map*>(value_to_change());
    map.erase(key);
    if (map.empty()) clear();
  }
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
  const Map& current() const {
    static const Map kEmpty;
    const auto* const map = static_cast<const Map*>(value());
    return map != nullptr ? *map : kEmpty;
  }
};

}  // namespace streamrun
