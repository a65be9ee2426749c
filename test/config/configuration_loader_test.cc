#include <streamrun/base/crash_point.h>
#include <streamrun/config/configuration_loader.h>
#include <streamrun/config/options.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using Lines = std::vector<std::string>;

ConfigurationSources with_file(const std::string& text) {
  ConfigurationSources sources;
  sources.file = load_configuration_file("conf/flink-conf.yaml", text);
  return sources;
}

Lines headlines(const LoadedConfiguration& loaded) {
  Lines lines;
  for (const Error& error : loaded.errors) lines.push_back(error.headline());
  return lines;
}

TEST_CASE("loader: all layers count by their strength", "[config]") {
  ConfigurationSources sources = with_file(
      "parallelism.default: 2\npipeline.name: f\nstate.checkpoints.dir: f\n"
      "io.tmp.dirs: f\nexecution.checkpointing.interval: 5 s\n");
  sources.checkpoint = {{"parallelism.default", "1"}, {"state.backend.type", "rocksdb"}};
  sources.checkpoint_name = "chk-17";
  sources.environment = {{"STREAMRUN_PIPELINE_NAME", "e"},
                         {"STREAMRUN_STATE_CHECKPOINTS_DIR", "e"},
                         {"STREAMRUN_EXECUTION_CHECKPOINTING_INTERVAL", "6 s"},
                         {"PATH", "/bin"}};
  sources.definitions = {"execution.checkpointing.dir=d=1",
                         "execution.checkpointing.interval= 7 s"};
  sources.flags = {{"execution.checkpointing.interval", "8 s", "--interval"}};
  const LoadedConfiguration loaded = load_configuration(sources);
  CHECK(headlines(loaded).empty());
  CHECK(loaded.warnings.empty());
  CHECK(loaded.notes.empty());
  const Configuration& configuration = loaded.configuration;
  CHECK(configuration.from("state.backend.type") == "checkpoint chk-17");
  CHECK(configuration.get(options::kParallelism) == 2);
  CHECK(configuration.from("parallelism.default") == "conf/flink-conf.yaml:1");
  CHECK(configuration.from("pipeline.name") == "STREAMRUN_PIPELINE_NAME");
  CHECK(configuration.get(options::kCheckpointDirectory) == "d=1");
  CHECK(configuration.from("state.checkpoints.dir") == "-D (flag)");
  CHECK(configuration.get(options::kCheckpointInterval) == std::chrono::seconds(8));
  CHECK(configuration.from("execution.checkpointing.interval") == "--interval (flag)");
}

TEST_CASE("loader: every error of every layer is reported with its place", "[config]") {
  ConfigurationSources sources =
      with_file("a: @x\nstate:\n  backend:\n    incrmental: true\nparallelism.default: x\n");
  sources.environment = {{"STREAMRUN_REST_PORT", "0"}};
  sources.definitions = {"zzzz=1", "novalue", "=x"};
  sources.flags = {{"parallelism.default", "many", "-p"}};
  CHECK(
      headlines(load_configuration(sources)) ==
      Lines{"E-CONF: the value needs quotes in YAML; write: a: \"@x\" (conf/flink-conf.yaml:1:4)",
            "E-CONF: -D novalue: expected -D key=value", "E-CONF: -D : expected -D key=value",
            "E-CONF: unknown key a (conf/flink-conf.yaml:1:1)",
            "E-CONF: unknown key state.backend.incrmental; did you mean state.backend.incremental? "
            "(conf/flink-conf.yaml:4:5)",
            "E-CONF: parallelism.default: 'x' is not an integer (conf/flink-conf.yaml:5:1)",
            "E-CONF: rest.port: '0' is not a port (STREAMRUN_REST_PORT)",
            "E-CONF: unknown key zzzz (-D)",
            "E-CONF: parallelism.default: 'many' is not an integer (-p)"});
}

TEST_CASE("loader: two names of one option that differ in a file name both lines", "[config]") {
  CHECK(
      headlines(load_configuration(
          with_file("state.checkpoints.dir: a\nexecution:\n  checkpointing:\n    dir: b\n"))) ==
      Lines{
          "E-CONF: state.checkpoints.dir (conf/flink-conf.yaml:1) and execution.checkpointing.dir "
          "(conf/flink-conf.yaml:4) are two names of one option and differ "
          "(conf/flink-conf.yaml:4:5)"});
  CHECK(load_configuration(with_file("state.checkpoints.dir: a\nexecution.checkpointing.dir: a\n"))
            .errors.empty());
}

TEST_CASE("loader: config.unknown-keys counts for all layers, wherever it stands", "[config]") {
  ConfigurationSources sources = with_file("paralelism.default: 4\nconfig.unknown-keys: warn\n");
  const LoadedConfiguration loaded = load_configuration(sources);
  CHECK(loaded.errors.empty());
  CHECK(loaded.warnings == Lines{"unknown key paralelism.default; did you mean "
                                 "parallelism.default? (conf/flink-conf.yaml:1:1)"});
  sources.definitions = {"config.unknown-keys=error"};
  CHECK(load_configuration(sources).errors.size() == 1);
}

