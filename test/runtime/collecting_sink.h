#pragma once

#include <streamrun/stream/sink.h>
#include <streamrun/types/type_serializer.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "outside.h"

namespace streamrun {

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
