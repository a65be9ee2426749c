#include <streamrun/base/assert.h>
#include <streamrun/checkpoint/shared_state_registry.h>

#include <utility>

namespace streamrun {

void SharedStateRegistry::retain(CheckpointId id, const Names& names) {
  for (const std::string& name : names) {
    SR_ASSERT(!going_.contains(name), "R1: no checkpoint refers to a file that is being removed");
    waiting_.erase(name);
    holders_[name].insert(id);
    held_[id].insert(name);
  }
}

void SharedStateRegistry::begin(CheckpointId id) {
  under_way_.insert(id);
}

bool SharedStateRegistry::claim(CheckpointId id, const std::string& name) {
  SR_ASSERT(is_under_way(id), "only a checkpoint under way claims files");
  if (going_.contains(name)) return false;
  retain(id, {name});
  return true;
}

SharedStateRegistry::Names SharedStateRegistry::complete(CheckpointId id, const Names& names) {
  retain(id, names);
  const Names held = held_[id];
  for (const std::string& name : held) {
    if (!names.contains(name)) release(id, name);
  }
  if (names.empty()) held_.erase(id);
  under_way_.erase(id);
  return take_removable();
}

SharedStateRegistry::Names SharedStateRegistry::drop(CheckpointId id) {
  under_way_.erase(id);
  if (const auto held = held_.extract(id)) {
    for (const std::string& name : held.mapped()) release(id, name);
  }
  return take_removable();
}

void SharedStateRegistry::removed(const Names& names) {
  for (const std::string& name : names) going_.erase(name);
}

std::set<CheckpointId> SharedStateRegistry::holders(const std::string& name) const {
  const auto found = holders_.find(name);
  return found == holders_.end() ? std::set<CheckpointId>() : found->second;
}

/// The one who lets go needs it no more; the others under way may.
void SharedStateRegistry::release(CheckpointId id, const std::string& name) {
  const auto held = held_.find(id);
  if (held != held_.end()) held->second.erase(name);
  const auto holders = holders_.find(name);
  holders->second.erase(id);
  if (!holders->second.empty()) return;
  holders_.erase(holders);
  waiting_[name] = under_way_;
}

SharedStateRegistry::Names SharedStateRegistry::take_removable() {
  Names removable;
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    std::erase_if(entry->second, [this](CheckpointId id) { return !under_way_.contains(id); });
    if (!entry->second.empty()) {
      ++entry;
      continue;
    }
    removable.insert(entry->first);
    entry = waiting_.erase(entry);
  }
  going_.insert(removable.begin(), removable.end());
  return removable;
}

}  // namespace streamrun
