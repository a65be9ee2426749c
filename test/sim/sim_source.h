#pragma once

#include <streamrun/stream/source.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/sim_hooks.h"

namespace streamrun::sim {

struct SimRecord {
  std::string key;
  std::int64_t value = 0;
  bool operator==(const SimRecord&) const = default;
};

/// Reads records `next` to `length` of a split, some at a time, as the tape says.
struct SimSplit {
  std::uint64_t number = 0;
  std::uint64_t next = 0;
  std::uint64_t length = 0;
};
std::string encode_split(const SimSplit& split);
SimSplit decode_split(const std::string& bytes);

using MakeRecord = std::function<SimRecord(std::uint64_t split, std::uint64_t index)>;

class SimReader final : public SourceReader<SimRecord> {
 public:
  SimReader(SimHooks& hooks, MakeRecord make) : hooks_(hooks), make_(std::move(make)) {}

  void open(const OperatorContext& context, std::function<void()> ask_for_split) override {
    context_ = &context;
    ask_ = std::move(ask_for_split);
  }
  void start() override { ask_(); }
  void add_split(const std::string& split) override;
  void no_more_splits() override { no_more_ = true; }
  SourceStatus poll(Output<SimRecord>& output) override;
  std::optional<Instant> next_deadline() const override { return resume_at_; }
  std::vector<std::string> snapshot() const override;

 private:
  SimHooks& hooks_;
  const MakeRecord make_;
  const OperatorContext* context_ = nullptr;
  std::function<void()> ask_;
  std::deque<SimSplit> splits_;
  std::optional<Instant> resume_at_;
  bool no_more_ = false;
};

/// Hands out one split at a time, to whoever asks.
class SimEnumerator final : public SplitEnumerator {
 public:
  SimEnumerator(SimHooks& hooks, std::vector<SimSplit> all) : hooks_(hooks), all_(std::move(all)) {}

  void start(Context context, const std::string& restored,
             std::vector<std::string> unread) override;
  void handle_request(int subtask) override;
  std::string snapshot() const override;

 private:
  SimHooks& hooks_;
  std::vector<SimSplit> all_;
  std::unique_ptr<Context> context_;
  std::deque<std::string> waiting_;
};

/// A bounded source that can be read again: its records are a function of split and index.
struct SimSource {
  using Record = SimRecord;
  SimHooks* hooks = nullptr;
  std::uint64_t first_split = 0;
  std::vector<std::uint64_t> lengths;  ///< of each split
  MakeRecord make;

  std::unique_ptr<SourceReader<SimRecord>> make_reader() const {
    return std::make_unique<SimReader>(*hooks, make);
  }
  std::unique_ptr<SplitEnumerator> make_enumerator() const;
  bool bounded() const { return true; }
  std::string describe() const { return "simulated records"; }
};

}  // namespace streamrun::sim
