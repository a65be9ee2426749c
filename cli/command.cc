#include "command.h"

namespace streamrun {

std::string Flag::spelling() const {
  return long_name.empty() ? std::string{'-', short_name} : "--" + long_name;
}

std::optional<std::string> Invocation::value(std::string_view spelling) const {
  const auto found = values.find(spelling);
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Invocation::all(std::string_view spelling) const {
  const auto found = values.find(spelling);
  return found == values.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace streamrun
