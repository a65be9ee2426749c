#include "checked_json.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "metadata_layout.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

/// Builds the tree as it is told of the document's parts, and refuses to go on at the first wrong
/// one.
class CheckedTree final : public Json::json_sax_t {
 public:
  explicit CheckedTree(std::size_t length) : most_values_(length / 4 + 64) {}

  bool null() override { return refuse("null has no meaning here"); }
  bool boolean(bool flag) override { return value(flag); }
  bool number_integer(number_integer_t number) override {
    if (number < -static_cast<number_integer_t>(kNumberLimit))
      return refuse("a number is too small");
    return value(number);
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > kNumberLimit) return refuse("a number is too large");
    return value(number);
  }
  bool number_float(number_float_t, const string_t& text) override {
    return refuse(fmt::format("{:.40} is no whole number", text));
  }
  bool string(string_t& text) override {
    if (text.size() > kStringLimitBytes && !in_base64()) {
      return refuse(fmt::format("a string of {} bytes", text.size()));
    }
    return value(text);
  }
  bool binary(binary_t&) override { return refuse("binary"); }
  bool start_object(std::size_t) override { return open(Json::value_t::object); }
  bool start_array(std::size_t) override { return open(Json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (name.size() > kStringLimitBytes) {
      return refuse(fmt::format("a key of {} bytes", name.size()));
    }
    Level& level = levels_.back();
    level.base64 = std::string_view(name).ends_with("base64");
    const auto [member, is_new] = level.container->get_ref<Json::object_t&>().emplace(name, Json());
    if (!is_new) return refuse(fmt::format("the key \"{:.60}\" stands twice in one object", name));
    level.member = &member->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem_ = fmt::format("no valid JSON at byte {}", position);
    return false;
  }

  const std::string& problem() const { return problem_; }
  Json take() { return std::move(root_); }

 private:
  struct Level {
    bool base64 = false;
    Json* container = nullptr;
    Json* member = nullptr;  ///< where the next value goes, in an object
  };

  bool in_base64() const { return !levels_.empty() && levels_.back().base64; }
  template <typename T>
  bool value(T&& of) {
    return place(Json(std::forward<T>(of))) != nullptr;
  }
  /// Null if it is one too many. What it returns stays where it is while it is not closed: its
  /// container gets no other element before.
  Json* place(Json json) {
    if (++values_ > most_values_) {
      refuse("more values than a document of its length has");
      return nullptr;
    }
    if (levels_.empty()) {
      root_ = std::move(json);
      return &root_;
    }
    const Level& level = levels_.back();
    if (level.container->is_array())
      return &level.container->get_ref<Json::array_t&>().emplace_back(std::move(json));
    *level.member = std::move(json);
    return level.member;
  }
  bool open(Json::value_t type) {
    if (levels_.size() == kDepthLimit) {
      return refuse(fmt::format("nested deeper than {} levels", kDepthLimit));
    }
    Json* const container = place(Json(type));
    if (container == nullptr) return false;
    const bool base64 = in_base64();
    levels_.push_back({.base64 = base64, .container = container, .member = nullptr});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  const std::size_t most_values_;
  std::size_t values_ = 0;
  Json root_;
  std::vector<Level> levels_;
  std::string problem_;
};

}  // namespace

Result<Json> parse_checked_json(std::string_view text) {
  CheckedTree tree(text.size());
  if (Json::sax_parse(text.begin(), text.end(), &tree)) return tree.take();
  return Error{.code = ErrorCode::metadata_corrupt,
               .message = "the checkpoint metadata is damaged: " + tree.problem(),
               .retry = Retry::no};
}

}  // namespace streamrun
