#include "redistribution.h"

#include <streamrun/base/key_groups.h>

#include <algorithm>

namespace streamrun {
namespace {

using Subtasks = std::vector<OperatorSubtaskState>;

const OperatorListState* find_list(const OperatorSubtaskState& subtask, const std::string& name) {
  for (const OperatorListState& list : subtask.lists) {
    if (list.name == name) return &list;
  }
  return nullptr;
}

/// Each list once, in the order of first sight, without elements.
std::vector<OperatorListState> lists_of(const Subtasks& subtasks) {
  std::vector<OperatorListState> lists;
  for (const OperatorSubtaskState& subtask : subtasks) {
    for (const OperatorListState& list : subtask.lists) {
      const bool known =
          std::any_of(lists.begin(), lists.end(),
                      [&](const OperatorListState& seen) { return seen.name == list.name; });
      if (known) continue;
      lists.push_back({.name = list.name,
                       .type = list.type,
                       .redistribution = list.redistribution,
                       .elements = {}});
    }
  }
  return lists;
}

/// All elements in subtask order.
std::vector<std::string> elements_of(const Subtasks& subtasks, const std::string& name) {
  std::vector<std::string> elements;
  for (const OperatorSubtaskState& subtask : subtasks) {
    const OperatorListState* list = find_list(subtask, name);
    if (list != nullptr)
      elements.insert(elements.end(), list->elements.begin(), list->elements.end());
  }
  return elements;
}

void give_all(const Subtasks& old, const OperatorListState& list, Subtasks& dealt) {
  OperatorListState whole = list;
  whole.elements = elements_of(old, list.name);
  for (OperatorSubtaskState& subtask : dealt) subtask.lists.push_back(whole);
}

void give_copies(const Subtasks& old, const OperatorListState& list, Subtasks& dealt) {
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    const OperatorListState* copy = find_list(old[i % old.size()], list.name);
    if (copy != nullptr) dealt[i].lists.push_back(*copy);
  }
}

void give_whole(const Subtasks& old, const OperatorListState& list, Subtasks& dealt) {
  for (std::size_t i = 0; i < old.size(); ++i) {
    const OperatorListState* const whole = find_list(old[i], list.name);
    if (whole == nullptr) continue;
    OperatorSubtaskState& to = dealt[i % dealt.size()];
    const auto there =
        std::find_if(to.lists.begin(), to.lists.end(),
                     [&](const OperatorListState& seen) { return seen.name == list.name; });
    if (there == to.lists.end()) {
      to.lists.push_back(*whole);
    } else {
      there->elements.insert(there->elements.end(), whole->elements.begin(), whole->elements.end());
    }
  }
}

/// Returns the subtask at which the next list begins.
std::size_t deal_out(const Subtasks& old, const OperatorListState& list, std::size_t start,
                     Subtasks& dealt) {
  const std::vector<std::string> elements = elements_of(old, list.name);
  const std::size_t each = elements.size() / dealt.size();
  const std::size_t remainder = elements.size() % dealt.size();
  auto next = elements.begin();
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    const auto end = next + static_cast<std::ptrdiff_t>(each + (i < remainder ? 1 : 0));
    OperatorListState part = list;
    part.elements.assign(next, end);
    dealt[(start + i) % dealt.size()].lists.push_back(std::move(part));
    next = end;
  }
  return (start + remainder) % dealt.size();
}

void deal_lists(const Subtasks& old, Subtasks& dealt) {
  const bool in_place = old.size() == dealt.size();
  std::size_t start = 0;
  for (const OperatorListState& list : lists_of(old)) {
    if (list.redistribution == Redistribution::union_all) {
      give_all(old, list, dealt);
    } else if (in_place || list.redistribution == Redistribution::broadcast) {
      give_copies(old, list, dealt);
    } else if (list.redistribution == Redistribution::by_subtask) {
      give_whole(old, list, dealt);
    } else {
      start = deal_out(old, list, start, dealt);
    }
  }
}

void deal_keyed(const OperatorSnapshot& snapshot, Subtasks& dealt) {
  const int parallelism = static_cast<int>(dealt.size());
  for (int i = 0; i < parallelism; ++i) {
    const KeyGroupRange own = key_group_range_of(i, parallelism, snapshot.max_parallelism);
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for (const KeyedStateHandle& handle : subtask.keyed) {
        const KeyGroupRange range = handle.key_groups;
        if (range.first > own.last || range.last < own.first) continue;
        dealt[static_cast<std::size_t>(i)].keyed.push_back(handle);
      }
    }
  }
}

bool overlaps(KeyGroupRange a, KeyGroupRange b) {
  return a.first <= b.last && b.first <= a.last;
}

/// In the order of the old subtasks: the records of one key were all with one of them.
void deal_in_flight(const OperatorSnapshot& snapshot, Subtasks& dealt) {
  const auto old_parallelism = snapshot.subtasks.size();
  const auto range_of = [&](std::size_t subtask, std::size_t parallelism) {
    return key_group_range_of(static_cast<int>(subtask), static_cast<int>(parallelism),
                              snapshot.max_parallelism);
  };
  for (std::size_t old = 0; old < old_parallelism; ++old) {
    for (const InFlightHandle& handle : snapshot.subtasks[old].in_flight) {
      for (std::size_t i = 0; i < dealt.size(); ++i) {
        const bool takes =
            old_parallelism == dealt.size() ? i == old
            : handle.mapper == SubtaskStateMapper::round_robin
                ? i == old % dealt.size()
                : overlaps(range_of(old, old_parallelism), range_of(i, dealt.size()));
        if (takes) dealt[i].in_flight.push_back(handle);
      }
    }
  }
}

}  // namespace

std::vector<OperatorSubtaskState> redistribute(const OperatorSnapshot& snapshot, int parallelism) {
  Subtasks dealt(static_cast<std::size_t>(parallelism));
  deal_keyed(snapshot, dealt);
  deal_lists(snapshot.subtasks, dealt);
  deal_in_flight(snapshot, dealt);
  return dealt;
}

}  // namespace streamrun
