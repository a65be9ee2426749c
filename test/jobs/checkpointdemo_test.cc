#include "checkpointdemo.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/config/configuration_loader.h>
#include <streamrun/config/validation.h>

#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun::jobs {
namespace {

TEST_CASE("checkpointdemo: its code and its example file say the same", "[jobs]") {
  StreamExecutionEnvironment env;
  JobArguments arguments({}, "/");
  checkpoint_demo(env, arguments);
  Configuration code;
  for (const auto& [key, value] : env.settings()) {
    INFO(key);
    REQUIRE(code.set(key, value, Origin::job, "the job's code"));
  }
  CHECK(contradictions(code).empty());
  // Every member of CheckpointSettings, and the restart strategy.
  CHECK(env.settings().size() == 19);

  std::ifstream file(std::string(STREAMRUN_CONF) + "/checkpointdemo.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  ConfigurationSources sources;
  sources.file = load_configuration_file("checkpointdemo.yaml", text.str());
  const LoadedConfiguration loaded = load_configuration(sources);
  CHECK(loaded.errors.empty());
  CHECK(loaded.warnings.empty());
  CHECK(loaded.notes.empty());
  CHECK(code.to_map() == loaded.configuration.to_map());
}

}  // namespace
}  // namespace streamrun::jobs
