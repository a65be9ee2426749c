#include <streamrun/base/strings.h>
#include <streamrun/rest/received_request.h>

namespace streamrun {

std::string ReceivedRequest::header(std::string_view lower_case_name) const {
  const std::string* found = nullptr;
  for (const auto& [name, value] : headers) {
    if (name != lower_case_name) continue;
    if (found != nullptr) return {};
    found = &value;
  }
  return found == nullptr ? "" : *found;
}

std::string ReceivedRequest::parameter(std::string_view name) const {
  for (const std::string& each : split(query, '&')) {
    const std::size_t equals = each.find('=');
    if (std::string_view(each).substr(0, equals) != name) continue;
    return equals == std::string::npos ? "" : each.substr(equals + 1);
  }
  return {};
}

}  // namespace streamrun
