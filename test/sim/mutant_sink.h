#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/connectors/file/line_format.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/stream/sink.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/sim_hooks.h"

namespace streamrun::sim {

/// The part in a committable: of the file sink's version, folder, name, …
struct NamedPart {
  std::string folder;
  std::string name;
  std::string hidden_path() const { return join_path(folder, "." + name + ".inprogress"); }
};
inline NamedPart part_named_by(const std::string& committable) {
  ByteReader in(committable);
  static_cast<void>(in.u8());
  NamedPart part;
  part.folder = std::string(in.text());
  part.name = std::string(in.text());
  return part;
}

/// Of the Kafka sink's: version, id, number, topic, and one of the file sink's.
inline NamedPart part_named_by_kafka(const std::string& committable) {
  ByteReader in(committable);
  static_cast<void>(in.u8());
  static_cast<void>(in.text());
  static_cast<void>(in.i64());
  static_cast<void>(in.text());
  return part_named_by(std::string(in.text()));
}

/// A sink with one of the bugs that one can have.
template <typename T>
class MutantWriter final : public SinkWriter<T> {
 public:
  /// `folder` empty: the writer is Kafka's, with its parts where the job's tasks have theirs.
  MutantWriter(std::unique_ptr<SinkWriter<T>> writer, std::string folder, SimHooks& hooks)
      : writer_(std::move(writer)), folder_(std::move(folder)), hooks_(hooks) {}

  std::string committable_type() const override { return writer_->committable_type(); }
  bool commits_in_order() const override { return writer_->commits_in_order(); }
  void set_restored_committables(const std::vector<std::string>& committables) override {
    writer_->set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override {
    context_.emplace(context);
    if (hooks_.is(Mutant::reuses_part_names)) context_->attempt = std::string(32, '0');
    writer_->open(*context_);
  }
  bool ready() const override { return writer_->ready(); }
  void write(const Batch<T>& batch) override { writer_->write(batch); }
  void prepare(CheckpointId id, typename SinkWriter<T>::Prepared prepared) override {
    writer_->prepare(id, [this, id, prepared](Result<std::vector<std::string>> names) {
      if (names && hooks_.is(Mutant::commits_early) && !writer_->commit(*names)) {
        return prepared(names);
      }
      if (names && hooks_.is(Mutant::drops_last_committables) && hooks_.input_has_ended) {
        names->clear();
      }
      if (names && hooks_.is(Mutant::aborts_prepared)) {
        for (const std::string& name : *names) {
          const NamedPart part = folder_.empty() ? part_named_by_kafka(name) : part_named_by(name);
          hooks_.prepared_for[id].push_back(part.hidden_path());
        }
      }
      prepared(std::move(names));
    });
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return writer_->commit(committables);
  }
  Result<void> remove_leftovers() override {
    if (!hooks_.is(Mutant::cleans_by_prefix)) return writer_->remove_leftovers();
    FileSystem* const store = SR_TRY(context_->file_systems.of_scheme("file"));
    const std::string& folder = folder_.empty() ? context_->task_owned_folder : folder_;
    for (const FileStatus& file : SR_TRY(store->list(folder))) {
      if (base_name(file.path).starts_with(".part-")) SR_TRY(store->remove_file(file.path));
    }
    return {};
  }

 private:
  std::unique_ptr<SinkWriter<T>> writer_;
  const std::string folder_;
  SimHooks& hooks_;
  std::optional<OperatorContext> context_;
};

template <typename Sink>
struct MutantSink {
  Sink sink;
  std::string folder;  ///< of a file sink
  SimHooks* hooks = nullptr;

  template <LineWritable T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<MutantWriter<T>>(sink.template make_writer<T>(), folder, *hooks);
  }
  std::string describe() const { return sink.describe(); }
};

}  // namespace streamrun::sim
