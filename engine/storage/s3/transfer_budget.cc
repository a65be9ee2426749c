#include "transfer_budget.h"

namespace streamrun {

TransferBudget::Lease TransferBudget::try_take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > free_) return {};
  free_ -= bytes;
  return {*this, bytes};
}

void TransferBudget::give_back(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  free_ += bytes;
}

}  // namespace streamrun
