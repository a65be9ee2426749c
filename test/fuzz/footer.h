#pragma once

#include <string>

namespace streamrun::fuzz {

/// The document and, behind it, the footer that `_metadata` needs over exactly these bytes.
std::string with_footer(std::string document);

}  // namespace streamrun::fuzz
