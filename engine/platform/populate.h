#pragma once

#include <cstddef>

namespace streamrun {

/// Has the system put memory behind the whole pages among these bytes, all at once: to touch them
/// one after another costs an exception each, or two where they are read first. They stay as they
/// are. Where the system can't, it does nothing.
void populate(void* from, std::size_t bytes);

}  // namespace streamrun
