// Reads the repository itself: what the build can't see, or would only notice when it is too late.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const fs::path kRoot = fs::canonical(STREAMRUN_REPOSITORY);
const fs::path kEngine = kRoot / "engine";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Files below `folder` whose names end with one of `endings`, sorted.
std::vector<fs::path> files_below(const fs::path& folder, const std::vector<std::string>& endings) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool wanted =
        std::any_of(endings.begin(), endings.end(),
                    [&name](const std::string& ending) { return name.ends_with(ending); });
    if (entry.is_regular_file() && wanted) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The words of a CMakeLists.txt, without its comments; brackets are words.
Words words_of(const fs::path& cmake_file) {
  Words words;
  std::string word;
  bool comment = false;
  for (const char c : text_of(cmake_file) + "\n") {
    comment = c != '\n' && (comment || c == '#');
    const bool ends =
        comment || std::isspace(static_cast<unsigned char>(c)) != 0 || c == '(' || c == ')';
    if (!ends) {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
    if (!comment && (c == '(' || c == ')')) words.emplace_back(1, c);
  }
  return words;
}

struct Room {
  std::string name;
  std::map<std::string, Words> lists;  ///< PUBLIC, SOURCES, USES, PRIVATE_USES
};

Room parse_room(const Words& words, std::size_t at) {
  Room room{.name = words[at], .lists = {}};
  const std::set<std::string> keywords = {"PUBLIC", "SOURCES", "USES", "PRIVATE_USES"};
  std::string keyword;
  for (++at; at < words.size() && words[at] != ")"; ++at) {
    if (keywords.contains(words[at])) {
      keyword = words[at];
    } else {
      room.lists[keyword].push_back(words[at]);
    }
  }
  return room;
}

/// The folders that a CMakeLists.txt adds, in order.
Words added_folders(const fs::path& folder) {
  Words added;
  const Words words = words_of(folder / "CMakeLists.txt");
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == "add_subdirectory") added.push_back(words[i + 2]);
  }
  return added;
}

/// All rooms in the order in which CMake meets them.
void collect_rooms(const fs::path& folder, std::vector<Room>& rooms) {
  const Words words = words_of(folder / "CMakeLists.txt");
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == "add_subdirectory") collect_rooms(folder / words[i + 2], rooms);
    if (words[i] != "streamrun_room") continue;
    rooms.push_back(parse_room(words, i + 2));
    CHECK(rooms.back().name == fs::relative(folder, kEngine).generic_string());
  }
}

std::vector<Room> rooms_of_the_engine() {
  std::vector<Room> rooms;
  collect_rooms(kEngine, rooms);
  REQUIRE(rooms.size() > 10);
  return rooms;
}

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST_CASE("tree: a room uses only rooms that come before it", "[tree]") {
  Words above;
  for (Room& room : rooms_of_the_engine()) {
    for (const std::string& used : room.lists["USES"]) {
      INFO(room.name << " uses " << used);
      CHECK(holds(above, used));
    }
    above.push_back(room.name);
  }
}

TEST_CASE("tree: a room includes only rooms that it uses, or that those use", "[tree]") {
  std::map<std::string, std::set<std::string>> reach;
  const std::regex include(R"re(#include <streamrun/([^>]*)/[^/>]*>)re");
  for (Room& room : rooms_of_the_engine()) {
    std::set<std::string>& allowed = reach[room.name];
    allowed.insert(room.name);
    for (const std::string& used : room.lists["USES"])
      allowed.insert(reach[used].begin(), reach[used].end());
    for (const auto& entry : fs::directory_iterator(kEngine / room.name)) {
      if (!entry.is_regular_file()) continue;
      const std::string text = text_of(entry.path());
      for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
        INFO(entry.path().string() << " includes " << it->str());
        CHECK(allowed.contains((*it)[1].str()));
      }
    }
  }
}

