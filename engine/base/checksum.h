#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace streamrun {

std::uint64_t xxh3_64(std::string_view bytes);

/// XXH3-128 as 32 hex digits, most significant first.
std::string xxh3_128_hex(std::string_view bytes);

/// XXH3-128 over bytes that arrive in pieces.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  void update(std::string_view bytes);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC-32C (Castagnoli, reflected, RFC 3720): `crc32c("123456789") == 0xe3069283`. Pass the former
/// value to go on.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace streamrun
