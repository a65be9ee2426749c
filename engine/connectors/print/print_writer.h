#pragma once

#include <streamrun/connectors/file/line_format.h>
#include <streamrun/connectors/print/line_printer.h>
#include <streamrun/stream/sink.h>

#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Makes lines of records; everything that does not depend on their type is in `LinePrinter`.
template <LineWritable T>
class PrintWriter final : public SinkWriter<T> {
 public:
  explicit PrintWriter(OutputStream& output) : printer_(output) {}

  void open(const OperatorContext& context) override { printer_.open(context); }
  bool ready() const override { return printer_.ready(); }
  void write(const Batch<T>& batch) override {
    printer_.throw_if_failed();
    for (RecordRef<T> record : batch) {
      LineFormat<T>::append(printer_.buffer(), record);
      printer_.buffer().push_back('\n');
    }
    printer_.print();
  }
  void prepare(CheckpointId, typename SinkWriter<T>::Prepared prepared) override {
    printer_.when_printed(std::move(prepared));
  }
  /// Lines that were printed are seen already.
  Result<void> commit(const std::vector<std::string>&) override { return {}; }

 private:
  LinePrinter printer_;
};

}  // namespace streamrun
