#include <streamrun/connectors/file/file_source.h>

#include <algorithm>

#include <sys/stat.h>

#include "temporary_folder.h"

namespace streamrun::test {
namespace {

/// Each file holds its own name, so that the lines tell what was read.
class Tree : public TemporaryFolder {
 public:
  explicit Tree(const std::vector<std::string>& names) {
    for (const std::string& name : names) write(name, name + "\n");
  }
};

struct Found {
  std::vector<std::string> names;
  std::string error;
};

Found find(const Tree& tree, const std::vector<std::string>& paths, bool watch = false) {
  LocalWorld world;
  FileSource source{.paths = {}, .watch = watch};
  for (const std::string& path : paths) source.paths.push_back(tree.at(path));
  SourceRun<std::string> run(world, source, 1);
  for (int i = 0; i < 2000 && !run.ended() && !run.failure; ++i) run.step();
  return {.names = run.lines(), .error = run.failure ? run.failure->headline() : ""};
}

using Names = std::vector<std::string>;

TEST_CASE("file listing: a folder is read with all below it, in the order of paths",
          "[connectors]") {
  const Tree tree({"in/b", "in/a/z", "in/a/deep/er/x", "in/c.txt", "out/y"});
  CHECK(find(tree, {"in"}).names == Names{"in/a/deep/er/x", "in/a/z", "in/b", "in/c.txt"});
  CHECK(find(tree, {"in/"}).names.size() == 4);
  CHECK(find(tree, {"out", "in/b"}).names == Names{"in/b", "out/y"});
}

TEST_CASE("file listing: names beginning with a dot or underscore are left out", "[connectors]") {
  const Tree tree({"in/a", "in/.b", "in/_c", "in/.d/e", "in/_f/g", "in/h/.i"});
  CHECK(find(tree, {"in"}).names == Names{"in/a"});
  CHECK(find(tree, {"in/*"}).names == Names{"in/a"});
  CHECK(find(tree, {"in/*/*"}).error ==
        "E-PATH: no input matches the pattern (" + tree.at("in/*/*") + ")");
  CHECK(find(tree, {"in/.b", "in/_f/g"}).names == Names{"in/.b", "in/_f/g"});
  CHECK(find(tree, {"in/.d"}).names == Names{"in/.d/e"});
}

TEST_CASE("file listing: patterns match in every part of a path", "[connectors]") {
  const Tree tree(
      {"in/2024/a.log", "in/2024/b.txt", "in/2025/a.log", "in/x/a.log", "in/2025/deep/c.log"});
  CHECK(find(tree, {"in/*/a.log"}).names == Names{"in/2024/a.log", "in/2025/a.log", "in/x/a.log"});
  CHECK(find(tree, {"in/20[0-9]4/*"}).names == Names{"in/2024/a.log", "in/2024/b.txt"});
  CHECK(find(tree, {"in/202?/a.*"}).names == Names{"in/2024/a.log", "in/2025/a.log"});
  CHECK(find(tree, {"i*/2025"}).names == Names{"in/2025/a.log", "in/2025/deep/c.log"});
  CHECK(find(tree, {"in/[!2]*"}).names == Names{"in/x/a.log"});
}

TEST_CASE("file listing: a name that looks like a pattern is taken as it is", "[connectors]") {
  const Tree tree({"in/a[1].txt", "in/a1.txt"});
  CHECK(find(tree, {"in/a[1].txt"}).names == Names{"in/a[1].txt"});
}

TEST_CASE("file listing: a file that two paths lead to is read once", "[connectors]") {
  const Tree tree({"in/a", "in/b"});
  std::filesystem::create_symlink("a", tree.at("in/link"));
  std::filesystem::create_hard_link(tree.at("in/b"), tree.at("in/hard"));
  CHECK(find(tree, {"in", "in/a", "in/*", "in/link"}).names == Names{"in/a", "in/b"});
}

TEST_CASE("file listing: links to files are followed, links to folders only when named",
          "[connectors]") {
  const Tree tree({"in/a", "other/b", "other/c"});
  std::filesystem::create_symlink("../other/b", tree.at("in/file"));
  std::filesystem::create_symlink("../other", tree.at("in/folder"));
  std::filesystem::create_symlink("nowhere", tree.at("in/dangling"));
  std::filesystem::create_symlink(".", tree.at("in/self"));
  CHECK(find(tree, {"in"}).names == Names{"in/a", "other/b"});
  CHECK(find(tree, {"in/*"}).names == Names{"in/a", "other/b"});
  CHECK(find(tree, {"in/*/c"}).error.starts_with("E-PATH: no input matches"));
  CHECK(find(tree, {"in/folder"}).names == Names{"other/b", "other/c"});
  CHECK(find(tree, {"in/folder/c*"}).names == Names{"other/c"});
  CHECK(find(tree, {"in/dangling"})
            .error.starts_with("E-PATH: the input is a link that leads nowhere"));
}

TEST_CASE("file listing: a path that is not there is an error", "[connectors]") {
  const Tree tree({"in/a"});
  std::filesystem::create_directory(tree.at("empty"));
  CHECK(find(tree, {"in", "missing"}).error ==
        "E-PATH: no such input file or folder (" + tree.at("missing") + ")");
  CHECK(find(tree, {"in", "in/b*"}).error.starts_with("E-PATH: no input matches the pattern"));
  CHECK(find(tree, {"missing/*"}).error.starts_with("E-PATH"));
  CHECK(find(tree, {"empty"}).error == "E-PATH: there is no input file (" + tree.at("empty") + ")");
  CHECK(find(tree, {"empty", "in"}).error.empty());
}

TEST_CASE("file listing: watching waits for files, in folders that exist", "[connectors]") {
  const Tree tree({"in/a"});
  std::filesystem::create_directory(tree.at("empty"));
  CHECK(find(tree, {"empty"}, true).error.empty());
  CHECK(find(tree, {"empty/*.log"}, true).error.empty());
  CHECK(find(tree, {"missing"}, true).error.starts_with("E-PATH"));
  CHECK(find(tree, {"missing/*.log"}, true).error.starts_with("E-PATH"));
}

TEST_CASE("file listing: a pipe is left out, and refused by name", "[connectors]") {
  const Tree tree({"in/a"});
  REQUIRE(::mkfifo(tree.at("in/pipe").c_str(), 0600) == 0);
  CHECK(find(tree, {"in"}).names == Names{"in/a"});
  CHECK(find(tree, {"in/pipe"})
            .error.starts_with("E-PATH: the input is neither a file nor a folder"));
}

}  // namespace
}  // namespace streamrun::test
