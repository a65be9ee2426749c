#pragma once

#include <string>

#include "flags.h"

namespace streamrun {

/// `config explain KEY`: prints what a key means, its type and its default; returns the exit
/// status. E-USAGE for an unknown key.
int explain_key(const std::string& key, const GlobalFlags& global);

}  // namespace streamrun
