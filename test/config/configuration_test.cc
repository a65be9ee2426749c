#include <streamrun/config/configuration.h>
#include <streamrun/config/options.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

void set(Configuration& configuration, std::string_view key, std::string_view value, Origin origin,
         std::string_view where = "here") {
  const auto done = configuration.set(key, value, origin, where);
  INFO((done ? std::string() : done.error().headline()));
  REQUIRE(done.has_value());
}

EffectiveEntry entry_of(const Configuration& configuration, const std::string& key) {
  for (const EffectiveEntry& entry : configuration.entries()) {
    if (entry.key == key) return entry;
  }
  FAIL("no entry " << key);
  return {};
}

TEST_CASE("configuration: an empty one has the defaults", "[config]") {
  const Configuration configuration;
  CHECK(configuration.get(options::kCheckpointTimeout) == 10min);
  CHECK(configuration.get(options::kRetainedCheckpoints) == 3);
  CHECK(configuration.get(options::kCheckpointingMode) == CheckpointingMode::exactly_once);
  CHECK(configuration.get(options::kDataInlineThreshold).bytes == 20480);
  CHECK(configuration.get(options::kExponentialMultiplier) == 1.5);
  CHECK(configuration.get(options::kRestBindPort) == std::vector<PortRange>{{8081, 8099}});
  CHECK_FALSE(configuration.find(options::kCheckpointInterval).has_value());
  CHECK_FALSE(configuration.find(options::kRestartStrategy).has_value());
  CHECK_FALSE(configuration.find(options::kJobId).has_value());
  CHECK(configuration.to_map().empty());
  CHECK(configuration.origin_of("parallelism.default") == Origin::default_value);
}

TEST_CASE("configuration: a stronger layer wins in whatever order layers are set", "[config]") {
  std::vector<Origin> order = {Origin::checkpoint,  Origin::file,       Origin::job,
                               Origin::environment, Origin::definition, Origin::flag};
  for (std::size_t strongest = 0; strongest < order.size(); ++strongest) {
    for (const bool backwards : {false, true}) {
      Configuration configuration;
      for (std::size_t i = 0; i <= strongest; ++i) {
        const std::size_t layer = backwards ? strongest - i : i;
        set(configuration, "parallelism.default", std::to_string(layer + 1), order[layer]);
      }
      CHECK(configuration.get(options::kParallelism) == static_cast<int>(strongest) + 1);
      CHECK(configuration.origin_of("parallelism.default") == order[strongest]);
    }
  }
}

TEST_CASE("configuration: each name of an option sets it", "[config]") {
  for (const std::string key :
       {"execution.checkpointing.dir", "state.checkpoints.dir", "state.backend.fs.checkpointdir"}) {
    Configuration configuration;
    set(configuration, key, "ckpt", Origin::file);
    CHECK(configuration.get(options::kCheckpointDirectory) == "ckpt");
    const EffectiveEntry entry = entry_of(configuration, "execution.checkpointing.dir");
    CHECK(entry.written_as == key);
    CHECK(configuration.from(key) == "here");
  }
}

TEST_CASE("configuration: two names of one option that differ in a layer contradict each other",
          "[config]") {
  for (const bool old_first : {false, true}) {
    Configuration configuration;
    const std::string first = old_first ? "state.checkpoints.dir" : "execution.checkpointing.dir";
    const std::string second = old_first ? "execution.checkpointing.dir" : "state.checkpoints.dir";
    set(configuration, first, "a", Origin::file, "c.yaml:3");
    const auto done = configuration.set(second, "b", Origin::file, "c.yaml:9");
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message == first + " (c.yaml:3) and " + second +
                                      " (c.yaml:9) are two names of one option and differ");
    CHECK(done.error().where == "c.yaml:9");
    CHECK(configuration.set(second, "a", Origin::file, "c.yaml:9").has_value());
    CHECK(configuration.set(second, "b", Origin::environment, "E").has_value());
    CHECK(configuration.get(options::kCheckpointDirectory) == "b");
  }
}

TEST_CASE("configuration: in a layer the last value of a name counts", "[config]") {
  Configuration configuration;
  set(configuration, "parallelism.default", "2", Origin::definition);
  set(configuration, "parallelism.default", "5", Origin::definition);
  CHECK(configuration.get(options::kParallelism) == 5);
}

