#include <streamrun/storage/hdfs/hdfs_addresses.h>

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using Properties = std::map<std::string, std::string>;
using Addresses = std::vector<std::string>;

Result<Addresses> addresses_of(std::string_view uri, Properties properties = {}) {
  HdfsSettings settings;
  settings.hadoop = std::move(properties);
  return name_node_addresses(SR_TRY(parse_hdfs_uri(uri)), settings);
}

const Properties kTwoNameNodes = {{"fs.defaultFS", "hdfs://mycluster"},
                                  {"dfs.nameservices", "other, mycluster"},
                                  {"dfs.ha.namenodes.mycluster", "nn1, nn2"},
                                  {"dfs.namenode.rpc-address.mycluster.nn1", "a.example:8020"},
                                  {"dfs.namenode.rpc-address.mycluster.nn2", "b.example:8020"},
                                  {"dfs.namenode.http-address.mycluster.nn1", "a.example:9999"},
                                  {"dfs.namenode.rpc-address.other", "c.example:8020"}};

TEST_CASE("hdfs addresses: of each way to name a name node", "[storage][hdfs]") {
  struct Row {
    std::string uri;
    Properties properties;
    Addresses wanted;
  };
  const std::vector<Row> rows = {
      {"hdfs://nn:8020/a", {}, {"http://nn:9870"}},
      {"hdfs://nn/a", {}, {"http://nn:9870"}},
      {"hdfs://[::1]:8020/a", {}, {"http://[::1]:9870"}},
      {"hdfs://nn:8020/a", {{"dfs.namenode.http-address", "0.0.0.0:50070"}}, {"http://nn:50070"}},
      {"hdfs://nn:8020/a", {{"dfs.namenode.http-address", ":50070"}}, {"http://nn:50070"}},
      {"hdfs://nn:8020/a", {{"dfs.namenode.http-address", "web:50070"}}, {"http://web:50070"}},
      // What is written of one cluster is not true of another.
      {"hdfs://far:8020/a",
       {{"fs.defaultFS", "hdfs://nn:8020"}, {"dfs.namenode.http-address", "nn:50070"}},
       {"http://far:9870"}},
      {"hdfs://nn:8020/a",
       {{"fs.defaultFS", "hdfs://nn:8020"}, {"dfs.namenode.http-address", "nn:50070"}},
       {"http://nn:50070"}},
      {"hdfs:///a",
       {{"fs.defaultFS", "hdfs://nn:8020"}, {"dfs.namenode.http-address", "nn:50070"}},
       {"http://nn:50070"}},
      {"hdfs:/a", {{"fs.defaultFS", "hdfs://nn:8020/"}}, {"http://nn:9870"}},
      {"hdfs://nn:8020/a",
       {{"dfs.http.policy", "HTTPS_ONLY"}, {"dfs.namenode.https-address", "nn:50470"}},
       {"https://nn:50470"}},
      {"hdfs://nn:8020/a", {{"dfs.http.policy", "HTTPS_ONLY"}}, {"https://nn:9871"}},
      {"webhdfs://nn:50070/a", {{"dfs.namenode.http-address", "x:1"}}, {"http://nn:50070"}},
      {"webhdfs://nn/a", {}, {"http://nn:9870"}},
      {"swebhdfs://nn:50470/a", {}, {"https://nn:50470"}},
      {"hdfs://mycluster/a", kTwoNameNodes, {"http://a.example:9999", "http://b.example:9870"}},
      {"webhdfs://mycluster/a", kTwoNameNodes, {"http://a.example:9999", "http://b.example:9870"}},
      {"hdfs:///a", kTwoNameNodes, {"http://a.example:9999", "http://b.example:9870"}},
      {"hdfs://other/a", kTwoNameNodes, {"http://c.example:9870"}},
      // One name node of a service by its own address.
      {"hdfs://a.example:8020/a", kTwoNameNodes, {"http://a.example:9999"}},
      {"hdfs://d.example:8020/a", kTwoNameNodes, {"http://d.example:9870"}},
  };
  for (const Row& row : rows) {
    INFO(row.uri);
    const Result<Addresses> found = addresses_of(row.uri, row.properties);
    REQUIRE(found);
    CHECK(*found == row.wanted);
  }
}

TEST_CASE("hdfs addresses: what is missing is named", "[storage][hdfs]") {
  const Error no_default = addresses_of("hdfs:///a").error();
  CHECK(no_default.code == ErrorCode::config);
  CHECK_THAT(no_default.message, Catch::Contains("fs.defaultFS") &&
                                     Catch::Contains("HADOOP_CONF_DIR") &&
                                     Catch::Contains("fs.default-scheme"));
  const Error other_default = addresses_of("hdfs:///a", {{"fs.defaultFS", "file:///"}}).error();
  CHECK(other_default.code == ErrorCode::config);
  CHECK_THAT(other_default.message, Catch::Contains("file:///"));
  const Error no_address =
      addresses_of("hdfs://c/a", {{"dfs.nameservices", "c"}, {"dfs.ha.namenodes.c", "n"}}).error();
  CHECK(no_address.code == ErrorCode::config);
  CHECK_THAT(no_address.message, Catch::Contains("dfs.namenode.rpc-address.c.n"));
}

TEST_CASE("hdfs addresses: what is no URI of HDFS is E-USAGE", "[storage][hdfs]") {
  for (const char* uri : {"", "/a", "s3://b/k", "hdfs:a", "hdfs://user@nn/a", "hdfs://n n/a"}) {
    INFO(uri);
    CHECK(parse_hdfs_uri(uri).error().code == ErrorCode::usage);
  }
  CHECK(parse_hdfs_uri(std::string_view("hdfs://nn/a\0b", 13)).error().code == ErrorCode::usage);
}

TEST_CASE("hdfs addresses: a path is taken as it stands", "[storage][hdfs]") {
  CHECK(parse_hdfs_uri("hdfs://nn/a%20b").value().path == "/a%20b");
  CHECK(parse_hdfs_uri("hdfs://nn").value().path == "/");
  CHECK(parse_hdfs_uri("hdfs://nn/").value().path == "/");
  CHECK(parse_hdfs_uri("HDFS://nn/a//").value().path == "/a");
  CHECK(parse_hdfs_uri("hdfs://nn/a?b#c").value().path == "/a?b#c");
}

TEST_CASE("hdfs addresses: the default authority makes a URI whole", "[storage][hdfs]") {
  HdfsSettings settings;
  CHECK(with_authority("hdfs:///a", settings).error().code == ErrorCode::config);
  settings.hadoop = {{"fs.defaultFS", "hdfs://nn:8020"}};
  CHECK(with_authority("hdfs:///a/b", settings).value() == "hdfs://nn:8020/a/b");
  CHECK(with_authority("hdfs:/a/b", settings).value() == "hdfs://nn:8020/a/b");
  CHECK(with_authority("hdfs://other/a", settings).value() == "hdfs://other/a");
}

}  // namespace
}  // namespace streamrun
