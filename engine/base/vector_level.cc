#include <streamrun/base/vector_level.h>

namespace streamrun {
namespace {

VectorLevel find_vector_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vbmi2")) {
    return VectorLevel::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2")) {
    return VectorLevel::avx2;
  }
#endif
  return VectorLevel::baseline;
}

}  // namespace

VectorLevel vector_level() {
  static const VectorLevel kLevel = find_vector_level();
  return kLevel;
}

}  // namespace streamrun
