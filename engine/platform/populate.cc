#include <streamrun/platform/populate.h>

#include <memory>

#include <sys/mman.h>
#include <unistd.h>

namespace streamrun {
namespace {

/// madvise(2), from Linux 5.14 on; older headers lack the name.
constexpr int kPopulateWrite = 23;

}  // namespace

void populate(void* from, std::size_t bytes) {
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::size_t left = bytes;
  void* const first = std::align(kPage, kPage, from, left);
  if (first == nullptr) return;
  static_cast<void>(::madvise(first, left / kPage * kPage, kPopulateWrite));
}

}  // namespace streamrun