TEST_CASE("configuration: rest.port stands in for rest.bind-port unless that is set anywhere",
          "[config]") {
  const std::vector<PortRange> stood_in = {{9000, 9000}};
  const std::vector<PortRange> own = {{7000, 7010}};
  Configuration configuration;
  set(configuration, "rest.port", "9000", Origin::definition);
  CHECK(configuration.get(options::kRestPort) == 9000);
  CHECK(configuration.get(options::kRestBindPort) == stood_in);
  Configuration restored;
  for (const auto& [key, value] : configuration.to_map())
    set(restored, key, value, Origin::checkpoint);
  CHECK(restored.get(options::kRestBindPort) == stood_in);
  set(restored, "rest.bind-port", "7000-7010", Origin::checkpoint);
  CHECK(restored.get(options::kRestBindPort) == own);
  set(configuration, "rest.bind-port", "7000-7010", Origin::file);
  CHECK(configuration.get(options::kRestBindPort) == own);
  CHECK(configuration.get(options::kRestPort) == 9000);
  set(configuration, "rest.port", "9001", Origin::file);
  CHECK(configuration.get(options::kRestBindPort) == own);
}

TEST_CASE("configuration: a value of the wrong form is refused with key, place and accepted forms",
          "[config]") {
  struct Row {
    std::string key;
    std::string value;
    std::string message;
  };
  const std::vector<Row> rows = {
      {"execution.checkpointing.interval", "5 parsecs", "'5 parsecs' is not a duration"},
      {"execution.checkpointing.interval", "99999999999 d", "'99999999999 d' is not a duration"},
      {"parallelism.default", "2147483648", "'2147483648' is not an integer"},
      {"execution.checkpointing.mode", "EXACTLY-ONCE", "'EXACTLY-ONCE' is not one of the values"},
      {"execution.checkpointing.unaligned", "yes", "'yes' is not a boolean"},
      {"state.backend", "forst", "'forst' is not one of the values"},
      {"restart-strategy", "foo", "'foo' is not one of the values"},
      {"rest.port", "70000", "'70000' is not a port"},
      {"state.backend.rocksdb.block.cache-size", "1 gib", "'1 gib' is not a memory size"},
      {"state.backend.rocksdb.timer-service.factory", "DISK", "'DISK' is not one of the values"},
  };
  for (const Row& row : rows) {
    INFO(row.key);
    Configuration configuration;
    const auto done = configuration.set(row.key, row.value, Origin::file, "c.yaml:3");
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == ErrorCode::config);
    CHECK(done.error().message == row.key + ": " + row.message);
    CHECK(done.error().where == "c.yaml:3");
    CHECK(done.error().why.find("accepted: ") == 0);
    CHECK(configuration.to_map().empty());
  }
}

TEST_CASE("configuration: a job id is 32 hex digits", "[config]") {
  Configuration configuration;
  set(configuration, "$internal.pipeline.job-id", "fd72014d4c864993a2e5a9287b4a9c5d",
      Origin::definition);
  CHECK(to_string(configuration.find(options::kJobId).value()) ==
        "fd72014d4c864993a2e5a9287b4a9c5d");
  const auto done = configuration.set("$internal.pipeline.job-id", "x", Origin::definition, "-D");
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == ErrorCode::config);
}

TEST_CASE(
    "configuration: an unknown key is refused with the nearest one, unless told to let it pass",
    "[config]") {
  Configuration configuration;
  const auto done = configuration.set("state.backend.incrmental", "true", Origin::file,
                                      "conf/flink-conf.yaml:12:3");
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().headline() ==
        "E-CONF: unknown key state.backend.incrmental; did you mean state.backend.incremental? "
        "(conf/flink-conf.yaml:12:3)");
  set(configuration, "config.unknown-keys", "warn", Origin::file);
  set(configuration, "state.backend.incrmental", "true", Origin::file);
  CHECK(entry_of(configuration, "state.backend.incrmental").value == "true");
}

TEST_CASE("configuration: what is no key at all is refused", "[config]") {
  Configuration configuration;
  set(configuration, "config.unknown-keys", "warn", Origin::flag);
  const std::vector<std::string> keys = {"", "a b", "a\nb", std::string(100000, 'x')};
  for (const std::string& key : keys) {
    const auto done = configuration.set(key, "1", Origin::definition, "-D");
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message.size() < 200);
  }
}

