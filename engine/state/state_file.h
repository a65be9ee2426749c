#pragma once

#include <streamrun/base/result.h>
#include <streamrun/base/trivial_vector.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// The format of keyed state on disk and inline: blocks that each belong to one key
/// group, then an index and a footer, so that a restore at another parallelism reads only the key
/// groups that it needs. Numbers are big-endian.
///   block  = "SRB1" u16:key-group u32:rows u32:length u64:xxh3(key-group … length, payload)
///   payload index  = per block varints: key-group offset length-of-payload rows footer =
///   u64:index-offset u32:index-length u64:xxh3(index) "SRSTATE1"
/// A payload is rows one after another; what a row is, the table that wrote it knows. No bit set in
/// its first varint, which says what states it has, is a tombstone: only the key follows.
/// A compressed file ends with "SRSTATE2", and its index has a fifth varint per block: how long the
/// payload is when it is not compressed. A block of which less is left begins with "SRZ1", and its
/// payload is one frame of zstd (RFC 8878).
struct StateBlock {
  int key_group = 0;
  std::uint64_t offset = 0;  ///< of the block's header
  std::uint32_t length = 0;  ///< of the payload as it is stored
  std::uint32_t rows = 0;
  std::uint32_t raw_length = 0;  ///< of the payload, not compressed

  bool is_compressed() const { return length != raw_length; }
};

/// Bytes of a block's header: a payload is built behind so much room.
constexpr std::size_t kStateBlockHeader = 4 + 2 + 4 + 4 + 8;
using StateBytes = TrivialVector<char>;

/// Encodes blocks, which are to be written one after another. Owned by one thread.
class StateFileBuilder {
 public:
  explicit StateFileBuilder(bool compresses = false);
  ~StateFileBuilder();
  StateFileBuilder(StateFileBuilder&&) noexcept;
  StateFileBuilder& operator=(StateFileBuilder&&) noexcept;

  /// Compresses a payload that starts at kStateBlockHeader, if it is to, by way of `scratch`, and
  /// fills in the header in front of it, but for its checksum: `seal_state_block`, which another
  /// thread may do.
  void begin_block(StateBytes& block, StateBytes& scratch, int key_group, std::uint32_t rows);
  /// A whole block.
  std::string block(int key_group, std::uint32_t rows, std::string_view payload);
  /// Index and footer: the last bytes.
  std::string end() const;
  /// In all blocks so far.
  std::uint64_t rows() const { return rows_; }

 private:
  struct Compressor;
  void compress(StateBytes& block, StateBytes& scratch);

  std::unique_ptr<Compressor> compressor_;  ///< null: nothing is compressed
  std::vector<StateBlock> blocks_;
  std::uint64_t offset_ = 0;
  std::uint64_t rows_ = 0;
};

/// Computes the checksum of a block and puts it into its header.
void seal_state_block(StateBytes& block);

/// Reads what a builder wrote, from bytes that may be damaged: every error is E-STATE-CORRUPT with
/// `name` and offset. Any thread; blocking.
class StateFileReader {
 public:
  /// Reads exactly `length` bytes into memory or fails.
  using ReadAt = std::function<Result<void>(std::uint64_t offset, char* into, std::size_t length)>;
  static Result<StateFileReader> open(std::string name, std::uint64_t size, ReadAt read_at);

  /// Sorted as they were written; offsets and lengths lie within the file.
  const std::vector<StateBlock>& blocks() const { return blocks_; }
  /// For messages.
  const std::string& name() const { return name_; }
  /// The checked payload of one block, in `buffer`.
  Result<std::string_view> payload(const StateBlock& block, StateBytes& buffer) const;

 private:
  StateFileReader(std::string name, ReadAt read_at)
      : name_(std::move(name)), read_at_(std::move(read_at)) {}
  Result<std::string_view> decompressed(const StateBlock& block, std::string_view frame,
                                        StateBytes& buffer) const;
  Result<std::string_view> read(std::uint64_t offset, std::size_t length, StateBytes& buffer) const;
  std::string name_;
  ReadAt read_at_;
  std::vector<StateBlock> blocks_;
};

}  // namespace streamrun
