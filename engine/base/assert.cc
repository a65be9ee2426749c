#include <streamrun/base/assert.h>

#include <cstdio>
#include <cstdlib>

namespace streamrun {
namespace {
AssertionHandler g_handler = nullptr;
}  // namespace

void set_assertion_handler(AssertionHandler handler) {
  g_handler = handler;
}

void assertion_failed(const char* condition, const char* text, const char* file, int line) {
  if (g_handler != nullptr) g_handler(condition, text, file, line);
  std::fprintf(stderr, "error: E-BUG: %s (%s:%d: %s)\n", text, file, line, condition);
  std::abort();
}

}  // namespace streamrun
