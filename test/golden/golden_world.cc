#include "golden/golden_world.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

void append_lines(std::vector<std::string>& lines, const std::string& text) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
}

}  // namespace

GoldenWorld::GoldenWorld(GoldenCase golden) : golden_(std::move(golden)) {
  fs::copy(golden_.folder, folder_.path(), fs::copy_options::recursive);
}

Outcome GoldenWorld::run(int parallelism) const {
  std::vector<std::string> arguments = {"run", "-p", std::to_string(parallelism), "-s", "snapshot"};
  for (const std::string& word : golden_.job()) arguments.push_back(word);
  return folder_.own(arguments);
}

std::vector<std::string> GoldenWorld::output_of(const Outcome& outcome) const {
  std::vector<std::string> lines;
  if (fs::exists(folder_.at("out"))) {
    for (const auto& entry : fs::directory_iterator(folder_.at("out"))) {
      if (entry.path().filename().string().starts_with(".")) continue;
      append_lines(lines, golden_bytes_of(entry.path().string()));
    }
  } else {
    append_lines(lines, outcome.out);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace streamrun::test
