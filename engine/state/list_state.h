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

      explicit Iterator(const ListElement<T>* at) : at_(at) {}
      const T& operator*() const { return at_->value; }
      const T* operator->() const { return &at_->value; }
      Iterator& operator++() {
        ++at_;
        return *this;
      }
      bool operator==(const Iterator&) const = default;

     private:
      const ListElement<T>* at_;
    };

    Elements(const ListElement<T>* first, const ListElement<T>* last)
        : first_(first), last_(last) {}
    Iterator begin() const { return Iterator(first_); }
    Iterator end() const { return Iterator(last_); }
    bool empty() const { return first_ == last_; }

   private:
    const ListElement<T>* first_;
    const ListElement<T>* last_;
  };

  using KeyedStateHandleBase::KeyedStateHandleBase;

  Elements get() const {
    const auto* const list = static_cast<const List*>(value());
    if (list == nullptr) return Elements(nullptr, nullptr);
    return Elements(list->data(), list->data() + list->size());
  }
  void add(T element) { value_or_place<List>().push_back({std::move(element)}); }
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
  void clear() { clear_value<List>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = "list",
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = TypeSerializer<List>::type_name()},
            operations_of<List>());
  }

 private:
  using List = std::vector<ListElement<T>>;

  template <typename Range>
  void append(const Range& elements) {
    auto next = elements.begin();
    if (next == elements.end()) return;
    List& list = value_or_place<List>();
    for (; next != elements.end(); ++next) list.push_back({T(*next)});
  }
  template <typename Range>
  void replace(const Range& elements) {
    List list;
    for (auto next = elements.begin(); next != elements.end(); ++next) list.push_back({T(*next)});
    if (list.empty()) return clear();
    value_or_place<List>() = std::move(list);
  }
};

}  // namespace streamrun
