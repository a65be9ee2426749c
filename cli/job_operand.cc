#include "job_operand.h"

namespace streamrun {

JobAndFolder job_and_folder(const Invocation& invocation, const std::string& flag) {
  const auto folder = invocation.value(flag);
  if (!invocation.operands.empty()) return {.job = invocation.operands.front(), .folder = folder};
  if (!folder) return {};
  return {.job = *folder, .folder = ""};
}

}  // namespace streamrun
