#include "version.h"

namespace streamrun {

constinit const std::string_view kVersion = STREAMRUN_VERSION;

}  // namespace streamrun
