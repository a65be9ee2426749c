#include "footer.h"

#include <streamrun/base/checksum.h>

namespace streamrun::fuzz {

std::string with_footer(std::string document) {
  const std::string footer = "{\"length\":" + std::to_string(document.size()) + ",\"xxh3\":\"" +
                             xxh3_128_hex(document) + "\"}\n";
  return document + footer;
}

}  // namespace streamrun::fuzz
