#include "assemble.h"

#include <streamrun/storage/local_file_system.h>

namespace streamrun {

std::unique_ptr<FileSystems> make_file_systems() {
  auto stores = std::make_unique<FileSystems>();
  stores->add("file", make_local_file_system());
  return stores;
}

}  // namespace streamrun
