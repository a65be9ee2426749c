#include "metadata_json_filter.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "metadata_layout.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

class Filter final : public Json::json_sax_t {
 public:
  explicit Filter(std::size_t length) : most_values_(length / 4 + 64) {}

  bool null() override { return refuse("null has no meaning here"); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t number) override {
    if (number < -static_cast<number_integer_t>(kNumberLimit))
      return refuse("a number is too small");
    return value();
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > kNumberLimit) return refuse("a number is too large");
    return value();
  }
  bool number_float(number_float_t, const string_t& text) override {
    return refuse(fmt::format("{:.40} is no whole number", text));
  }
  bool string(string_t& text) override {
    if (text.size() > kStringLimitBytes && !in_base64()) {
      return refuse(fmt::format("a string of {} bytes", text.size()));
    }
    return value();
  }
  bool binary(binary_t&) override { return refuse("binary"); }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (name.size() > kStringLimitBytes) {
      return refuse(fmt::format("a key of {} bytes", name.size()));
    }
    Level& level = levels_.back();
    level.base64 = std::string_view(name).ends_with("base64");
    level.keys.push_back(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem_ = fmt::format("no valid JSON at byte {}", position);
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  struct Level {
    bool base64 = false;
    std::vector<std::string> keys;
  };

  bool in_base64() const { return !levels_.empty() && levels_.back().base64; }
  bool value() {
    return ++values_ <= most_values_ || refuse("more values than a document of its length has");
  }
  bool open(bool) {
    if (levels_.size() == kDepthLimit) {
      return refuse(fmt::format("nested deeper than {} levels", kDepthLimit));
    }
    const bool base64 = in_base64();
    levels_.push_back({.base64 = base64, .keys = {}});
    return value();
  }
  bool close() {
    std::vector<std::string>& keys = levels_.back().keys;
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
      return refuse(fmt::format("the key \"{:.60}\" stands twice in one object", *twice));
    levels_.pop_back();
    return true;
  }
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  const std::size_t most_values_;
  std::size_t values_ = 0;
  std::vector<Level> levels_;
  std::string problem_;
};

}  // namespace

Result<void> filter_json(std::string_view text) {
  Filter filter(text.size());
  if (Json::sax_parse(text.begin(), text.end(), &filter)) return {};
  return Error{.code = ErrorCode::metadata_corrupt,
               .message = "the checkpoint metadata is damaged: " + filter.problem(),
               .retry = Retry::no};
}

}  // namespace streamrun
