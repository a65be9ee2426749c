#include "job_line.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/base/strings.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "command_table.h"
#include "flink_spelling.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Declaration = JobArguments::Declaration;

const Declaration* find_declaration(const std::vector<Declaration>& declarations,
                                    std::string_view name) {
  const auto found =
      std::find_if(declarations.begin(), declarations.end(),
                   [&](const Declaration& declaration) { return declaration.name == name; });
  return found == declarations.end() ? nullptr : &*found;
}

/// Our flag that an argument spells, with or without its value attached; null if it is none.
const Flag* own_flag(const Command& command, const std::string& argument) {
  const std::string spelled = long_spelling_of(argument);
  const std::string name = spelled.substr(0, spelled.find('='));
  for (const std::vector<Flag>* flags : {&command.flags, &global_flags()}) {
    for (const Flag& flag : *flags) {
      if (!flag.long_name.empty() && name == "--" + flag.long_name) return &flag;
      if (flag.short_name == '\0' || spelled.size() < 2 || spelled.starts_with("--")) continue;
      if (spelled[0] != '-' || spelled[1] != flag.short_name) continue;
      if (spelled.size() == 2 || !flag.is_switch()) return &flag;
    }
  }
  return nullptr;
}

bool has_value_attached(const Flag& flag, const std::string& argument) {
  return argument.find('=') != std::string::npos ||
         (!argument.starts_with("--") && argument.size() > 2 && argument != "-cm" &&
          long_spelling_of(argument) == argument && !flag.is_switch());
}

/// Reads the words after JOB one by one.
class ArgumentReader {
 public:
  ArgumentReader(const Invocation& invocation, const Job& job,
                 const std::vector<Declaration>& declarations)
      : invocation_(invocation),
        job_(job),
        declarations_(declarations),
        words_(invocation.operands.begin() + 1, invocation.operands.end()) {}

  JobLine read() && {
    line_.job = &job_;
    while (at_ < words_.size()) read_word(words_[at_]);
    if (!misplaced_.empty()) refuse_misplaced();
    return std::move(line_);
  }

 private:
  void read_word(const std::string& word) {
    const bool is_long = word.starts_with("--") && word.size() > 2;
    const std::string name = is_long ? word.substr(2, word.find('=') - 2) : std::string();
    const Declaration* declared = find_declaration(declarations_, name);
    if (declared != nullptr) return read_argument(word, *declared);
    if (word == "--help" || word == "-h") {
      line_.help = true;
      ++at_;
      return;
    }
    if (const Flag* flag = own_flag(*invocation_.command, word)) return skip_own(word, *flag);
    if (is_long) return read_undeclared(word, name);
    usage_error(fmt::format("{} takes its arguments as --name value; \"{}\" belongs to none",
                            job_.name, word.substr(0, 64)),
                {"streamrun info " + job_.name + " --help"});
  }

  void read_argument(const std::string& word, const Declaration& declared) {
    ++at_;
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) {
      line_.arguments.emplace_back(declared.name, word.substr(equals + 1));
    } else if (declared.type == "flag") {
      line_.arguments.emplace_back(declared.name, "true");
    } else if (at_ == words_.size() || is_declared_word(words_[at_])) {
      usage_error(
          fmt::format("--{} of {} needs a value: {}", declared.name, job_.name, declared.help));
    } else {
      line_.arguments.emplace_back(declared.name, words_[at_++]);
    }
  }

  bool is_declared_word(const std::string& word) const {
    return word.starts_with("--") &&
           find_declaration(declarations_, word.substr(2, word.find('=') - 2)) != nullptr;
  }

  /// The job may declare it only when it is run with these arguments, so it gets a value if one
  /// follows.
  void read_undeclared(const std::string& word, const std::string& name) {
    ++at_;
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) {
      line_.arguments.emplace_back(name, word.substr(equals + 1));
    } else if (at_ < words_.size() && !words_[at_].starts_with('-')) {
      line_.arguments.emplace_back(name, words_[at_++]);
    } else {
      line_.arguments.emplace_back(name, "true");
    }
  }

  void skip_own(const std::string& word, const Flag& flag) {
    misplaced_.push_back(at_++);
    const bool takes_next = !flag.is_switch() && !has_value_attached(flag, word);
    if (takes_next && at_ < words_.size()) misplaced_.push_back(at_++);
  }

  /// Shows the line with our flags where they belong.
  [[noreturn]] void refuse_misplaced() const {
    const auto before_job = invocation_.line.size() - words_.size() - 1;
    std::vector<std::string> right = {"streamrun"};
    right.insert(right.end(), invocation_.line.begin(),
                 invocation_.line.begin() + static_cast<std::ptrdiff_t>(before_job));
    for (const std::size_t each : misplaced_) right.push_back(words_[each]);
    right.push_back(job_.name);
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (std::find(misplaced_.begin(), misplaced_.end(), i) == misplaced_.end()) {
        right.push_back(words_[i]);
      }
    }
    usage_error(
        fmt::format("{} is a flag of {} and stands before {}; what follows {} is its own",
                    words_[misplaced_.front()], invocation_.command->name, job_.name, job_.name),
        {shell_line(right)});
  }

  const Invocation& invocation_;
  const Job& job_;
  const std::vector<Declaration>& declarations_;
  const std::vector<std::string> words_;
  std::size_t at_ = 0;
  std::vector<std::size_t> misplaced_;
  JobLine line_;
};

