#include <streamrun/base/bytes.h>
#include <streamrun/base/checksum.h>
#include <streamrun/base/key_groups.h>
#include <streamrun/state/state_file.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <zstd.h>

namespace streamrun {
namespace {

constexpr std::string_view kBlockMagic = "SRB1";
constexpr std::string_view kCompressedBlockMagic = "SRZ1";
constexpr std::string_view kFileMagic = "SRSTATE1";
constexpr std::string_view kCompressedFileMagic = "SRSTATE2";
/// As fast as a disk writes, or nearly: a snapshot is to be short first and small second.
constexpr int kCompressionLevel = 1;
/// What shrinks more is left as it is, so that a reader need not believe a few bytes that claim to
/// be gigabytes.
constexpr std::uint64_t kMostShrinking = 1024;
constexpr std::uint64_t kBlockHeader = kStateBlockHeader;
constexpr std::size_t kChecksumAt = kStateBlockHeader - 8;
constexpr std::uint64_t kFooter = 8 + 4 + 8 + 8;

std::uint64_t checksum_of(std::string_view fields, std::string_view payload) {
  return xxh3_64(payload) ^ xxh3_64(fields);
}

Error damaged(const std::string& name, std::uint64_t offset, std::string what) {
  return {.code = ErrorCode::state_corrupt,
          .message = "state file is damaged: " + std::move(what),
          .where = name + ", offset " + std::to_string(offset),
          .retry = Retry::no};
}

}  // namespace

struct StateFileBuilder::Compressor {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
};

StateFileBuilder::StateFileBuilder(bool compresses)
    : compressor_(compresses ? std::make_unique<Compressor>() : nullptr) {
  if (compresses && compressor_->context == nullptr) throw std::bad_alloc();
}
StateFileBuilder::~StateFileBuilder() = default;
StateFileBuilder::StateFileBuilder(StateFileBuilder&&) noexcept = default;
StateFileBuilder& StateFileBuilder::operator=(StateFileBuilder&&) noexcept = default;

void StateFileBuilder::compress(StateBytes& block, StateBytes& scratch) {
  const std::size_t raw = block.size() - kBlockHeader;
  scratch.clear();
  char* const to = scratch.extend(kBlockHeader + ZSTD_compressBound(raw));
  const std::size_t length = ZSTD_compressCCtx(compressor_->context.get(), to + kBlockHeader,
                                               scratch.size() - kBlockHeader,
                                               block.data() + kBlockHeader, raw, kCompressionLevel);
  if (ZSTD_isError(length) != 0U || length >= raw || length * kMostShrinking < raw) return;
  scratch.truncate(kBlockHeader + length);
  std::swap(block, scratch);
}

void StateFileBuilder::begin_block(StateBytes& block, StateBytes& scratch, int key_group,
                                   std::uint32_t rows) {
  const std::uint64_t raw_length = block.size() - kBlockHeader;
  SR_ASSERT(block.size() >= kBlockHeader && raw_length < (std::uint64_t{1} << 32U),
            "a state block has room for its header and is below 4 GiB");
  if (compressor_ != nullptr) compress(block, scratch);
  const std::uint64_t length = block.size() - kBlockHeader;
  blocks_.push_back({.key_group = key_group,
                     .offset = offset_,
                     .length = static_cast<std::uint32_t>(length),
                     .rows = rows,
                     .raw_length = static_cast<std::uint32_t>(raw_length)});
  char* to = block.data();
  const std::string_view magic =
      blocks_.back().is_compressed() ? kCompressedBlockMagic : kBlockMagic;
  std::memcpy(to, magic.data(), magic.size());
  to = put_u16(to + kBlockMagic.size(), static_cast<std::uint16_t>(key_group));
  put_u32(put_u32(to, rows), static_cast<std::uint32_t>(length));
  offset_ += block.size();
  rows_ += rows;
}

void seal_state_block(StateBytes& block) {
  const std::string_view bytes(block.data(), block.size());
  const std::string_view fields =
      bytes.substr(kBlockMagic.size(), kChecksumAt - kBlockMagic.size());
  put_u64(block.data() + kChecksumAt, checksum_of(fields, bytes.substr(kBlockHeader)));
}

std::string StateFileBuilder::block(int key_group, std::uint32_t rows, std::string_view payload) {
  StateBytes bytes;
  std::copy(payload.begin(), payload.end(),
            bytes.extend(kBlockHeader + payload.size()) + kBlockHeader);
  StateBytes scratch;
  begin_block(bytes, scratch, key_group, rows);
  seal_state_block(bytes);
  return {bytes.data(), bytes.size()};
}

std::string StateFileBuilder::end() const {
  std::string bytes;
  ByteWriter out(bytes);
  for (const StateBlock& block : blocks_) {
    out.varint(static_cast<std::uint64_t>(block.key_group));
    out.varint(block.offset);
    out.varint(block.length);
    out.varint(block.rows);
    if (compressor_ != nullptr) out.varint(block.raw_length);
  }
  const auto index_length = static_cast<std::uint32_t>(bytes.size());
  const std::uint64_t index_hash = xxh3_64(bytes);
  out.u64(offset_);
  out.u32(index_length);
  out.u64(index_hash);
  out.raw(compressor_ != nullptr ? kCompressedFileMagic : kFileMagic);
  return bytes;
}

Result<StateFileReader> StateFileReader::open(std::string name, std::uint64_t size,
                                              ReadAt read_at) {
  StateFileReader reader(std::move(name), std::move(read_at));
  if (size < kFooter) return damaged(reader.name_, 0, "shorter than its footer");
  StateBytes footer;
  ByteReader in(SR_TRY(reader.read(size - kFooter, kFooter, footer)));
  const std::uint64_t index_offset = in.u64();
  const std::uint32_t index_length = in.u32();
  const std::uint64_t index_hash = in.u64();
  const std::string_view magic = in.raw(kFileMagic.size());
  const bool compressed = magic == kCompressedFileMagic;
  if (magic != kFileMagic && !compressed) return damaged(reader.name_, size - 8, "no footer");
  if (index_offset > size - kFooter || index_length != size - kFooter - index_offset) {
    return damaged(reader.name_, size - kFooter, "the index lies outside the file");
  }
  StateBytes index_bytes;
  const std::string_view index = SR_TRY(reader.read(index_offset, index_length, index_bytes));
  if (xxh3_64(index) != index_hash)
    return damaged(reader.name_, index_offset, "wrong checksum of the index");
  ByteReader entries(index);
  std::uint64_t expected_offset = 0;
  while (!entries.done()) {
    StateBlock block;
    const std::uint64_t group = entries.varint();
    block.offset = entries.varint();
    const std::uint64_t length = entries.varint();
    const std::uint64_t rows = entries.varint();
    const std::uint64_t raw_length = compressed ? entries.varint() : length;
    // Rows take at least one byte each, and blocks follow each other without gaps.
    const bool good = !entries.failed() && group < kMaxParallelismLimit &&
                      block.offset == expected_offset && block.offset <= index_offset &&
                      index_offset - block.offset >= kBlockHeader &&
                      length <= index_offset - block.offset - kBlockHeader &&
                      length <= raw_length && raw_length <= length * kMostShrinking &&
                      raw_length < (std::uint64_t{1} << 32U) && rows <= raw_length;
    if (!good) return damaged(reader.name_, index_offset, "the index makes no sense");
    block.key_group = static_cast<int>(group);
    block.length = static_cast<std::uint32_t>(length);
    block.rows = static_cast<std::uint32_t>(rows);
    block.raw_length = static_cast<std::uint32_t>(raw_length);
    expected_offset = block.offset + kBlockHeader + length;
    reader.blocks_.push_back(block);
  }
  if (expected_offset != index_offset)
    return damaged(reader.name_, index_offset, "blocks are missing");
  return reader;
}

Result<std::string_view> StateFileReader::read(std::uint64_t offset, std::size_t length,
                                               StateBytes& buffer) const {
  buffer.clear();
  char* const into = buffer.extend(length);
  SR_TRY(read_at_(offset, into, length));
  return std::string_view(into, length);
}

Result<std::string_view> StateFileReader::payload(const StateBlock& block,
                                                  StateBytes& buffer) const {
  StateBytes frame;
  StateBytes& stored = block.is_compressed() ? frame : buffer;
  const std::string_view bytes = SR_TRY(read(block.offset, kBlockHeader + block.length, stored));
  ByteReader in(bytes);
  const bool magic =
      in.raw(kBlockMagic.size()) == (block.is_compressed() ? kCompressedBlockMagic : kBlockMagic);
  const std::string_view fields =
      bytes.substr(kBlockMagic.size(), kChecksumAt - kBlockMagic.size());
  const bool expected =
      in.u16() == block.key_group && in.u32() == block.rows && in.u32() == block.length;
  const std::uint64_t hash = in.u64();
  const std::string_view content = in.raw(block.length);
  if (!magic || in.failed() || !expected || checksum_of(fields, content) != hash) {
    return damaged(name_, block.offset, "wrong checksum of a block");
  }
  return block.is_compressed() ? decompressed(block, content, buffer) : content;
}

Result<std::string_view> StateFileReader::decompressed(const StateBlock& block,
                                                       std::string_view frame,
                                                       StateBytes& buffer) const {
  // Before memory is asked for on the word of the index alone.
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != block.raw_length)
    return damaged(name_, block.offset, "a block that can't be decompressed");
  buffer.clear();
  char* const into = buffer.extend(block.raw_length);
  const std::size_t length = ZSTD_decompress(into, block.raw_length, frame.data(), frame.size());
  if (ZSTD_isError(length) != 0U || length != block.raw_length) {
    return damaged(name_, block.offset, "a block that can't be decompressed");
  }
  return std::string_view(into, length);
}

}  // namespace streamrun
