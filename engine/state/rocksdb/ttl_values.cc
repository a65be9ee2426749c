#include "ttl_values.h"

#include <streamrun/base/bytes.h>

#include <cstddef>

namespace streamrun {
namespace {

/// Of one compaction, in which there is one time.
class TtlFilter final : public rocksdb::CompactionFilter {
 public:
  TtlFilter(const ValueOperations& operations, std::int64_t dead_since)
      : operations_(operations), dead_since_(dead_since) {}
  const char* Name() const override { return "streamrun.ttl"; }
  Decision FilterV2(int, const rocksdb::Slice&, ValueType type, const rocksdb::Slice& value,
                    std::string* new_value, std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    switch (live_part(operations_, dead_since_, {value.data(), value.size()}, *new_value)) {
      case Liveness::all:
        return Decision::kKeep;
      case Liveness::some:
        return Decision::kChangeValue;
      case Liveness::none:
        break;
    }
    return Decision::kRemove;
  }

 private:
  const ValueOperations operations_;
  const std::int64_t dead_since_;
};

class TtlFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  TtlFilterFactory(const ValueOperations& operations, const Clock& clock)
      : operations_(operations), clock_(clock) {}
  const char* Name() const override { return "streamrun.ttl"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<TtlFilter>(operations_, clock_.unix_milliseconds() - operations_.ttl);
  }

 private:
  const ValueOperations operations_;
  const Clock& clock_;
};

}  // namespace

Liveness live_part(const ValueOperations& operations, std::int64_t dead_since,
                   std::string_view value, std::string& rewritten) {
  // Aligned as any value is (`operations_of`).
  const std::unique_ptr<std::byte[]> decoded(new std::byte[operations.size]);
  ByteReader in(value);
  operations.read(in, decoded.get());
  const Liveness left = in.done() ? operations.liveness(decoded.get(), dead_since) : Liveness::all;
  if (left == Liveness::some) {
    rewritten.clear();
    ByteWriter out(rewritten);
    operations.write_live(out, decoded.get(), dead_since);
  }
  operations.destroy(decoded.get());
  return left;
}

std::shared_ptr<rocksdb::CompactionFilterFactory> make_ttl_filter(const ValueOperations& operations,
                                                                  const Clock& clock) {
  return std::make_shared<TtlFilterFactory>(operations, clock);
}

}  // namespace streamrun