TEST_CASE("configuration: keys of families are kept for those who ask by prefix", "[config]") {
  Configuration configuration;
  set(configuration, "flink.hadoop.dfs.replication", "2", Origin::file);
  set(configuration, "flink.hadoop.dfs.replication", "3", Origin::definition);
  set(configuration, "pipeline.global-job-parameters.k", "v", Origin::file);
  set(configuration, "taskmanager.numberOfTaskSlots", "8", Origin::file);
  set(configuration, "s3.secret-key", "hunter2", Origin::environment);
  using Map = std::map<std::string, std::string>;
  CHECK(configuration.with_prefix("flink.hadoop.") == Map{{"flink.hadoop.dfs.replication", "3"}});
  CHECK(configuration.with_prefix("pipeline.global-job-parameters.") ==
        Map{{"pipeline.global-job-parameters.k", "v"}});
  CHECK(configuration.with_prefix("s3.") == Map{{"s3.secret-key", "hunter2"}});
  CHECK(configuration.with_prefix("taskmanager.").empty());
}

TEST_CASE("configuration: entries say where each value comes from", "[config]") {
  Configuration configuration;
  set(configuration, "execution.checkpointing.interval", "60 s", Origin::file,
      "conf/flink-conf.yaml:7");
  set(configuration, "state.backend.type", "rocksdb", Origin::definition, "-D");
  set(configuration, "state.checkpoints.dir", "ckpt", Origin::environment,
      "STREAMRUN_STATE_CHECKPOINTS_DIR");
  set(configuration, "parallelism.default", "4", Origin::checkpoint, "chk-17");
  set(configuration, "pipeline.max-parallelism", "128", Origin::flag, "-p");
  set(configuration, "pipeline.name", "x", Origin::job, "");
  CHECK(entry_of(configuration, "execution.checkpointing.interval").from ==
        "conf/flink-conf.yaml:7");
  CHECK(entry_of(configuration, "execution.checkpointing.interval").value == "60 s");
  CHECK(entry_of(configuration, "state.backend.type").from == "-D (flag)");
  CHECK(entry_of(configuration, "execution.checkpointing.dir").from ==
        "STREAMRUN_STATE_CHECKPOINTS_DIR");
  CHECK(entry_of(configuration, "parallelism.default").from == "checkpoint chk-17");
  CHECK(entry_of(configuration, "pipeline.max-parallelism").from == "-p (flag)");
  CHECK(entry_of(configuration, "pipeline.name").from == "the job's code");
  CHECK(entry_of(configuration, "execution.checkpointing.num-retained").from ==
        "default (Flink: 1)");
  CHECK(entry_of(configuration, "execution.checkpointing.timeout").from == "default");
  const auto entries = configuration.entries();
  CHECK(std::is_sorted(
      entries.begin(), entries.end(),
      [](const EffectiveEntry& a, const EffectiveEntry& b) { return a.key < b.key; }));
}

TEST_CASE("configuration: secrets are masked in entries and errors and never recorded",
          "[config]") {
  Configuration configuration;
  set(configuration, "s3.secret-key", "hunter2", Origin::environment);
  set(configuration, "fs.azure.account.key.x", "hunter2", Origin::file);
  set(configuration, "s3.endpoint", "https://me:hunter2@store", Origin::file);
  for (const EffectiveEntry& entry : configuration.entries()) {
    INFO(entry.key);
    CHECK(entry.value.find("hunter2") == std::string::npos);
  }
  CHECK(configuration.to_map().empty());
  CHECK(configuration.find(options::kS3SecretKey) == "hunter2");
  const auto done = configuration.set("rest.port", "http://me:hunter2@h", Origin::file, "c:1");
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("configuration: what was set is recorded by current key, without what concerns one run",
          "[config]") {
  Configuration configuration;
  set(configuration, "state.checkpoints.dir", "ckpt", Origin::file);
  set(configuration, "execution.savepoint.path", "chk-3", Origin::flag);
  set(configuration, "execution.state-recovery.claim-mode", "CLAIM", Origin::flag);
  set(configuration, "$internal.pipeline.job-id", "fd72014d4c864993a2e5a9287b4a9c5d",
      Origin::definition);
  set(configuration, "parallelism.default", "2", Origin::checkpoint);
  set(configuration, "parallelism.default", "4", Origin::flag);
  CHECK(configuration.to_map() ==
        std::map<std::string, std::string>{{"execution.checkpointing.dir", "ckpt"},
                                           {"parallelism.default", "4"}});
}

}  // namespace
}  // namespace streamrun
