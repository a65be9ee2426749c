#include <streamrun/base/crash_point.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <unistd.h>

namespace streamrun {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

bool chance_is_due(std::string_view odds_and_seed, std::uint64_t pass) {
  const std::size_t colon = odds_and_seed.find(':');
  if (colon == std::string_view::npos) return false;
  const auto odds = number_of(odds_and_seed.substr(0, colon));
  const auto seed = number_of(odds_and_seed.substr(colon + 1));
  if (!odds || *odds == 0 || !seed) return false;
  return mixed(*seed ^ mixed(pass)) % *odds == 0;
}

}  // namespace

bool crash_is_due(std::string_view armed, std::string_view name, std::uint64_t pass) {
  if (armed.size() <= name.size() || !armed.starts_with(name) || armed[name.size()] != ':') {
    return false;
  }
  const std::string_view when = armed.substr(name.size() + 1);
  if (when.starts_with("1/")) return chance_is_due(when.substr(2), pass);
  return number_of(when) == pass;
}

void crash_point(const char* name) {
  // Read at each pass: builds with crash points are for tests, and those set it late.
  const char* text = std::getenv(kCrashVariable);
  if (text == nullptr) return;
  static std::atomic<std::uint64_t> passes{0};
  const std::string_view armed(text);
  const std::string_view wanted = armed.substr(0, armed.find(':'));
  if (wanted != name) return;
  if (crash_is_due(armed, name, ++passes)) ::kill(::getpid(), SIGKILL);
}

}  // namespace streamrun
