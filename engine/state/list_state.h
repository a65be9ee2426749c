#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// An element of a list state. Not a bare T, as a vector of bool has no elements to refer to.
template <typename T>
struct ListElement {
  T value{};
};

/// As a T.
template <typename T>
struct TypeSerializer<ListElement<T>> {
  static TypeDescriptor descriptor() { return describe<T>(); }
  static std::string type_name() { return TypeSerializer<T>::type_name(); }
  static void write(ByteWriter& out, const ListElement<T>& element) {
    TypeSerializer<T>::write(out, element.value);
  }
  static std::size_t most_bytes(const ListElement<T>& element) requires PutSerializable<T> {
    return TypeSerializer<T>::most_bytes(element.value);
  }
  static char* put(char* to, const ListElement<T>& element) requires PutSerializable<T> {
    return TypeSerializer<T>::put(to, element.value);
  }
  static void read(ByteReader& in, ListElement<T>& element) {
    TypeSerializer<T>::read(in, element.value);
  }
};

/// Flink's ListState: a list a key, in the order in which elements were added. A key with an empty
/// list has no state.
template <Serializable T>
class ListState : public KeyedStateHandleBase {
  static_assert(!std::is_empty_v<T>, "an element takes at least one byte");

 public:
  /// The elements one after another: `for (const Event& event : events.get())`. Each is valid until
  /// the next one is asked for, and all until the next change of any state of the operator.
  class Elements {
   public:
    class Iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = T;
      using difference_type = std::ptrdiff_t;
      using pointer = const T*;
      using reference = const T&;

      Iterator(const std::byte* at, std::size_t stride) : at_(at), stride_(stride) {}
      const T& operator*() const { return *reinterpret_cast<const T*>(at_); }
      const T* operator->() const { return reinterpret_cast<const T*>(at_); }
      Iterator& operator++() {
        at_ += stride_;
        return *this;
      }
      bool operator==(const Iterator&) const = default;

     private:
      const std::byte* at_;
      std::size_t stride_;  ///< of an element with or without a time
    };

    Iterator begin() const { return {first_, stride_}; }
    Iterator end() const { return {last_, stride_}; }
    bool empty() const { return first_ == last_; }

   private:
    friend class ListState;
    Elements() = default;
    template <typename Element>
    explicit Elements(const std::vector<Element>& list)
        : first_(reinterpret_cast<const std::byte*>(list.data())),
          last_(first_ + list.size() * sizeof(Element)),
          stride_(sizeof(Element)) {}

    const std::byte* first_ = nullptr;
    const std::byte* last_ = nullptr;
    std::size_t stride_ = 0;
  };

  using KeyedStateHandleBase::KeyedStateHandleBase;

  Elements get() const {
    if (has_ttl()) {
      const auto* const list = read_parts<TimedList>(true);
      return list != nullptr ? Elements(*list) : Elements();
    }
    const auto* const list = static_cast<const List*>(value());
    return list != nullptr ? Elements(*list) : Elements();
  }
  void add(T element) {
    if (has_ttl()) {
      note_access();
      value_or_place<TimedList>().push_back({std::move(element), now()});
    } else {
      value_or_place<List>().push_back({std::move(element)});
    }
  }
  /// `elements` is any range of what makes a T, but not what this state handed out.
  template <typename Range>
  void add_all(Range&& elements) {
    append(elements);
  }
  void add_all(std::initializer_list<T> elements) { append(elements); }
  /// Replaces the list; an empty one leaves no state.
  template <typename Range>
  void update(Range&& elements) {
    replace(elements);
  }
  void update(std::initializer_list<T> elements) { replace(elements); }
  void clear() {
    if (has_ttl()) {
      clear_value<TimedList>();
    } else {
      clear_value<List>();
    }
  }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_parts<List, TimedList>(table, "list", key_type);
  }

 private:
  using List = std::vector<ListElement<T>>;
  using TimedList = std::vector<Timed<T>>;

  template <typename Range>
  void append(const Range& elements) {
    for (auto next = elements.begin(); next != elements.end(); ++next) add(T(*next));
  }
  template <typename Range>
  void replace(const Range& elements) {
    if (has_ttl()) {
      note_access();
      TimedList list;
      for (auto next = elements.begin(); next != elements.end(); ++next)
        list.push_back({T(*next), now()});
      replace_by(std::move(list));
    } else {
      List list;
      for (auto next = elements.begin(); next != elements.end(); ++next) list.push_back({T(*next)});
      replace_by(std::move(list));
    }
  }
  template <typename L>
  void replace_by(L list) {
    if (list.empty()) return clear();
    value_or_place<L>() = std::move(list);
  }
};

}  // namespace streamrun
