#pragma once

#include <streamrun/connectors/file/file_sink.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun::sim {

/// A file sink with a bug: it commits at once what it has prepared (`Mutant::commits_early`).
template <typename T>
class EagerWriter final : public SinkWriter<T> {
 public:
  explicit EagerWriter(std::unique_ptr<SinkWriter<T>> writer) : writer_(std::move(writer)) {}

  void set_restored_committables(const std::vector<std::string>& committables) override {
    writer_->set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override { writer_->open(context); }
  bool ready() const override { return writer_->ready(); }
  void write(const Batch<T>& batch) override { writer_->write(batch); }
  void prepare(CheckpointId id, typename SinkWriter<T>::Prepared prepared) override {
    writer_->prepare(id, [this, prepared](Result<std::vector<std::string>> names) {
      if (names && !writer_->commit(*names)) return prepared(names);
      prepared(std::move(names));
    });
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return writer_->commit(committables);
  }
  Result<void> remove_leftovers() override { return writer_->remove_leftovers(); }

 private:
  std::unique_ptr<SinkWriter<T>> writer_;
};

struct EagerSink {
  FileSink files;

  template <LineWritable T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<EagerWriter<T>>(files.template make_writer<T>());
  }
  std::string describe() const { return files.describe(); }
};

}  // namespace streamrun::sim
