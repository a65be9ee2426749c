#include <streamrun/base/bytes.h>
#include <streamrun/connectors/generator/index_enumerator.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;

std::uint64_t left_of(const IndexSplit& split) {
  return split.is_read() ? 0 : (split.end - split.next - 1) / split.step + 1;
}

}  // namespace

void IndexEnumerator::start(Context context, const std::string& restored,
                            std::vector<std::string> unread) {
  context_ = std::make_unique<Context>(std::move(context));
  if (restored.empty() && unread.empty()) return share(all_indices());
  Result<std::vector<IndexSplit>> splits = restore(restored, unread);
  if (!splits) return context_->fail(std::move(splits).error());
  share(*std::move(splits));
}

std::vector<IndexSplit> IndexEnumerator::all_indices() const {
  const IndexSplit all{.first = 0, .step = 1, .next = 0, .end = count_ == 0 ? kNoEnd : count_};
  return deal_out(all, static_cast<std::uint64_t>(context_->parallelism));
}

Result<std::vector<IndexSplit>> IndexEnumerator::restore(const std::string& bytes,
                                                         const std::vector<std::string>& unread) {
  std::vector<IndexSplit> splits;
  for (const std::string& split : unread) splits.push_back(SR_TRY(decode_index_split(split)));
  if (bytes.empty()) return splits;
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::string_view split = in.text();
    if (!in.failed()) splits.push_back(SR_TRY(decode_index_split(split)));
  }
  if (version == kVersion && in.done()) return splits;
  return Error{
      .code = ErrorCode::state_corrupt,
      .message = "what a generator had still to hand out is damaged, or of an unknown version",
      .retry = Retry::no};
}

void IndexEnumerator::share(std::vector<IndexSplit> splits) {
  std::erase_if(splits, [](const IndexSplit& split) { return split.is_read(); });
  const auto parallelism = static_cast<std::size_t>(context_->parallelism);
  while (!splits.empty() && splits.size() < parallelism) {
    const auto largest =
        std::max_element(splits.begin(), splits.end(),
                         [](const auto& a, const auto& b) { return left_of(a) < left_of(b); });
    if (left_of(*largest) < 2) break;
    const std::vector<IndexSplit> halves = deal_out(*largest, 2);
    *largest = halves[0];
    splits.push_back(halves[1]);
  }
  shares_.assign(parallelism, {});
  for (std::size_t i = 0; i < splits.size(); ++i) shares_[i % parallelism].push_back(splits[i]);
}

void IndexEnumerator::handle_request(int subtask) {
  for (const IndexSplit& split : std::exchange(shares_[static_cast<std::size_t>(subtask)], {})) {
    context_->assign(subtask, encode_index_split(split));
  }
  context_->no_more_splits(subtask);
}

std::string IndexEnumerator::snapshot() const {
  std::vector<IndexSplit> splits;
  for (const auto& share : shares_) splits.insert(splits.end(), share.begin(), share.end());
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.varint(splits.size());
  for (const IndexSplit& split : splits) out.text(encode_index_split(split));
  return bytes;
}

}  // namespace streamrun
