#include <cstdio>
#include <cstdlib>

#include "fuzz_target.h"

namespace streamrun::fuzz {

void require(bool holds, const char* message) {
  if (holds) return;
  std::fprintf(stderr, "fuzz target: %s\n", message);
  std::abort();
}

}  // namespace streamrun::fuzz
