#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/base/error.h>
#include <streamrun/state/function_states.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/types/type_serializer.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// Flink's operator state: a member of a function that stands for a subtask as a whole, whatever
/// the key. It is in memory, and each snapshot writes all of it, within its synchronous part.
/// Copies of the function that subtasks get start empty. One that its function does not name would
/// be in no snapshot: to use it is E-CONF, thrown. Owned by the task's thread.
class OperatorStateHandleBase {
 public:
  explicit OperatorStateHandleBase(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  /// The operator knows of it.
  void bind() { is_bound_ = true; }

 protected:
  void require_bound() const {
    if (is_bound_) [[likely]]
      return;
    throw_error({.code = ErrorCode::config,
                 .message = "the operator state \"" + name_ +
                            "\" is used and is not named by its function's states()",
                 .retry = Retry::no});
  }
  template <Serializable T>
  static std::string bytes_of(const T& element) {
    std::string bytes;
    ByteWriter out(bytes);
    TypeSerializer<T>::write(out, element);
    return bytes;
  }
  template <Serializable T>
  T element_of(const std::string& bytes) const {
    ByteReader in(bytes);
    T element{};
    TypeSerializer<T>::read(in, element);
    if (!in.done()) {
      throw_error({.code = ErrorCode::state_corrupt,
                   .message = "an element of the list state \"" + name_ + "\" can't be read",
                   .retry = Retry::no});
    }
    return element;
  }

 private:
  std::string name_;
  bool is_bound_ = false;
};

/// What split and union lists share.
template <Serializable T, Redistribution how>
class OperatorListStateBase : public OperatorStateHandleBase {
 public:
  using OperatorStateHandleBase::OperatorStateHandleBase;

  const std::vector<T>& get() const {
    this->require_bound();
    return elements_;
  }
  void add(T element) {
    this->require_bound();
    elements_.push_back(std::move(element));
  }
  void add_all(const std::vector<T>& elements) {
    this->require_bound();
    elements_.insert(elements_.end(), elements.begin(), elements.end());
  }
  void update(std::vector<T> elements) {
    this->require_bound();
    elements_ = std::move(elements);
  }
  void clear() { elements_.clear(); }

  /// As a snapshot describes it, without elements.
  OperatorListState describe() const {
    return {.name = this->name(),
            .type = TypeSerializer<T>::type_name(),
            .redistribution = how,
            .elements = {}};
  }
  OperatorListState save() const {
    OperatorListState saved = describe();
    for (const T& element : elements_)
      saved.elements.push_back(this->template bytes_of<T>(element));
    return saved;
  }
  void restore(const OperatorListState& saved) {
    elements_.clear();
    for (const std::string& bytes : saved.elements)
      elements_.push_back(this->template element_of<T>(bytes));
  }

 private:
  std::vector<T> elements_;
};

/// Flink's `getListState` of an OperatorStateStore: at another parallelism its elements are dealt
/// out over all subtasks, each to one.
template <Serializable T>
class SplitListState : public OperatorListStateBase<T, Redistribution::split> {
 public:
  using OperatorListStateBase<T, Redistribution::split>::OperatorListStateBase;
};

/// Flink's `getUnionListState`: after a restore each subtask has the elements of all.
template <Serializable T>
class UnionListState : public OperatorListStateBase<T, Redistribution::union_all> {
 public:
  using OperatorListStateBase<T, Redistribution::union_all>::OperatorListStateBase;
};

/// Flink's BroadcastState: a map that is the same in all subtasks, since each gets the same records
/// (`broadcast()`) and does the same with them; a restore gives each a copy. In order of its keys.
template <Serializable K, Serializable V>
class BroadcastState : public OperatorStateHandleBase {
 public:
  using OperatorStateHandleBase::OperatorStateHandleBase;

  /// Null if there is none; valid until the next change.
  const V* get(const K& key) const {
    this->require_bound();
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second : nullptr;
  }
  bool contains(const K& key) const { return get(key) != nullptr; }
  void put(const K& key, V value) {
    this->require_bound();
    entries_.insert_or_assign(key, std::move(value));
  }
  void remove(const K& key) { entries_.erase(key); }
  void clear() { entries_.clear(); }
  const std::map<K, V>& entries() const {
    this->require_bound();
    return entries_;
  }

  OperatorListState describe() const {
    return {.name = name(),
            .type = TypeSerializer<std::pair<K, V>>::type_name(),
            .redistribution = Redistribution::broadcast,
            .elements = {}};
  }
  OperatorListState save() const {
    OperatorListState saved = describe();
    for (const auto& [key, value] : entries_)
      saved.elements.push_back(bytes_of<std::pair<K, V>>({key, value}));
    return saved;
  }
  void restore(const OperatorListState& saved) {
    entries_.clear();
    for (const std::string& bytes : saved.elements)
      entries_.insert(element_of<std::pair<K, V>>(bytes));
  }

 private:
  std::map<K, V> entries_;
};

template <typename S>
concept OperatorStateMember = std::is_base_of_v<OperatorStateHandleBase, std::remove_cvref_t<S>>;

/// `use` for each operator state of a function.
template <typename F, typename Use>
void for_each_operator_state_of(F& function, Use&& use) {
  for_each_state_of(function, [&](auto& member) {
    if constexpr (OperatorStateMember<decltype(member)>) use(member);
  });
}

/// Without elements. Throws E-CONF if two have one name.
template <typename F>
std::vector<OperatorListState> describe_operator_states(F& function) {
  std::vector<OperatorListState> lists;
  for_each_operator_state_of(function, [&](const auto& state) {
    const bool is_known = std::any_of(
        lists.begin(), lists.end(), [&](const auto& other) { return other.name == state.name(); });
    if (is_known) {
      throw_error({.code = ErrorCode::config,
                   .message = "two operator states are called \"" + state.name() + "\"",
                   .retry = Retry::no});
    }
    lists.push_back(state.describe());
  });
  return lists;
}

/// Those that have elements.
template <typename F>
std::vector<OperatorListState> save_operator_states(F& function) {
  std::vector<OperatorListState> lists;
  for_each_operator_state_of(function, [&](const auto& state) {
    OperatorListState saved = state.save();
    if (!saved.elements.empty()) lists.push_back(std::move(saved));
  });
  return lists;
}

/// What is not among `lists` becomes empty.
template <typename F>
void restore_operator_states(F& function, const std::vector<OperatorListState>& lists) {
  for_each_operator_state_of(function, [&](auto& state) {
    state.bind();
    state.clear();
    for (const OperatorListState& list : lists) {
      if (list.name == state.name()) state.restore(list);
    }
  });
}

}  // namespace streamrun
