#include <streamrun/base/strings.h>
#include <streamrun/storage/hdfs/hadoop_configuration.h>

#include <cstring>
#include <set>
#include <string_view>

#include <pugixml.hpp>

namespace streamrun {
namespace {

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 20U;
constexpr int kMostSubstitutions = 20;
constexpr std::size_t kMostValueBytes = std::size_t{64} << 10U;

Error broken(const std::string& path, std::string message, std::ptrdiff_t offset) {
  return {.code = ErrorCode::config,
          .message = std::move(message),
          .where = path + ", offset " + std::to_string(offset),
          .retry = Retry::no};
}

/// The properties of the files so far, and which of them nothing may change.
struct Merged {
  HadoopConfiguration found;
  std::set<std::string> finals;

  void set(const std::string& name, std::string value) {
    if (!finals.contains(name)) found.properties[name] = std::move(value);
  }
};

void take_property(const pugi::xml_node& property, Merged& merged) {
  const std::string name(trim(property.child_value("name")));
  if (name.empty()) return;
  merged.set(name, std::string(trim(property.child_value("value"))));
  if (trim(property.child_value("final")) == "true") merged.finals.insert(name);
}

Result<void> take_file(const std::string& path, const std::string& text, Merged& merged) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  if (!parsed)
    return broken(path, "not readable as XML: " + std::string(parsed.description()), parsed.offset);
  const pugi::xml_node root = document.child("configuration");
  if (!root) return broken(path, "no <configuration> of Hadoop's", 0);
  for (const pugi::xml_node& node : root.children()) {
    if (std::strcmp(node.name(), "property") == 0) take_property(node, merged);
    if (std::string_view(node.name()).ends_with("include")) {
      merged.found.warnings.push_back(path + ": the file that <" + node.name() +
                                      "> names is not read; put its properties here");
    }
  }
  return {};
}

/// The innermost `${name}`: the first `}` and the last `${` before it.
bool find_variable(const std::string& value, std::size_t from, std::size_t& begin,
                   std::size_t& end) {
  end = value.find('}', from);
  if (end == std::string::npos) return false;
  begin = value.rfind("${", end);
  return begin != std::string::npos && begin >= from;
}

std::string substituted(std::string value, const std::map<std::string, std::string>& properties) {
  std::size_t from = 0;
  for (int count = 0; count < kMostSubstitutions && value.size() < kMostValueBytes; ++count) {
    std::size_t begin = 0;
    std::size_t end = 0;
    while (!find_variable(value, from, begin, end)) {
      if (end == std::string::npos) return value;
      from = end + 1;
    }
    const auto found = properties.find(value.substr(begin + 2, end - begin - 2));
    if (found == properties.end()) {
      from = end + 1;
    } else {
      value.replace(begin, end + 1 - begin, found->second);
    }
  }
  return value;
}

}  // namespace

Result<HadoopConfiguration> read_hadoop_configuration(
    FileSystem& files, const std::string& folder,
    const std::map<std::string, std::string>& overrides) {
  Merged merged;
  for (const char* name : {"core-site.xml", "hdfs-site.xml"}) {
    if (folder.empty()) break;
    const std::string path = join_path(folder, name);
    const Result<std::string> text = files.read_all(path, kMostFileBytes);
    if (!text && text.error().code == ErrorCode::path) continue;
    if (!text && text.error().code == ErrorCode::metadata_limit)
      return broken(path, "larger than " + human_bytes(kMostFileBytes), 0);
    if (!text) return text.error();
    SR_TRY(take_file(path, *text, merged));
  }
  for (const auto& [name, value] : overrides) merged.set(name, value);
  const std::map<std::string, std::string> plain = merged.found.properties;
  for (auto& [name, value] : merged.found.properties) value = substituted(value, plain);
  return std::move(merged.found);
}

}  // namespace streamrun
