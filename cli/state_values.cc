#include "state_values.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/state/described_rows.h>
#include <streamrun/state/rocksdb/described_sst_rows.h>
#include <streamrun/storage/local_file_system.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

/// A state as `--state` names it.
struct Wanted {
  const OperatorSnapshot* snapshot = nullptr;
  std::string name;
};

std::string handle_of(const OperatorSnapshot& snapshot) {
  return snapshot.uid.empty() ? to_string(snapshot.id) : snapshot.uid;
}

/// All keyed states of the snapshot as `--state` takes them.
std::vector<std::string> state_names(const CheckpointMetadata& metadata) {
  std::vector<std::string> names;
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    if (snapshot.subtasks.empty() || snapshot.subtasks.front().keyed.empty()) continue;
    for (const StateDescription& state : snapshot.subtasks.front().keyed.front().states)
      names.push_back(handle_of(snapshot) + "/" + state.name);
  }
  return names;
}

Wanted find_state(const std::string& text, const CheckpointMetadata& metadata) {
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    const std::string prefix = handle_of(snapshot) + "/";
    if (text.starts_with(prefix)) return {&snapshot, text.substr(prefix.size())};
  }
  const std::vector<std::string> names = state_names(metadata);
  usage_error(fmt::format("the snapshot has no keyed state {}{}", text, did_you_mean(text, names)),
              {names.empty() ? "streamrun inspect WHERE" : "--state " + names.front()});
}

std::uint64_t limit_of(const Invocation& invocation) {
  const auto text = invocation.value("--limit");
  if (!text) return std::numeric_limits<std::uint64_t>::max();
  std::uint64_t limit = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (problem != std::errc() || end != text->data() + text->size()) {
    usage_error(fmt::format("--limit takes a whole number, not \"{}\"", text->substr(0, 64)));
  }
  return limit;
}

class ValuePrinter {
 public:
  ValuePrinter(const Invocation& invocation, const FoundSnapshot& found)
      : found_(found),
        text_(*invocation.value("--state")),
        wanted_(find_state(text_, found.snapshot.metadata)),
        key_(invocation.value("--key")),
        left_(limit_of(invocation)) {}

  int run() {
    for (const OperatorSubtaskState& subtask : wanted_.snapshot->subtasks) {
      for (const KeyedStateHandle& handle : subtask.keyed) print_handle(handle);
    }
    if (!is_there_) {
      const std::vector<std::string> names = state_names(found_.snapshot.metadata);
      usage_error(
          fmt::format("the snapshot has no keyed state {}{}", text_, did_you_mean(text_, names)),
          {names.empty() ? "streamrun inspect WHERE" : "--state " + names.front()});
    }
    if (!key_ || printed_ > 0 || left_ == 0) return 0;
    throw_error({.code = ErrorCode::path,
                 .message = fmt::format("no value of {} under the key {}", text_, *key_),
                 .where = found_.snapshot.directory,
                 .retry = Retry::no});
  }

 private:
  void print_handle(KeyedStateHandle handle) {
    std::size_t number = 0;
    while (number < handle.states.size() && handle.states[number].name != wanted_.name) ++number;
    if (number == handle.states.size()) return;
    is_there_ = true;
    for (StateHandle& piece : handle.pieces) {
      if (piece.file) piece.file->path = state_file_path(found_.snapshot.directory, *piece.file);
    }
    const auto print_row = [&](const DescribedRow& row) {
      if (left_ == 0) return false;
      const auto& value = row.values[number];
      if (value && (!key_ || is_key(row.key, *key_))) {
        print(fmt::format("{{\"key\":{},\"value\":{},\"key_group\":{}}}\n", row.key, *value,
                          row.key_group));
        ++printed_;
        --left_;
      }
      return true;
    };
    if (!handle.pieces.front().sst)
      return value_or_throw(read_described_rows(handle, found_.files, print_row));
    const auto local = make_local_file_system();
    RealRandom random;
    value_or_throw(read_described_sst_rows(handle, found_.files, *local, random,
                                           std::filesystem::temp_directory_path().string(),
                                           print_row));
  }

  const FoundSnapshot& found_;
  const std::string text_;
  const Wanted wanted_;
  const std::optional<std::string> key_;
  std::uint64_t left_;
  std::uint64_t printed_ = 0;
  bool is_there_ = false;
};

}  // namespace

int print_state_values(const Invocation& invocation, const FoundSnapshot& found) {
  return ValuePrinter(invocation, found).run();
}

}  // namespace streamrun