TEST_CASE("loader: keys without use are noted once for all", "[config]") {
  const LoadedConfiguration loaded = load_configuration(with_file(
      "jobmanager.rpc.address: h\ntaskmanager.numberOfTaskSlots: 2\nmetrics.reporters: prom\n"
      "metrics.reporter.prom.factory.class: X\nfs.s3a.x: 1\npipeline.global-job-parameters.k: v\n"
      "web.timeout: 5 s\nstate.backend.local-recovery: true\n"));
  CHECK(headlines(loaded).empty());
  CHECK(loaded.warnings.empty());
  CHECK(loaded.notes == Lines{"keys of Flink's that mean nothing to a single process: "
                              "jobmanager.rpc.address (conf/flink-conf.yaml:1), "
                              "taskmanager.numberOfTaskSlots (conf/flink-conf.yaml:2)",
                              "keys of Flink's that streamrun does not use yet: metrics.reporters "
                              "(conf/flink-conf.yaml:3), "
                              "metrics.reporter.prom.factory.class (conf/flink-conf.yaml:4), "
                              "fs.s3a.x (conf/flink-conf.yaml:5), "
                              "web.timeout (conf/flink-conf.yaml:7), "
                              "state.backend.local-recovery (conf/flink-conf.yaml:8)"});
}

TEST_CASE("loader: older names are never remarked upon", "[config]") {
  const LoadedConfiguration loaded = load_configuration(with_file(
      "state.checkpoints.dir: c\nstate.savepoints.dir: s\nstate.checkpoints.num-retained: 2\n"
      "state.backend: rocksdb\nstate.backend.incremental: true\nrestart-strategy: none\nrest.port: "
      "9000\n"));
  CHECK(headlines(loaded).empty());
  CHECK(loaded.warnings.empty());
  CHECK(loaded.notes.empty());
}

TEST_CASE("loader: a variable that is neither key nor flag is warned of, with the nearest",
          "[config]") {
  ConfigurationSources sources;
  sources.environment_flags = {"log-level"};
  sources.environment = {{"STREAMRUN_PARALELISM_DEFAULT", "4"},
                         {"STREAMRUN_CONF_DIR", "/x"},
                         {"STREAMRUN_LOG_LEVEL", "debug"},
                         {"STREAMRUN_LOGLEVEL", "debug"},
                         {"STREAMRUN_PIPELINE_NAME", ""},
                         {"STREAMRUN_Q", "1"},
                         {"XSTREAMRUN_FOO", "1"}};
  const LoadedConfiguration loaded = load_configuration(sources);
  CHECK(loaded.errors.empty());
  REQUIRE(loaded.warnings.size() == 3);
  CHECK(loaded.warnings[0] ==
        "STREAMRUN_LOGLEVEL in the environment is neither a key nor a flag; did you mean "
        "STREAMRUN_LOG_LEVEL?");
  CHECK(loaded.warnings[1] ==
        "STREAMRUN_PARALELISM_DEFAULT in the environment is neither a key nor a flag; did you "
        "mean STREAMRUN_PARALLELISM_DEFAULT?");
  CHECK(loaded.warnings[2].find("STREAMRUN_Q in the environment") == 0);
  CHECK_FALSE(loaded.configuration.find(options::kPipelineName).has_value());
}

TEST_CASE("loader: the variable that arms crash points is known to a build that has them",
          "[config]") {
  ConfigurationSources sources;
  sources.environment = {{kCrashVariable, "sp.mid:1"}};
  CHECK(load_configuration(sources).warnings.empty() == kHasCrashPoints);
}

TEST_CASE("loader: what another version recorded in a checkpoint is a note, not an error",
          "[config]") {
  ConfigurationSources sources;
  sources.checkpoint = {{"execution.new-thing", "1"}, {"web.timeout", "5 s"}};
  sources.checkpoint_name = "chk-3";
  const LoadedConfiguration loaded = load_configuration(sources);
  CHECK(loaded.errors.empty());
  CHECK(loaded.notes == Lines{"keys recorded in checkpoint chk-3 that this version does not know: "
                              "execution.new-thing"});
}

TEST_CASE("loader: a file of something else gives a hundred errors, not thousands", "[config]") {
  std::string text;
  for (int i = 0; i < 20000; ++i)
    text += "some.quite.long.key.of.another.program." + std::to_string(i) + ": 1\n";
  const LoadedConfiguration loaded = load_configuration(with_file(text));
  REQUIRE(loaded.errors.size() == 101);
  CHECK(loaded.errors.back().message == "more than 100 errors: the rest is not shown");
}

}  // namespace
}  // namespace streamrun
