#pragma once

#include <streamrun/stream/sink.h>
#include <streamrun/types/type_serializer.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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

/// A two-phase writer whose committables hold their records, so that any later attempt can commit
/// them.
class CollectingWriter final : public SinkWriter<std::string> {
 public:
  explicit CollectingWriter(Outside& outside) : outside_(outside) {}
  void open(const OperatorContext& context) override {
    name_ = context.attempt + "/" + std::to_string(context.subtask) + "/";
  }
  bool ready() const override { return true; }
  void write(const Batch<std::string>& batch) override {
    for (const std::string_view record : batch) records_.emplace_back(record);
  }
  void prepare(CheckpointId, Prepared prepared) override {
    std::vector<std::string> committables;
    if (!records_.empty()) {
      committables.push_back(
          to_bytes(std::pair(name_ + std::to_string(++parts_), std::exchange(records_, {}))));
    }
    prepared(std::move(committables));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    for (const std::string& committable : committables) {
      if (outside_.refuses && outside_.refuses())
        return Error{.code = ErrorCode::store_io, .message = "the outside is away"};
      auto part =
          SR_TRY((from_bytes<std::pair<std::string, std::vector<std::string>>>(committable)));
      outside_.show(part.first, std::move(part.second));
    }
    return {};
  }

 private:
  Outside& outside_;
  std::string name_;
  std::vector<std::string> records_;
  int parts_ = 0;
};

struct CollectingSink {
  Outside* outside = nullptr;
  template <typename T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<CollectingWriter>(*outside);
  }
  std::string describe() const { return "outside"; }
};

}  // namespace streamrun
