#pragma once

#include <streamrun/connectors/file/line_format.h>
#include <streamrun/connectors/file/part_writer.h>
#include <streamrun/stream/sink.h>

#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Makes lines of records; everything that does not depend on their type is in `PartWriter`.
template <LineWritable T>
class FileSinkWriter final : public SinkWriter<T> {
 public:
  explicit FileSinkWriter(std::string path) : parts_(std::move(path)) {}

  void set_restored_committables(const std::vector<std::string>& committables) override {
    parts_.set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override { parts_.open(context); }
  bool ready() const override { return parts_.blocks().ready(); }
  void write(const Batch<T>& batch) override {
    BlockWriter& blocks = parts_.blocks();
    blocks.throw_if_failed();
    for (RecordRef<T> record : batch) {
      LineFormat<T>::append(blocks.buffer(), record);
      blocks.buffer().push_back('\n');
      blocks.hand_over_if_full();
    }
  }
  void prepare(CheckpointId, typename SinkWriter<T>::Prepared prepared) override {
    parts_.prepare(std::move(prepared));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return parts_.commit(committables);
  }
  Result<void> remove_leftovers() override { return parts_.remove_leftovers(); }

 private:
  PartWriter parts_;
};

}  // namespace streamrun
