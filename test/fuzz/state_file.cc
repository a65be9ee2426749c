// A state file from anywhere: as it is, and with checksums that fit, so that what is behind them is
// reached too.
#include <streamrun/base/bytes.h>
#include <streamrun/base/checksum.h>
#include <streamrun/state/state_file.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz_target.h"

namespace {

using namespace streamrun;

constexpr std::size_t kFooter = 8 + 4 + 8 + 8;
constexpr std::size_t kFields = 2 + 4 + 4;  // of a block's header, behind its magic
constexpr std::size_t kHeader = 4 + kFields + 8;

StateFileReader::ReadAt reader_of(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, char* into, std::size_t length) -> Result<void> {
    fuzz::require(offset <= bytes.size() && length <= bytes.size() - offset,
                  "nothing beyond the end is asked for");
    if (length > 0) std::memcpy(into, bytes.data() + offset, length);
    return {};
  };
}

void put(std::string& bytes, std::size_t at, const std::string& with) {
  bytes.replace(at, with.size(), with);
}

std::string big_endian(std::uint64_t number) {
  std::string bytes;
  ByteWriter(bytes).u64(number);
  return bytes;
}

/// Footer and checksum of the index, where there is room for them; the place of the index is what
/// the bytes say, within bounds.
std::string with_footer(std::string bytes) {
  if (bytes.size() < kFooter) return bytes;
  const std::size_t end = bytes.size() - kFooter;
  const std::string told = bytes.substr(end, 8);
  const std::size_t index = ByteReader(told).u64() % (end + 1);
  std::string footer = big_endian(index);
  ByteWriter out(footer);
  out.u32(static_cast<std::uint32_t>(end - index));
  out.u64(xxh3_64(std::string_view(bytes).substr(index, end - index)));
  // Some compressed ones too, whose frames nobody can make fit.
  out.raw(index % 4 == 3 ? "SRSTATE2" : "SRSTATE1");
  put(bytes, end, footer);
  return bytes;
}

/// Headers with checksums for the blocks that the index names.
std::string with_blocks(std::string bytes) {
  const Result<StateFileReader> reader =
      StateFileReader::open("state", bytes.size(), reader_of(bytes));
  if (!reader) return bytes;
  for (const StateBlock& block : reader->blocks()) {
    std::string fields;
    ByteWriter out(fields);
    out.u16(static_cast<std::uint16_t>(block.key_group));
    out.u32(block.rows);
    out.u32(block.length);
    const std::string payload = bytes.substr(block.offset + kHeader, block.length);
    const std::string magic = block.is_compressed() ? "SRZ1" : "SRB1";
    put(bytes, block.offset, magic + fields + big_endian(xxh3_64(payload) ^ xxh3_64(fields)));
  }
  return bytes;
}

/// Whether all of it can be read; then it is written and read the same.
bool check(const std::string& bytes) {
  const Result<StateFileReader> reader =
      StateFileReader::open("state", bytes.size(), reader_of(bytes));
  if (!reader) {
    fuzz::require(reader.error().code == ErrorCode::state_corrupt, "damage is E-STATE-CORRUPT");
    return false;
  }
  StateFileBuilder builder(bytes.size() % 2 == 1);
  std::string written;
  StateBytes buffer;
  for (const StateBlock& block : reader->blocks()) {
    const Result<std::string_view> payload = reader->payload(block, buffer);
    if (!payload) return false;
    fuzz::require(payload->size() == block.raw_length, "a payload has the length that is told");
    written += builder.block(block.key_group, block.rows, *payload);
  }
  written += builder.end();
  const Result<StateFileReader> again =
      StateFileReader::open("state", written.size(), reader_of(written));
  fuzz::require(again && again->blocks().size() == reader->blocks().size(),
                "what was read is written and read the same");
  return true;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(fuzz::text_of(data, size));
  check(bytes);
  const std::string mended = with_blocks(with_footer(bytes));
  const auto opened = StateFileReader::open("state", mended.size(), reader_of(mended));
  const bool has_frames =
      opened && std::any_of(opened->blocks().begin(), opened->blocks().end(),
                            [](const StateBlock& block) { return block.is_compressed(); });
  const bool good = check(mended);
  fuzz::require(has_frames || good == opened.has_value(),
                "with checksums that fit, all that is indexed is readable");
  return 0;
}
