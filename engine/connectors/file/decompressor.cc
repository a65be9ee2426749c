#include "decompressor.h"

#include <streamrun/base/assert.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>
#include <zstd.h>

#include "input_file.h"

namespace streamrun {
namespace {

constexpr std::size_t kInputBytes = std::size_t{128} << 10U;

/// The compressed bytes, in pieces.
class CompressedBytes {
 public:
  CompressedBytes(std::unique_ptr<ReadableFile> file, FileSplit split)
      : file_(std::move(file)), split_(std::move(split)), buffer_(kInputBytes, '\0') {}

  /// What is not used yet; empty only at the end of the file.
  Result<std::string_view> peek() {
    if (rest_.empty() && offset_ < split_.file_size) {
      const std::size_t wanted =
          std::min<std::uint64_t>(buffer_.size(), split_.file_size - offset_);
      const std::size_t count = SR_TRY(file_->read_at(offset_, buffer_.data(), wanted));
      if (count < wanted) return input_is_shorter(split_, offset_ + count);
      offset_ += count;
      rest_ = std::string_view(buffer_).substr(0, count);
    }
    return rest_;
  }
  void consume(std::size_t count) { rest_.remove_prefix(count); }

  Error damaged(std::string_view format, std::string why) const {
    return {.code = ErrorCode::store_io,
            .message = "the input file is not whole " + std::string(format),
            .where = split_.path + ", near offset " + std::to_string(offset_ - rest_.size()),
            .why = std::move(why),
            .retry = Retry::no};
  }

 private:
  std::unique_ptr<ReadableFile> file_;
  FileSplit split_;
  std::string buffer_;
  std::string_view rest_;
  std::uint64_t offset_ = 0;
};

class GzipDecompressor final : public Decompressor {
 public:
  explicit GzipDecompressor(CompressedBytes bytes) : bytes_(std::move(bytes)) {
    const int status = ::inflateInit2(&stream_, MAX_WBITS + 16);  // 16: gzip
    SR_ASSERT(status == Z_OK, "zlib starts");
  }
  ~GzipDecompressor() override { ::inflateEnd(&stream_); }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

  Result<std::size_t> read(char* into, std::size_t length) override {
    length = std::min<std::size_t>(length, std::size_t{1} << 30U);  // zlib counts in 32 bits
    while (true) {
      const std::string_view input = SR_TRY(next_input());
      if (input.empty()) return std::size_t{0};
      const std::size_t count = SR_TRY(inflate_some(input, into, length));
      if (count > 0) return count;
    }
  }

 private:
  /// Empty at the end of the text.
  Result<std::string_view> next_input() {
    while (true) {
      const std::string_view input = SR_TRY(bytes_.peek());
      if (input.empty() && in_member_) return bytes_.damaged("gzip", "it ends too early");
      if (input.empty() || in_member_ || input.front() != '\0' || !had_member_) return input;
      bytes_.consume(1);  // zeros that fill up a block of a tape are no member
    }
  }

  Result<std::size_t> inflate_some(std::string_view input, char* into, std::size_t length) {
    in_member_ = true;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into);
    stream_.avail_out = static_cast<uInt>(length);
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return bytes_.damaged(
          "gzip", stream_.msg != nullptr ? stream_.msg : "zlib error " + std::to_string(status));
    }
    bytes_.consume(input.size() - stream_.avail_in);
    if (status == Z_STREAM_END) {
      in_member_ = false;
      had_member_ = true;
      ::inflateReset(&stream_);
    }
    return length - stream_.avail_out;
  }

  CompressedBytes bytes_;
  z_stream stream_{};
  bool in_member_ = false;
  bool had_member_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  explicit ZstdDecompressor(CompressedBytes bytes)
      : bytes_(std::move(bytes)), stream_(::ZSTD_createDStream()) {
    SR_ASSERT(stream_ != nullptr, "zstd starts");
  }

  Result<std::size_t> read(char* into, std::size_t length) override {
    ZSTD_outBuffer output{into, length, 0};
    while (output.pos == 0) {
      const std::string_view input = SR_TRY(bytes_.peek());
      if (input.empty() && !in_frame_) break;
      ZSTD_inBuffer source{input.data(), input.size(), 0};
      const std::size_t status = ::ZSTD_decompressStream(stream_.get(), &output, &source);
      if (::ZSTD_isError(status) != 0) return bytes_.damaged("zstd", ::ZSTD_getErrorName(status));
      bytes_.consume(source.pos);
      in_frame_ = status != 0;
      // With no input left, only what the stream still holds can come.
      if (input.empty() && output.pos == 0 && in_frame_)
        return bytes_.damaged("zstd", "it ends too early");
    }
    return output.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
  };
  CompressedBytes bytes_;
  const std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool in_frame_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(std::unique_ptr<ReadableFile> file,
                                                const FileSplit& split) {
  CompressedBytes bytes(std::move(file), split);
  if (split.compression == Compression::gzip)
    return std::make_unique<GzipDecompressor>(std::move(bytes));
  SR_ASSERT(split.compression == Compression::zstd, "the split is compressed");
  return std::make_unique<ZstdDecompressor>(std::move(bytes));
}

}  // namespace streamrun
