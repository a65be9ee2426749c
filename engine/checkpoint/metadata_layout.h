#pragma once

#include <streamrun/base/checksum.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamrun {

/// What the writer and the reader of `_metadata` share.

constexpr std::string_view kMagic = "streamrun-checkpoint";
/// The bytes that every format starts with; the number of the format follows.
constexpr std::string_view kPrefix = "{\n \"magic\": \"streamrun-checkpoint\",\n \"format\": ";
constexpr std::size_t kStringLimitBytes = 64U << 10U;
constexpr std::size_t kDepthLimit = 32;
/// The last integer that a double, and so `jq`, keeps exact.
constexpr std::uint64_t kNumberLimit = (1ULL << 53U) - 1;
/// State files carry one CRC-32C for each block of this length.
constexpr std::uint64_t kChecksumBlockBytes = 1ULL << 20U;
/// By the value of `Redistribution`.
constexpr std::array<std::string_view, 4> kRedistributionNames = {"split", "union", "broadcast",
                                                                  "by-subtask"};

/// By the value of `SubtaskStateMapper`.
constexpr std::array<std::string_view, 2> kMapperNames = {"range", "round-robin"};

/// The last line of `_metadata`, newline included, over all bytes before it.
inline std::string footer_of(std::string_view body) {
  return "{\"length\":" + std::to_string(body.size()) + ",\"xxh3\":\"" + xxh3_128_hex(body) +
         "\"}\n";
}

}  // namespace streamrun