TEST_CASE("tree: nothing in the product includes by way of its parent folder", "[tree]") {
  for (const std::string folder : {"engine", "cli", "jobs"}) {
    for (const fs::path& file : files_below(kRoot / folder, {".h", ".cc"})) {
      INFO(file.string());
      CHECK(text_of(file).find("#include \"..") == std::string::npos);
    }
  }
}

TEST_CASE(
    "tree: every file of a room is named in its CMakeLists.txt, or is a header of its own use",
    "[tree]") {
  for (Room& room : rooms_of_the_engine()) {
    const fs::path folder = kEngine / room.name;
    std::string all_text;
    Words present;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".h") && !name.ends_with(".cc")) continue;
      present.push_back(name);
      all_text += text_of(entry.path());
    }
    for (const std::string& name : present) {
      INFO(room.name << "/" << name);
      const bool private_header =
          name.ends_with(".h") && all_text.find("#include \"" + name + "\"") != std::string::npos;
      CHECK((holds(room.lists["PUBLIC"], name) || holds(room.lists["SOURCES"], name) ||
             private_header));
    }
    for (const std::string list : {"PUBLIC", "SOURCES"}) {
      for (const std::string& name : room.lists[list]) {
        INFO(room.name << "/" << name);
        CHECK(holds(present, name));
      }
    }
  }
}

TEST_CASE("tree: public headers include nothing that is not public", "[tree]") {
  for (Room& room : rooms_of_the_engine()) {
    for (const std::string& header : room.lists["PUBLIC"]) {
      INFO(room.name << "/" << header);
      CHECK(text_of(kEngine / room.name / header).find("#include \"") == std::string::npos);
    }
  }
}

TEST_CASE("tree: every file of the engine belongs to a room", "[tree]") {
  std::set<fs::path> folders;
  for (const Room& room : rooms_of_the_engine()) folders.insert(kEngine / room.name);
  for (const fs::path& file : files_below(kEngine, {".h", ".cc"})) {
    INFO(file.string());
    CHECK(folders.contains(file.parent_path()));
  }
}

TEST_CASE("tree: every test is built", "[tree]") {
  for (const fs::path& file : files_below(kRoot / "test", {"_test.cc"})) {
    INFO(file.string());
    bool named = false;
    for (fs::path folder = file.parent_path(); !named && folder != kRoot;
         folder = folder.parent_path()) {
      const fs::path list = folder / "CMakeLists.txt";
      named =
          fs::exists(list) && holds(words_of(list), fs::relative(file, folder).generic_string());
    }
    CHECK(named);
  }
}

// ---- the map of the engine

TEST_CASE("tree: the map's table of rooms is the list in CMake, in its order", "[tree]") {
  const fs::path map = kEngine / "README.md";
  if (!fs::exists(map)) {
    WARN("engine/README.md is not there: its table is not compared");
    return;
  }
  const std::string text = text_of(map);
  const std::regex row(R"re((?:^|\n)\| `([a-z/]+)` \|)re");
  Words rooms;
  for (std::sregex_iterator it(text.begin(), text.end(), row), end; it != end; ++it)
    rooms.push_back((*it)[1].str());
  CHECK(rooms == added_folders(kEngine));
}

TEST_CASE("tree: every path that the map names is there", "[tree]") {
  const fs::path map = kEngine / "README.md";
  if (!fs::exists(map)) {
    WARN("engine/README.md is not there: its paths are not looked up");
    return;
  }
  const std::string text = text_of(map);
  const std::regex quoted("`([^`\\s]+/[^`\\s]*)`");
  std::size_t looked_up = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), quoted), end; it != end; ++it) {
    const fs::path path = (*it)[1].str();
    if (path.is_absolute() || !fs::exists(kRoot / *path.begin()))
      continue;  // not a path of this repository
    INFO(path.string());
    CHECK(fs::exists(kRoot / path));
    ++looked_up;
  }
  CHECK(looked_up > 0);
}

}  // namespace
