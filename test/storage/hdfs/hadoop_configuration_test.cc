#include <streamrun/storage/hdfs/hadoop_configuration.h>

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "sim/memory_file_system.h"

namespace streamrun {
namespace {

using Properties = std::map<std::string, std::string>;

std::string property(const std::string& name, const std::string& value,
                     const std::string& more = {}) {
  return "<property><name>" + name + "</name><value>" + value + "</value>" + more + "</property>\n";
}

struct Folder {
  Folder() { files.create_directory("/conf").value(); }
  void write(const std::string& name, const std::string& text) {
    const auto file = files.create("/conf/" + name).value();
    file->append(text).value();
    file->close().value();
  }
  void write_properties(const std::string& name, const std::string& properties) {
    write(name, "<?xml version=\"1.0\"?>\n<configuration>\n" + properties + "</configuration>\n");
  }
  Result<HadoopConfiguration> read(const Properties& overrides = {}) {
    return read_hadoop_configuration(files, "/conf", overrides);
  }

  sim::MemoryFileSystem files;
};

TEST_CASE("hadoop configuration: missing files and no folder have no properties",
          "[storage][hdfs]") {
  Folder folder;
  CHECK(folder.read().value().properties.empty());
  CHECK(read_hadoop_configuration(folder.files, "/none", {}).value().properties.empty());
  CHECK(read_hadoop_configuration(folder.files, "", {{"a", "1"}}).value().properties ==
        Properties{{"a", "1"}});
}

TEST_CASE("hadoop configuration: later files and overrides win, but not over what is final",
          "[storage][hdfs]") {
  Folder folder;
  folder.write_properties("core-site.xml",
                          property("a", "core") + property("b", " core\n ") +
                              property("c", "core", "<final>true</final>") +
                              property("d", "core", "<description>why</description>"));
  folder.write_properties("hdfs-site.xml", property("b", "hdfs") + property("c", "hdfs") +
                                               property("d", "hdfs", "<final>false</final>"));
  const HadoopConfiguration found = folder.read({{"c", "mine"}, {"d", "mine"}}).value();
  CHECK(found.properties == Properties{{"a", "core"}, {"b", "hdfs"}, {"c", "core"}, {"d", "mine"}});
  CHECK(found.warnings.empty());
}

TEST_CASE("hadoop configuration: variables are other properties", "[storage][hdfs]") {
  Folder folder;
  folder.write_properties(
      "core-site.xml", property("host", "nn") + property("fs.defaultFS", "hdfs://${host}:${port}") +
                           property("port", "${base}20") + property("base", "80") +
                           property("unknown", "${user.home}/x-${host}") +
                           property("self", "${self}") + property("open", "${host") +
                           property("which", "${${name}}") + property("name", "host") +
                           property("twice", "${twice}${twice}"));
  const Properties found = folder.read().value().properties;
  CHECK(found.at("fs.defaultFS") == "hdfs://nn:8020");
  CHECK(found.at("unknown") == "${user.home}/x-nn");
  CHECK(found.at("self") == "${self}");
  CHECK(found.at("open") == "${host");
  CHECK(found.at("which") == "nn");
  CHECK(found.at("twice").size() < 1000);
}

TEST_CASE("hadoop configuration: a broken file is E-CONF with its name and offset",
          "[storage][hdfs]") {
  for (const char* text :
       {"", "no xml", "<configuration><property>", "<other/>", "<configuration"}) {
    INFO(text);
    Folder folder;
    folder.write("hdfs-site.xml", text);
    const Result<HadoopConfiguration> found = folder.read();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::config);
    CHECK_THAT(found.error().where, Catch::StartsWith("/conf/hdfs-site.xml, offset "));
  }
}

TEST_CASE("hadoop configuration: what is not included is told", "[storage][hdfs]") {
  Folder folder;
  folder.write_properties("core-site.xml",
                          "<xi:include xmlns:xi=\"x\" href=\"more.xml\"/>" + property("a", "1"));
  const HadoopConfiguration found = folder.read().value();
  CHECK(found.properties == Properties{{"a", "1"}});
  REQUIRE(found.warnings.size() == 1);
  CHECK_THAT(found.warnings[0],
             Catch::Contains("/conf/core-site.xml") && Catch::Contains("xi:include"));
}

}  // namespace
}  // namespace streamrun
