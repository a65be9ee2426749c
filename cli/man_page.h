#pragma once

#include <string>

namespace streamrun {

/// `streamrun.1` as roff, from the command tree and the table of error codes.
std::string man_page();

}  // namespace streamrun
