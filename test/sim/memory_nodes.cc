#include "memory_nodes.h"

#include <algorithm>
#include <utility>

namespace streamrun::sim {

void FileContent::append(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t first = seen_.size() / kPageBytes;
  seen_ += bytes;
  const std::size_t last = (seen_.size() - 1) / kPageBytes;
  for (std::size_t page = first; page <= last; ++page) dirty_.insert(page);
}

void FileContent::sync() {
  on_disk_.resize(seen_.size(), '\0');
  for (const std::size_t page : dirty_) {
    const std::size_t first = page * kPageBytes;
    const std::size_t length = std::min(kPageBytes, seen_.size() - first);
    on_disk_.replace(first, length, seen_, first, length);
    forgotten_.erase(page);  // it was written to again, so the whole page is written now
  }
  dirty_.clear();
}

void FileContent::fail_sync() {
  for (const std::size_t page : dirty_) forgotten_.try_emplace(page, on_disk_.size());
  dirty_.clear();
}

void FileContent::power_cut(Random& random) {
  std::string result = on_disk_;
  const bool size_kept = random.below(2) == 0;
  if (size_kept) result.resize(seen_.size(), '\0');
  // Bytes synced before are safe even on a page that is dirty again.
  for (const auto& [page, promised] : forgotten_) tear_page(page, promised, random, result);
  for (const std::size_t page : dirty_) {
    if (forgotten_.count(page) == 0) tear_page(page, on_disk_.size(), random, result);
  }
  seen_ = std::move(result);
  on_disk_ = seen_;
  dirty_.clear();
  forgotten_.clear();
}

std::vector<std::pair<std::size_t, std::size_t>> FileContent::unsafe_ranges() const {
  std::map<std::size_t, std::size_t> promised = forgotten_;
  for (const std::size_t page : dirty_) promised.try_emplace(page, on_disk_.size());
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const auto& [page, safe] : promised) {
    const std::size_t first = std::max(page * kPageBytes, safe);
    const std::size_t last = std::min((page + 1) * kPageBytes, seen_.size());
    if (first < last) ranges.emplace_back(first, last);
  }
  return ranges;
}

void FileContent::power_cut(const Choose& choose) {
  const auto ranges = unsafe_ranges();
  if (!ranges.empty()) {
    enum Fate : std::size_t { whole, absent, half, length_only, garbage, kFates };
    const std::size_t fate = choose(kFates);
    std::string result = on_disk_;
    if (fate == half) result.resize(on_disk_.size() + (seen_.size() - on_disk_.size()) / 2);
    if (fate == whole || fate == length_only || fate == garbage) result.resize(seen_.size());
    for (const auto& [first, last] : ranges) {
      for (std::size_t at = first; at < std::min(last, result.size()); ++at) {
        if (fate == whole || fate == half) result[at] = seen_[at];
        if (fate == length_only) result[at] = '\0';
        if (fate == garbage) result[at] = static_cast<char>(~seen_[at]);
      }
    }
    seen_ = std::move(result);
  }
  on_disk_ = seen_;
  dirty_.clear();
  forgotten_.clear();
}

void FileContent::tear_page(std::size_t page, std::size_t promised, Random& random,
                            std::string& result) const {
  const std::size_t first = std::max(page * kPageBytes, promised);
  const std::size_t last = std::min((page + 1) * kPageBytes, result.size());
  if (first >= last) return;
  switch (random.below(3)) {
    case 0:  // kept
      result.replace(first, last - first, seen_, first, last - first);
      break;
    case 1:  // dropped
      break;
    default:
      for (std::size_t at = first; at < last;) {
        const std::size_t end = std::min((at / kSectorBytes + 1) * kSectorBytes, last);
        tear_sector(at, end, random, result);
        at = end;
      }
  }
}

void FileContent::tear_sector(std::size_t first, std::size_t last, Random& random,
                              std::string& result) const {
  const std::size_t middle = first + (last - first) / 2;
  switch (random.below(5)) {
    case 0:  // the left half is new
      result.replace(first, middle - first, seen_, first, middle - first);
      break;
    case 1:  // the right half is new
      result.replace(middle, last - middle, seen_, middle, last - middle);
      break;
    case 2:  // all of it is new
      result.replace(first, last - first, seen_, first, last - first);
      break;
    case 3:  // garbage
      for (std::size_t at = first; at < last; ++at) result[at] = static_cast<char>(random.next());
      break;
    default:  // old
      break;
  }
}

void FileContent::flip_bit(std::uint64_t offset, unsigned bit) {
  for (std::string* bytes : {&seen_, &on_disk_}) {
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 1U << bit);
  }
}

void NameJournal::apply(const NameChange& change) {
  if (change.removed_from) {
    const auto found = change.removed_from->durable_entries.find(change.removed_name);
    const bool same =
        found != change.removed_from->durable_entries.end() && found->second == change.node;
    if (same) change.removed_from->durable_entries.erase(found);
  }
  if (change.added_to) change.added_to->durable_entries[change.added_name] = change.node;
}

void NameJournal::sync(const NodePtr& directory) {
  for (auto change = changes_.begin(); change != changes_.end();) {
    if (change->removed_from == directory) {
      apply(*change);
      change = changes_.erase(change);
    } else if (change->added_to == directory) {
      directory->durable_entries[change->added_name] = change->node;
      change->added_to = nullptr;
      change = change->removed_from ? std::next(change) : changes_.erase(change);
    } else {
      ++change;
    }
  }
}

void NameJournal::power_cut(Random& random) {
  for (const NameChange& change : changes_) {
    if (random.below(2) == 0) apply(change);
  }
  changes_.clear();
}

void NameJournal::power_cut(const Choose& choose) {
  for (const NameChange& change : changes_) {
    if (choose(2) == 0) apply(change);
  }
  changes_.clear();
}

}  // namespace streamrun::sim
