#include <streamrun/runtime/shared_file_claims.h>

#include <utility>

namespace streamrun {

void SharedFileClaims::found(const std::map<CheckpointId, Names>& checkpoints) {
  for (const auto& [id, names] : checkpoints) registry_.retain(id, names);
}

void SharedFileClaims::begin(CheckpointId id) {
  under_way_.insert(id);
  registry_.begin(id);
}

void SharedFileClaims::claim(CheckpointId id, int task, const std::string& name,
                             UniqueFunction<void()> granted) {
  // The writer of one that was given up hears of that otherwise.
  if (!under_way_.contains(id)) return;
  if (!registry_.claim(id, name)) {
    waiting_.push_back({.id = id, .task = task, .name = name, .granted = std::move(granted)});
    return;
  }
  writers_[id].insert(task);
  granted();
}

SharedFileClaims::Names SharedFileClaims::writers_ended(CheckpointId id, int task) {
  const auto writers = writers_.find(id);
  if (writers == writers_.end()) return {};
  writers->second.erase(task);
  if (!writers->second.empty()) return {};
  writers_.erase(writers);
  return given_up_.erase(id) > 0 ? registry_.drop(id) : Names{};
}

bool SharedFileClaims::has_claimed(CheckpointId id, const std::string& name) const {
  return registry_.holders(name).contains(id);
}

SharedFileClaims::Names SharedFileClaims::complete(CheckpointId id, const Names& names) {
  forget_claims(id);
  return registry_.complete(id, names);
}

SharedFileClaims::Names SharedFileClaims::give_up(CheckpointId id) {
  if (!under_way_.contains(id)) return {};
  const bool has_writers = writers_.contains(id);
  if (has_writers) given_up_.insert(id);
  under_way_.erase(id);
  std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
  return has_writers ? Names{} : registry_.drop(id);
}

void SharedFileClaims::doubt(CheckpointId id) {
  forget_claims(id);
  has_doubt_ = true;
}

SharedFileClaims::Names SharedFileClaims::drop(CheckpointId id) {
  return registry_.drop(id);
}

SharedFileClaims::Names SharedFileClaims::attempt_ended() {
  waiting_.clear();
  writers_.clear();
  Names removable;
  for (std::set<CheckpointId>* const ids : {&given_up_, &under_way_}) {
    for (const CheckpointId id : std::exchange(*ids, {})) removable.merge(registry_.drop(id));
  }
  return removable;
}

void SharedFileClaims::removed(const Names& names) {
  registry_.removed(names);
  for (Waiting& waiting : std::exchange(waiting_, {}))
    claim(waiting.id, waiting.task, waiting.name, std::move(waiting.granted));
}

void SharedFileClaims::forget_claims(CheckpointId id) {
  under_way_.erase(id);
  given_up_.erase(id);
  writers_.erase(id);
  std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
}

}  // namespace streamrun
