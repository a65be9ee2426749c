#pragma once

#include <streamrun/state/keyed_state_handle.h>
#include <streamrun/types/container_serializers.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace streamrun {

namespace detail {

/// The order of a map's keys: that of their type, but of reals as Java's `compare`, so that NaN is
/// a key like any other, one of them, and -0.0 another than 0.0.
template <typename K>
bool key_less(const K& a, const K& b) {
  if constexpr (std::floating_point<K>) {
    if (a == b) return std::signbit(a) && !std::signbit(b);
    return a < b || (std::isnan(b) && !std::isnan(a));
  } else {
    return a < b;
  }
}
template <typename A, typename B>
bool key_less(const std::pair<A, B>& a, const std::pair<A, B>& b) {
  if (key_less(a.first, b.first)) return true;
  return !key_less(b.first, a.first) && key_less(a.second, b.second);
}
template <typename K>
struct KeyOrder {
  bool operator()(const K& a, const K& b) const { return key_less(a, b); }
};

}  // namespace detail

template <typename K, typename V>
struct TypeSerializer<std::map<K, V, detail::KeyOrder<K>>>
    : detail::MapSerializer<std::map<K, V, detail::KeyOrder<K>>> {};

/// Flink's MapState: a map per key, in order of its keys. A key with an empty map has no state.
template <Serializable UK, Serializable UV>
class MapState : public KeyedStateHandleBase {
  using Map = std::map<UK, UV, detail::KeyOrder<UK>>;
  using TimedMap = std::map<UK, Timed<UV>, detail::KeyOrder<UK>>;

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
      explicit Iterator(typename TimedMap::const_iterator at) : timed_at_(at), is_timed_(true) {}
      reference operator*() const {
        return is_timed_ ? Part::of({timed_at_->first, timed_at_->second.value})
                         : Part::of({at_->first, at_->second});
      }
      Iterator& operator++() {
        if (is_timed_) {
          ++timed_at_;
        } else {
          ++at_;
        }
        return *this;
      }
      bool operator==(const Iterator& other) const {
        return is_timed_ ? timed_at_ == other.timed_at_ : at_ == other.at_;
      }

     private:
      typename Map::const_iterator at_{};
      typename TimedMap::const_iterator timed_at_{};
      bool is_timed_ = false;
    };

    Iterator begin() const { return begin_; }
    Iterator end() const { return end_; }
    bool empty() const { return begin_ == end_; }

   private:
    friend class MapState;
    template <typename M>
    explicit Range(const M& map) : begin_(map.begin()), end_(map.end()) {}

    Iterator begin_;
    Iterator end_;
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
    if (has_ttl()) return get_timed(key);
    const auto* const map = static_cast<const Map*>(value());
    if (map == nullptr) return nullptr;
    const auto found = map->find(key);
    return found != map->end() ? &found->second : nullptr;
  }
  bool contains(const UK& key) const { return get(key) != nullptr; }
  bool empty() const {
    return has_ttl() ? read_parts<TimedMap>(false) == nullptr : value() == nullptr;
  }
  auto entries() const { return range<WholeEntry>(); }
  auto keys() const { return range<KeyPart>(); }
  auto values() const { return range<ValuePart>(); }

  void put(const UK& key, UV mapped) {
    if (has_ttl()) {
      note_access();
      value_or_place<TimedMap>().insert_or_assign(key, Timed<UV>{std::move(mapped), now()});
    } else {
      value_or_place<Map>().insert_or_assign(key, std::move(mapped));
    }
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
    if (has_ttl()) {
      note_access();
      remove_from<TimedMap>(key);
    } else {
      remove_from<Map>(key);
    }
  }
  void clear() {
    if (has_ttl()) {
      clear_value<TimedMap>();
    } else {
      clear_value<Map>();
    }
  }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_parts<Map, TimedMap>(table, "map", key_type);
  }

 private:
  const UV* get_timed(const UK& key) const {
    note_access();
    auto* const map = static_cast<TimedMap*>(value());
    if (map == nullptr) return nullptr;
    const auto found = map->find(key);
    if (found == map->end()) return nullptr;
    Timed<UV>& timed = found->second;
    if (is_hidden(timed)) {
      remove_from<TimedMap>(key);
      return nullptr;
    }
    if (is_touched_by_read(timed)) {
      value_to_change();
      timed.last_access = now();
    }
    return &timed.value;
  }
  template <typename M>
  void remove_from(const UK& key) const {
    auto* const map = static_cast<M*>(value());
    if (map == nullptr || map->find(key) == map->end()) return;
    if (map->size() == 1) return clear_value<M>();
    value_to_change();
    map->erase(key);
  }
  template <typename Part>
  Range<Part> range() const {
    static const Map kEmpty;
    if (has_ttl()) {
      const auto* const map = read_parts<TimedMap>(true);
      return map != nullptr ? Range<Part>(*map) : Range<Part>(kEmpty);
    }
    const auto* const map = static_cast<const Map*>(value());
    return Range<Part>(map != nullptr ? *map : kEmpty);
  }
};

}  // namespace streamrun
