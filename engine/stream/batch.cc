#include <streamrun/stream/batch.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamrun {
namespace {

#if defined(__SSE2__)
constexpr std::size_t kChunk = 64;

/// One bit for each of the 64 bytes at `text` that ends a line.
std::uint64_t newline_mask(const char* text) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text) + i);
    const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
    mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (16 * i);
  }
  return mask;
}
#endif

/// Calls `use` with the place of each newline. Lines are short: looking for one at a time would
/// spend more on beginning than on looking.
template <typename F>
void for_each_newline(std::string_view text, F&& use) {
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + kChunk <= text.size(); at += kChunk) {
    for (std::uint64_t mask = newline_mask(text.data() + at); mask != 0; mask &= mask - 1)
      use(at + static_cast<std::size_t>(std::countr_zero(mask)));
  }
#endif
  for (; at < text.size(); ++at) {
    if (text[at] == '\n') use(at);
  }
}

std::size_t newlines_in(std::string_view text) {
  // Byte-wide counters side by side, added up before they can overflow: the compiler makes vectors
  // of them.
  constexpr std::size_t kLanes = 16;
  constexpr std::size_t kRounds = 255;
  std::size_t count = 0;
  while (text.size() >= kLanes) {
    const std::size_t rounds = std::min(text.size() / kLanes, kRounds);
    std::array<std::uint8_t, kLanes> lanes{};
    for (std::size_t round = 0; round < rounds; ++round) {
      const char* const at = text.data() + round * kLanes;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        lanes[lane] = static_cast<std::uint8_t>(lanes[lane] + (at[lane] == '\n' ? 1 : 0));
      }
    }
    for (const std::uint8_t lane : lanes) count += lane;
    text.remove_prefix(rounds * kLanes);
  }
  for (const char c : text) count += c == '\n' ? 1 : 0;
  return count;
}

}  // namespace

void Batch<std::string>::clear() {
  slots_.clear();
  arena_.clear();
  text_ = {};
  key_hashes.clear();
}

std::unique_ptr<AnyBatch> Batch<std::string>::clone() const {
  auto copy = std::make_unique<Batch>();
  if (!text_.empty()) {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the block owns it
    TextBlock block = TextBlock::of_capacity(text_.size());
    std::memcpy(block.bytes.get(), text_.data(), text_.size());
    copy->adopt_lines(std::move(block), text_.size());
  } else {
    for (const std::string_view record : *this) copy->append(record);
  }
  copy->key_hashes = key_hashes;
  return copy;
}

void Batch<std::string>::adopt_lines(TextBlock block, std::size_t size, std::size_t begin) {
  SR_ASSERT(slots_.empty() && text_.empty(), "an empty batch adopts a block");
  block_ = std::move(block);
  text_ = std::string_view(block_.bytes.get() + begin, size);
  line_count_ = 0;
}

TextBlock Batch<std::string>::take_block() {
  clear();
  return std::exchange(block_, TextBlock());
}

std::size_t Batch<std::string>::count_lines() const {
  if (line_count_ == 0) line_count_ = newlines_in(text_) + (text_.back() == '\n' ? 0 : 1);
  return line_count_;
}

void Batch<std::string>::split_lines() const {
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    std::string_view line = text_.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    slots_.push_back(line.size() <= SmallString::kInlineLimit ? SmallString::from_short(line)
                                                              : SmallString::refer_to(line));
  };
  for_each_newline(text_, add);
  if (begin < text_.size()) add(text_.size());
}

}  // namespace streamrun
