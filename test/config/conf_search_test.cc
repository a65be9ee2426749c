#include <streamrun/config/conf_search.h>

#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// A search over files that exist; so do the folders above them.
ConfSearch search_over(const std::set<std::string>& files,
                       const std::set<std::string>& folders = {}) {
  ConfSearch search;
  search.kind_of = [=](const std::string& path) {
    if (files.contains(path)) return PathKind::file;
    if (folders.contains(path)) return PathKind::folder;
    for (const std::string& file : files) {
      if (file.find(path + "/") == 0) return PathKind::folder;
    }
    return PathKind::nothing;
  };
  return search;
}

TEST_CASE("conf search: places are asked in order, strongest first", "[config]") {
  std::set<std::string> files = {
      "/flag/config.yaml",          "/streamrun/config.yaml",
      "/flink/config.yaml",         "conf/config.yaml",
      "/xdg/streamrun/config.yaml", "/home/me/.config/streamrun/config.yaml",
      "/etc/streamrun/config.yaml"};
  ConfSearch search = search_over(files, {"/streamrun/"});
  search.conf_flag = "/flag";
  search.streamrun_conf_dir = "/streamrun/";
  search.flink_conf_dir = "/flink";
  search.xdg_config_home = "/xdg";
  search.home = "/home/me";
  CHECK(find_configuration_file(search)->file == "/flag/config.yaml");
  search.conf_flag = "";
  CHECK(find_configuration_file(search)->file == "/streamrun/config.yaml");
  search.streamrun_conf_dir = "";
  CHECK(find_configuration_file(search)->file == "/flink/config.yaml");
  search.flink_conf_dir = "";
  CHECK(find_configuration_file(search)->file == "conf/config.yaml");
  files.erase("conf/config.yaml");
  search.kind_of = search_over(files).kind_of;
  CHECK(find_configuration_file(search)->file == "/xdg/streamrun/config.yaml");
  search.xdg_config_home = "";
  CHECK(find_configuration_file(search)->file == "/home/me/.config/streamrun/config.yaml");
  search.home = "";
  CHECK(find_configuration_file(search)->file == "/etc/streamrun/config.yaml");
  search.kind_of = search_over({}).kind_of;
  CHECK(find_configuration_file(search)->file.empty());
}

TEST_CASE("conf search: flink-conf goes before config, and a warning names what is passed over",
          "[config]") {
  const auto both =
      find_configuration_file(search_over({"conf/flink-conf.yml", "conf/config.yaml"}));
  CHECK(both->file == "conf/flink-conf.yml");
  CHECK(both->warnings == std::vector<std::string>{
                              "conf/config.yaml is not read: conf/flink-conf.yml goes before it"});
  const auto three = find_configuration_file(
      search_over({"conf/flink-conf.yaml", "conf/flink-conf.yml", "conf/config.yaml"}));
  CHECK(three->file == "conf/flink-conf.yaml");
  CHECK(three->warnings.size() == 2);
  CHECK(find_configuration_file(search_over({"conf/config.yaml"}))->warnings.empty());
}

TEST_CASE("conf search: --conf may name a file of any name", "[config]") {
  ConfSearch search = search_over({"/a/my.conf", "/a/config.yaml"});
  search.conf_flag = "/a/my.conf";
  CHECK(find_configuration_file(search)->file == "/a/my.conf");
}

TEST_CASE("conf search: a place that someone named must have a configuration", "[config]") {
  ConfSearch search = search_over({"conf/config.yaml", "/a/file"}, {"/empty"});
  search.conf_flag = "/gone";
  CHECK(find_configuration_file(search).error().headline() ==
        "E-PATH: --conf names what does not exist (/gone)");
  search.conf_flag = "/empty";
  CHECK(find_configuration_file(search).error().code == ErrorCode::config);
  search.conf_flag = "";
  search.streamrun_conf_dir = "/gone";
  CHECK(find_configuration_file(search).error().headline() ==
        "E-PATH: STREAMRUN_CONF_DIR names what does not exist (/gone)");
  search.streamrun_conf_dir = "/a/file";
  CHECK(find_configuration_file(search).error().headline() ==
        "E-PATH: STREAMRUN_CONF_DIR names a file, not a folder (/a/file)");
  search.streamrun_conf_dir = "";
  search.flink_conf_dir = "/gone";
  CHECK(find_configuration_file(search).error().headline() ==
        "E-PATH: FLINK_CONF_DIR names what does not exist (/gone)");
}

TEST_CASE("conf search: a folder with the name of a configuration file is none", "[config]") {
  CHECK(
      find_configuration_file(search_over({"conf/config.yaml"}, {"conf/flink-conf.yaml"}))->file ==
      "conf/config.yaml");
}

}  // namespace
}  // namespace streamrun
