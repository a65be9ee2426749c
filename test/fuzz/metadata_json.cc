// `_metadata` from anywhere: as it is, and with a footer that fits, as an attacker would write it.
#include <streamrun/checkpoint/metadata_format.h>

#include <string>

#include "footer.h"
#include "fuzz_target.h"

namespace {

using namespace streamrun;

/// What was read can be written, and reads back as the same.
void check(const Result<CheckpointMetadata>& read) {
  if (!read) {
    fuzz::require(!read.error().message.empty(), "an error says what is wrong");
    return;
  }
  fuzz::require(check_structure(*read).has_value(), "what was read has a sound structure");
  const std::string written = encode(*read);
  const Result<CheckpointMetadata> again = decode(written);
  fuzz::require(again.has_value(), "what was written can be read");
  fuzz::require(encode(*again) == written, "what was read again is the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check(decode(text));
  check(decode(fuzz::with_footer(std::string(text))));
  return 0;
}
