#pragma once

#include <streamrun/connectors/print/output_stream.h>
#include <streamrun/connectors/print/print_writer.h>
#include <streamrun/stream/sink.h>

#include <memory>
#include <string>

namespace streamrun {

/// Records as lines on standard output, as they come. Not transactional: after a restart the lines
/// since the last checkpoint are printed again. How a record becomes a line is said by
/// `LineFormat`.
struct PrintSink {
  /// Outlives the job; null for the process's standard output.
  OutputStream* output = nullptr;

  template <LineWritable T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<PrintWriter<T>>(output != nullptr ? *output : standard_output());
  }
  std::string describe() const { return "standard output"; }
};

}  // namespace streamrun
