#pragma once

namespace streamrun {

/// How wide the vectors of this machine's CPU are. The binary is built for the least of them;
/// what a hot loop gains from more is chosen at run time, once per batch.
enum class VectorLevel {
  baseline,  ///< what the build may rely on (x86-64-v2), or another architecture
  avx2,      ///< with BMI1 and BMI2
  avx512,    ///< F, BW, VL, DQ and VBMI2
};

/// The widest that the CPU offers, found once. Any thread.
VectorLevel vector_level();

}  // namespace streamrun
