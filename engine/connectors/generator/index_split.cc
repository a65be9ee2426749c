#include <streamrun/base/bytes.h>
#include <streamrun/connectors/generator/index_split.h>

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::vector<IndexSplit> deal_out(const IndexSplit& split, std::uint64_t parts) {
  const std::uint64_t step = split.step <= kNoEnd / parts ? split.step * parts : kNoEnd;
  std::vector<IndexSplit> splits;
  IndexSplit rest = split;
  for (std::uint64_t i = 0; i < parts; ++i) {
    splits.push_back({.first = rest.next, .step = step, .next = rest.next, .end = split.end});
    rest.advance();
  }
  return splits;
}

std::string encode_index_split(const IndexSplit& split) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.varint(split.first);
  out.varint(split.step);
  out.varint(split.next);
  out.varint(split.end);
  return bytes;
}

Result<IndexSplit> decode_index_split(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  IndexSplit split;
  split.first = in.varint();
  split.step = in.varint();
  split.next = in.varint();
  split.end = in.varint();
  if (version == kVersion && in.done() && split.step > 0 && split.first <= split.next) return split;
  return Error{.code = ErrorCode::state_corrupt,
               .message = "the position of a generator is damaged, or of an unknown version",
               .where = "version " + std::to_string(version),
               .retry = Retry::no};
}

}  // namespace streamrun
