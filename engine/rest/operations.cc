#include <streamrun/rest/operations.h>

#include <algorithm>

namespace streamrun {

void Operations::forget_old_ones() {
  const Instant now = clock_.now();
  std::erase_if(operations_, [&](const auto& entry) {
    return entry.second.outcome && now - entry.second.done_at > kKept;
  });
  if (operations_.size() < kMost) return;
  auto oldest = operations_.end();
  for (auto it = operations_.begin(); it != operations_.end(); ++it) {
    if (!it->second.outcome) continue;
    if (oldest == operations_.end() || it->second.done_at < oldest->second.done_at) oldest = it;
  }
  if (oldest != operations_.end()) operations_.erase(oldest);
}

Operations::Begun Operations::begin(Kind kind, const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (operations_.contains({kind, id})) return Begun::before;
  forget_old_ones();
  if (operations_.size() >= kMost) return Begun::refused;
  operations_.emplace(std::pair(kind, id), Operation{});
  return Begun::now;
}

void Operations::end(Kind kind, const std::string& id, Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = operations_.find({kind, id});
    if (found == operations_.end()) return;
    found->second.outcome = std::move(outcome);
    found->second.done_at = clock_.now();
  }
  changed_.notify_all();
}

std::optional<std::optional<Operations::Outcome>> Operations::look(Kind kind,
                                                                   const std::string& id) {
  std::optional<Outcome> outcome;
  {
    const std::lock_guard lock(mutex_);
    const auto found = operations_.find({kind, id});
    if (found == operations_.end()) return std::nullopt;
    outcome = found->second.outcome;
    found->second.was_heard = outcome.has_value();
  }
  if (outcome) changed_.notify_all();
  return outcome;
}

void Operations::wait_until_heard(Duration most) {
  std::unique_lock lock(mutex_);
  const Instant long_ago = clock_.now() - most;
  changed_.wait_for(lock, most, [this, long_ago] {
    return std::all_of(operations_.begin(), operations_.end(), [long_ago](const auto& entry) {
      const Operation& operation = entry.second;
      return operation.was_heard || (operation.outcome && operation.done_at < long_ago);
    });
  });
}

}  // namespace streamrun
