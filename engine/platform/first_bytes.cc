#include <streamrun/platform/first_bytes.h>

namespace streamrun {
namespace {

constexpr std::size_t kMostShownBytes = 200;

char printable(char c) {
  if (c == '\n' || c == '\t' || c == '\r') return ' ';
  return c >= ' ' && c <= '~' ? c : '?';
}

}  // namespace

std::string first_bytes(std::string_view body) {
  std::string text(body.substr(0, kMostShownBytes));
  for (char& c : text) c = printable(c);
  return text.empty() ? "an empty body" : text;
}

}  // namespace streamrun
