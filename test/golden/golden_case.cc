#include "golden/golden_case.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

/// So that 0.10.0 comes after 0.9.0.
std::vector<int> numbers_of(const std::string& version) {
  std::vector<int> numbers;
  std::istringstream parts(version);
  for (std::string part; std::getline(parts, part, '.');) numbers.push_back(std::stoi(part));
  return numbers;
}

bool is_version(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_directory() && std::isdigit(static_cast<unsigned char>(name.front())) != 0;
}

bool comes_before(const GoldenCase& a, const GoldenCase& b) {
  return std::pair(numbers_of(a.version), a.name) < std::pair(numbers_of(b.version), b.name);
}

}  // namespace

std::string golden_bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return content.str();
}

std::vector<std::string> golden_lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::istringstream text(golden_bytes_of(path));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> GoldenCase::job() const {
  return golden_lines_of(folder + "/job");
}

std::vector<std::string> GoldenCase::output() const {
  return golden_lines_of(folder + "/output");
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const auto& version : fs::directory_iterator(STREAMRUN_GOLDEN)) {
    if (!is_version(version)) continue;
    for (const auto& each : fs::directory_iterator(version.path())) {
      cases.push_back({.version = version.path().filename().string(),
                       .name = each.path().filename().string(),
                       .folder = each.path().string()});
    }
  }
  std::sort(cases.begin(), cases.end(), comes_before);
  return cases;
}

GoldenCase newest_golden_case(const std::string& name) {
  const std::vector<GoldenCase> cases = golden_cases();
  const auto found = std::find_if(cases.rbegin(), cases.rend(),
                                  [&](const GoldenCase& each) { return each.name == name; });
  if (found == cases.rend()) throw std::runtime_error("no golden snapshot is called " + name);
  return *found;
}

}  // namespace streamrun::test
