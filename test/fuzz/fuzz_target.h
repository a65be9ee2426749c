#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The one function of each target. libFuzzer calls it with bytes of its own making; in every other
/// build `replay_main.cc` calls it with the files of `corpus/<target>`. It returns 0; what must not
/// be ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace streamrun::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process with the message unless `holds`.
void require(bool holds, const char* message);

}  // namespace streamrun::fuzz