std::string type_in_help(const Declaration& declared) {
  if (declared.type == "flag") return "";
  std::string type = " " + declared.type;
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return declared.repeatable ? type + "..." : type;
}

std::string note_in_help(const Declaration& declared) {
  std::vector<std::string> notes;
  if (declared.required) notes.emplace_back("required");
  if (declared.default_text && !declared.default_text->empty() && declared.type != "flag") {
    notes.push_back("default " + *declared.default_text);
  }
  return notes.empty() ? "" : fmt::format(" ({})", join(notes, "; "));
}

}  // namespace

const Job& find_job(const JobTable& jobs, const std::string& name) {
  std::vector<std::string> names;
  for (const Job& job : jobs) {
    if (job.name == name) return job;
    names.push_back(job.name);
  }
  usage_error(fmt::format("unknown job {}{}", name.substr(0, 64), did_you_mean(name, names)),
              {"streamrun jobs"});
}

bool JobListing::stateful() const {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const StreamNode& node) {
    return node.stateful && node.type == "Operator";
  });
}

JobListing list_job(const Job& job) {
  StreamExecutionEnvironment environment;
  JobArguments arguments = JobArguments::listing();
  try {
    job.program(environment, arguments);
  } catch (const ErrorException& exception) {
    Error error = exception.error();
    if (error.where.empty()) error.where = "job " + job.name;
    throw_error(std::move(error));
  }
  return {.arguments = arguments.declarations(), .graph = environment.take_graph()};
}

JobLine read_job_line(const Invocation& invocation) {
  if (invocation.operands.empty()) return {};
  const Job& job = find_job(*invocation.jobs, invocation.operands.front());
  if (invocation.operands.size() == 1) {
    return {.job = &job, .arguments = {}};
  }
  const JobListing listing = list_job(job);
  return ArgumentReader(invocation, job, listing.arguments).read();
}

std::string job_help(const Job& job) {
  std::string text =
      fmt::format("usage: streamrun run [flags] {} [arguments]\n\n{}\n", job.name, job.about);
  const JobListing listing = list_job(job);
  if (listing.arguments.empty()) return text + "\nIt takes no arguments.\n";
  std::size_t width = 0;
  for (const Declaration& each : listing.arguments) {
    width = std::max(width, each.name.size() + type_in_help(each).size());
  }
  text += "\narguments:\n";
  for (const Declaration& each : listing.arguments) {
    const std::string head = fmt::format("--{}{}", each.name, type_in_help(each));
    text += fmt::format("  {:<{}}  {}{}\n", head, width + 2, each.help, note_in_help(each));
  }
  return text;
}

std::optional<int> parallelism_flag(const Invocation& invocation) {
  const std::optional<std::string> text = invocation.value("--parallelism");
  if (!text) return std::nullopt;
  const Result<std::int32_t> number = parse_int(*text);
  if (!number || *number < 1) {
    usage_error(fmt::format("-p takes a whole number from 1 on, not \"{}\"", text->substr(0, 64)));
  }
  return *number;
}

}  // namespace streamrun
