#include <streamrun/base/key_groups.h>

namespace streamrun {
namespace {

// One loop, compiled for each level: the compiler makes vectors of it.
[[gnu::always_inline]] inline void murmur_loop(std::uint32_t* codes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) codes[i] = murmur_hash(codes[i]);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void murmur_avx2(std::uint32_t* codes, std::size_t count) {
  murmur_loop(codes, count);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void murmur_avx512(std::uint32_t* codes,
                                                                         std::size_t count) {
  murmur_loop(codes, count);
}
#endif

}  // namespace

void murmur_hash_all(std::uint32_t* codes, std::size_t count, VectorLevel level) {
#if defined(__x86_64__)
  if (level == VectorLevel::avx512) return murmur_avx512(codes, count);
  if (level == VectorLevel::avx2) return murmur_avx2(codes, count);
#endif
  (void)level;
  murmur_loop(codes, count);
}

}  // namespace streamrun
