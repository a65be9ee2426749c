#pragma once

#include <streamrun/base/vector_level.h>
#include <streamrun/stream/output.h>

#include <string>
#include <string_view>

namespace streamrun::jobs {

/// A word is a maximal run of ASCII letters and digits; it is emitted in lower case. `level` at
/// most `vector_level()`.
void split_words(std::string_view text, Output<std::string>& words,
                 VectorLevel level = vector_level());

/// The same for a whole batch at once: it looks at 64 bytes of contiguous text at a time, whatever
/// the lines.
void split_words_of_batch(const Batch<std::string>& lines, Output<std::string>& words);

}  // namespace streamrun::jobs
