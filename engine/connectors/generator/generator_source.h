#pragma once

#include <streamrun/connectors/generator/generator_reader.h>
#include <streamrun/connectors/generator/index_enumerator.h>
#include <streamrun/stream/source.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace streamrun {

/// Records made by a function of their index: 0, 1, 2, …, each once, at any parallelism and over
/// restores. Flink's DataGeneratorSource.
template <typename T>
struct GeneratorSource {
  using Record = T;

  /// Called on the threads of all readers at once: it must depend on the index only.
  std::function<T(std::uint64_t index)> make;
  /// 0 for an endless stream.
  std::uint64_t count = 0;
  /// Over all readers; 0 for as fast as the job takes them.
  double records_per_second = 0;

  std::unique_ptr<SourceReader<T>> make_reader() const {
    return std::make_unique<GeneratorReader<T>>(make, records_per_second);
  }
  std::unique_ptr<SplitEnumerator> make_enumerator() const {
    return std::make_unique<IndexEnumerator>(count);
  }
  bool bounded() const { return count > 0; }
  std::string describe() const {
    return count > 0 ? "generator of " + std::to_string(count) + " records" : "endless generator";
  }
};

}  // namespace streamrun
