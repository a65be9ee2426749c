#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What readers outside of the job see: committed parts. It outlives every attempt and every run.
class Outside {
 public:
  /// Asked before each part becomes visible; any thread.
  std::function<bool()> refuses;

  void show(const std::string& part, std::vector<std::string> records) {
    const std::lock_guard lock(mutex_);
    parts_.try_emplace(part, std::move(records));
  }
  /// Every visible record, sorted.
  std::vector<std::string> records() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [part, records] : parts_)
      all.insert(all.end(), records.begin(), records.end());
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> parts_;  // guarded by mutex_
};

}  // namespace streamrun
