// A configuration file from anywhere. What it says, written again with every text in quotes, says
// the same.
#include <streamrun/config/yaml_reader.h>

#include <cstdio>
#include <string>

#include "fuzz_target.h"

namespace {

using namespace streamrun;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

void check_errors(const ConfigFile& file) {
  for (const Error& error : file.errors) {
    fuzz::require(error.code == ErrorCode::config, "what is wrong with a file is E-CONF");
    fuzz::require(!error.message.empty(), "an error says what is wrong");
    fuzz::require(error.where.starts_with("c.yaml"), "an error says where");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConfigFile file = load_configuration_file("c.yaml", fuzz::text_of(data, size));
  check_errors(file);
  if (!file.errors.empty()) return 0;
  std::string text;
  for (const ConfigEntry& entry : file.entries) {
    fuzz::require(entry.line > 0 && entry.column > 0, "an entry has a place");
    text += quoted(entry.key) + ": " + quoted(entry.value) + "\n";
  }
  if (text.size() > kMaxConfigFileBytes) return 0;
  const ConfigFile again = load_configuration_file("c.yaml", text);
  fuzz::require(again.errors.empty(), "what was read can be written and read");
  fuzz::require(again.entries.size() == file.entries.size(), "as many entries come back");
  for (std::size_t i = 0; i < file.entries.size(); ++i) {
    fuzz::require(again.entries[i].key == file.entries[i].key, "keys come back");
    fuzz::require(again.entries[i].value == file.entries[i].value, "values come back");
  }
  return 0;
}
