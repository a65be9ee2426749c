#pragma once

#include <streamrun/connectors/generator/index_split.h>
#include <streamrun/stream/source.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Deals indices 0, 1, …, count - 1 (endless for count 0) out to readers in turn, or after a
/// restore what is left of them. Each reader gets its whole share with its first request.
class IndexEnumerator final : public SplitEnumerator {
 public:
  explicit IndexEnumerator(std::uint64_t count) : count_(count) {}

  void start(Context context, const std::string& restored,
             std::vector<std::string> unread) override;
  void handle_request(int subtask) override;
  std::string snapshot() const override;

 private:
  std::vector<IndexSplit> all_indices() const;
  static Result<std::vector<IndexSplit>> restore(const std::string& bytes,
                                                 const std::vector<std::string>& unread);
  void share(std::vector<IndexSplit> splits);

  const std::uint64_t count_;
  std::unique_ptr<Context> context_;
  std::vector<std::vector<IndexSplit>> shares_;  // by subtask; empty once handed out
};

}  // namespace streamrun
