#include <streamrun/base/strings.h>
#include <streamrun/config/configuration_loader.h>
#include <streamrun/config/validation.h>

#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

std::string read_example(const std::string& name) {
  std::ifstream file(std::string(STREAMRUN_CONF) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

/// Takes the `#` from example lines; prose has one blank after it.
std::string uncommented(const std::string& text) {
  std::string result;
  for (std::string line : split(text, '\n')) {
    const bool prose = line == "#" || (line.size() > 2 && line[1] == ' ' && line[2] != ' ');
    if (!prose && line.starts_with('#')) line.erase(0, 1);
    result += line + "\n";
  }
  return result;
}

LoadedConfiguration load(const std::string& name, const std::string& text) {
  ConfigurationSources sources;
  sources.file = load_configuration_file(name, text);
  return load_configuration(sources);
}

TEST_CASE("example files: as shipped they set nothing and say nothing", "[config]") {
  for (const std::string name : {"flink-conf.yaml", "nested/config.yaml"}) {
    INFO(name);
    const ConfigFile file = load_configuration_file(name, read_example(name));
    CHECK(file.entries.empty());
    const LoadedConfiguration loaded = load(name, read_example(name));
    CHECK(loaded.errors.empty());
    CHECK(loaded.warnings.empty());
    CHECK(loaded.notes.empty());
  }
}

TEST_CASE("example files: every example line is a known key with a value that counts", "[config]") {
  for (const std::string name : {"flink-conf.yaml", "nested/config.yaml"}) {
    INFO(name);
    const LoadedConfiguration loaded = load(name, uncommented(read_example(name)));
    for (const Error& error : loaded.errors) FAIL_CHECK(error.headline());
    CHECK(loaded.warnings.empty());
    CHECK(loaded.notes.empty());
    CHECK(loaded.configuration.to_map().size() >= 35);
    CHECK(contradictions(loaded.configuration).empty());
  }
}

TEST_CASE("example files: the flat and the nested one say the same", "[config]") {
  const auto flat = load("flat", uncommented(read_example("flink-conf.yaml")));
  const auto nested = load("nested", uncommented(read_example("nested/config.yaml")));
  CHECK(flat.configuration.to_map() == nested.configuration.to_map());
}

TEST_CASE("example files: what they show as a default is the default", "[config]") {
  const auto examples = load("flat", uncommented(read_example("flink-conf.yaml"))).configuration;
  for (const std::string key : {"execution.checkpointing.num-retained",
                                "execution.checkpointing.externalized-checkpoint-retention",
                                "execution.checkpointing.timeout", "execution.shutdown-timeout",
                                "state.backend.type", "rest.bind-port"}) {
    CHECK(examples.with_prefix(key).at(key) == [&] {
      for (const EffectiveEntry& entry : Configuration().entries()) {
        if (entry.key == key) return entry.value;
      }
      return std::string("no default");
    }());
  }
}

}  // namespace
}  // namespace streamrun
