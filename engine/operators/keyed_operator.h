#pragma once

#include <streamrun/base/crash_point.h>
#include <streamrun/operators/one_output_operator.h>
#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/types/key_traits.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What operators on a keyed stream share: the table of their state, its snapshots and its restore.
template <Key K, typename U>
class KeyedOperator : public OneOutputOperator<U> {
 public:
  OperatorStateShape state_shape() override {
    KeyedTable<K> scratch(1, {0, 0});
    declare_states(scratch, TypeSerializer<K>::type_name());
    return {.keyed = scratch.descriptions(), .lists = describe_lists()};
  }
  void open(const OperatorContext& context, const OperatorSubtaskState& restored) override {
    context_ = &context;
    table_ = std::make_unique<KeyedTable<K>>(context.max_parallelism, context.key_groups);
    declare_states(*table_, TypeSerializer<K>::type_name());
    table_->use_clock(context.environment.clock);
    backend_ = make_backend(context);
    restore_lists(restored.lists);
    if (restored.keyed.empty()) return;
    // State files of checkpoints lie on one store; the JobMaster has made their paths absolute.
    FileSystem* const file_system = &context.file_systems;
    value_or_throw(backend_->restore(restored.keyed, file_system));
    SR_CRASH("rs.state.mid");
  }

  void snapshot(std::shared_ptr<SnapshotPart> part) override {
    const std::shared_ptr<const SnapshotTarget> target = part->barrier.target;
    // The barrier may be here before the mail that says so.
    if (target->base != 0) backend_->notify_complete(target->base);
    const auto make_writer = [this, target, shared = part->shared] {
      const Environment& environment = context_->environment;
      const std::string uuid = environment.random.uuid();
      return shared ? std::make_shared<SnapshotFileWriter>(environment.io, context_->post,
                                                           target->file_system, *shared, uuid,
                                                           target->inline_threshold)
                    : std::make_shared<SnapshotFileWriter>(environment.io, context_->post,
                                                           target->file_system, target->directory,
                                                           uuid, target->inline_threshold);
    };
    const SharingFilesStrategy sharing = !part->shared     ? SharingFilesStrategy::no_sharing
                                         : target->is_full ? SharingFilesStrategy::forward
                                                           : SharingFilesStrategy::forward_backward;
    const CheckpointId id = part->barrier.id;
    backend_->snapshot(
        id, sharing, make_writer, target->compressed,
        [part = std::move(part), lists = save_lists()](Result<KeyedStateHandle> handle) mutable {
          if (!handle) return part->failed(std::move(handle).error());
          OperatorSubtaskState state;
          state.lists = std::move(lists);
          // An empty one too: a restore wants the whole range of key groups covered
          // (S3).
          if (!handle->states.empty()) state.keyed.push_back(*std::move(handle));
          part->done(std::move(state));
        });
  }
  void notify_complete(CheckpointId id, std::function<void()> done) override {
    backend_->notify_complete(id);
    done();
  }
  void notify_aborted(CheckpointId id) override { backend_->abort(id); }
  bool advance_snapshots() override { return backend_->advance_snapshots(); }

 protected:
  // Of operator state beside the keyed one.
  virtual std::vector<OperatorListState> describe_lists() { return {}; }
  virtual std::vector<OperatorListState> save_lists() { return {}; }
  virtual void restore_lists(const std::vector<OperatorListState>&) {}

  virtual void declare_states(KeyedTableBase& table, const std::string& key_type) = 0;
  KeyedTable<K>& table() { return *table_; }
  /// Calls `use(i, home)` for each record of a batch, `home` being where the row of its key is to
  /// be looked for first; `with_key(i, use)` calls `use` with that key.
  template <typename WithKey, typename F>
  void for_each_located(const TrivialVector<std::uint32_t>& hashes, WithKey&& with_key, F&& use) {
    constexpr std::size_t kBlock = 256;
    std::array<std::byte*, kBlock> homes;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    KeyedTable<K>& table = *table_;
    const std::size_t count = hashes.size();
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
      const std::size_t end = std::min(begin + kBlock, count);
      if (table.has_store()) [[unlikely]] {
        table.load_missing(hashes.data() + begin, end - begin,
                           [&](std::size_t i, auto&& use_key) { with_key(begin + i, use_key); });
      }
      std::uint64_t layout = table.layout();
      table.locate(hashes.data() + begin, end - begin, homes.data());
      for (std::size_t i = begin; i < end; ++i) {
        if (table.layout() != layout) [[unlikely]] {
          layout = table.layout();
          table.locate(hashes.data() + i, end - i, homes.data() + (i - begin));
        }
        use(i, homes[i - begin]);
      }
    }
  }

 private:
  std::unique_ptr<KeyedStateBackend> make_backend(const OperatorContext& context) {
    if (context.state_backend == nullptr) {
      return context.chain_limits
                 ? std::make_unique<HashMapStateBackend>(*table_, *context.chain_limits)
                 : std::make_unique<HashMapStateBackend>(*table_);
    }
    return value_or_throw(context.state_backend->make_keyed(
        *table_, {.io = context.environment.io,
                  .post = context.post,
                  .name = to_string(context.operator_id) + "-" + std::to_string(context.subtask) +
                          "-" + context.attempt}));
  }

  const OperatorContext* context_ = nullptr;
  std::unique_ptr<KeyedTable<K>> table_;
  std::unique_ptr<KeyedStateBackend> backend_;
};

}  // namespace streamrun
