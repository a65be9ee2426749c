#include <streamrun/base/bytes.h>
#include <streamrun/base/checksum.h>
#include <streamrun/base/key_groups.h>
#include <streamrun/state/state_file.h>

#include <utility>

namespace streamrun {
namespace {

constexpr std::string_view kBlockMagic = "SRB1";
constexpr std::string_view kFileMagic = "SRSTATE1";
constexpr std::uint64_t kBlockHeader = 4 + 2 + 4 + 4 + 8;
constexpr std::uint64_t kFooter = 8 + 4 + 8 + 8;

std::string checked_fields(const StateBlock& block) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u16(static_cast<std::uint16_t>(block.key_group));
  out.u32(block.rows);
  out.u32(block.length);
  return bytes;
}

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

std::string StateFileBuilder::block(int key_group, std::uint32_t rows, std::string_view payload) {
  SR_ASSERT(payload.size() < (std::uint64_t{1} << 32U), "a state block is below 4 GiB");
  const StateBlock block{.key_group = key_group,
                         .offset = offset_,
                         .length = static_cast<std::uint32_t>(payload.size()),
                         .rows = rows};
  const std::string fields = checked_fields(block);
  std::string bytes;
  bytes.reserve(kBlockHeader + payload.size());
  ByteWriter out(bytes);
  out.raw(kBlockMagic);
  out.raw(fields);
  out.u64(checksum_of(fields, payload));
  out.raw(payload);
  offset_ += bytes.size();
  rows_ += rows;
  blocks_.push_back(block);
  return bytes;
}

std::string StateFileBuilder::end() const {
  std::string bytes;
  ByteWriter out(bytes);
  for (const StateBlock& block : blocks_) {
    out.varint(static_cast<std::uint64_t>(block.key_group));
    out.varint(block.offset);
    out.varint(block.length);
    out.varint(block.rows);
  }
  const auto index_length = static_cast<std::uint32_t>(bytes.size());
  const std::uint64_t index_hash = xxh3_64(bytes);
  out.u64(offset_);
  out.u32(index_length);
  out.u64(index_hash);
  out.raw(kFileMagic);
  return bytes;
}

Result<StateFileReader> StateFileReader::open(std::string name, std::uint64_t size,
                                              ReadAt read_at) {
  StateFileReader reader(std::move(name), std::move(read_at));
  if (size < kFooter) return damaged(reader.name_, 0, "shorter than its footer");
  const std::string footer = SR_TRY(reader.read_at_(size - kFooter, kFooter));
  ByteReader in(footer);
  const std::uint64_t index_offset = in.u64();
  const std::uint32_t index_length = in.u32();
  const std::uint64_t index_hash = in.u64();
  if (in.raw(kFileMagic.size()) != kFileMagic) return damaged(reader.name_, size - 8, "no footer");
  if (index_offset > size - kFooter || index_length != size - kFooter - index_offset) {
    return damaged(reader.name_, size - kFooter, "the index lies outside the file");
  }
  const std::string index = SR_TRY(reader.read_at_(index_offset, index_length));
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
    // Rows take at least one byte each, and blocks follow each other without gaps.
    const bool good = !entries.failed() && group < kMaxParallelismLimit &&
                      block.offset == expected_offset && block.offset <= index_offset &&
                      index_offset - block.offset >= kBlockHeader &&
                      length <= index_offset - block.offset - kBlockHeader && rows <= length;
    if (!good) return damaged(reader.name_, index_offset, "the index makes no sense");
    block.key_group = static_cast<int>(group);
    block.length = static_cast<std::uint32_t>(length);
    block.rows = static_cast<std::uint32_t>(rows);
    expected_offset = block.offset + kBlockHeader + length;
    reader.blocks_.push_back(block);
  }
  if (expected_offset != index_offset)
    return damaged(reader.name_, index_offset, "blocks are missing");
  return reader;
}

Result<std::string> StateFileReader::payload(const StateBlock& block) const {
  std::string bytes = SR_TRY(read_at_(block.offset, kBlockHeader + block.length));
  ByteReader in(bytes);
  const bool magic = in.raw(kBlockMagic.size()) == kBlockMagic;
  const std::string fields(in.raw(2 + 4 + 4));
  const std::uint64_t hash = in.u64();
  const std::string_view content = in.raw(block.length);
  if (!magic || in.failed() || fields != checked_fields(block) ||
      checksum_of(fields, content) != hash) {
    return damaged(name_, block.offset, "wrong checksum of a block");
  }
  return bytes.substr(kBlockHeader);
}

}  // namespace streamrun
