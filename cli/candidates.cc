#include "candidates.h"

#include <streamrun/base/error.h>
#include <streamrun/config/option_table.h>

#include <algorithm>
#include <utility>

#include "command_table.h"
#include "job_line.h"
#include "local_checkpoints.h"
#include "running_jobs.h"

namespace streamrun {
namespace {

using Candidates = std::vector<Candidate>;

std::string first_words(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of(".;:")));
}

Candidates keys(const std::string& suffix) {
  Candidates found;
  for (const OptionInfo& option : all_options()) {
    if (option.key.starts_with('$')) continue;
    const std::string about = first_words(option.description);
    found.push_back({std::string(option.key) + suffix, suffix.empty() ? about : ""});
    for (const std::string& other : option.other_keys) {
      found.push_back({other + suffix, suffix.empty() ? about : ""});
    }
  }
  return found;
}

/// `key=`, or with a key already there its values.
Candidates definitions(const std::string& current) {
  const std::size_t equals = current.find('=');
  if (equals == std::string::npos) return keys("=");
  const std::string key = current.substr(0, equals);
  Candidates found;
  for (const OptionInfo* option : options_called(key)) {
    for (const std::string_view choice : option->choices) {
      found.push_back({key + "=" + std::string(choice), ""});
    }
    if (option->type == "boolean") {
      found.push_back({key + "=true", ""});
      found.push_back({key + "=false", ""});
    }
  }
  return found;
}

Candidates job_names(const JobTable& jobs) {
  Candidates found;
  for (const Job& job : jobs) found.push_back({job.name, job.about});
  return found;
}

Candidates commands() {
  Candidates found;
  for (const Command& command : all_commands()) {
    if (!command.hidden) found.push_back({command.name, first_words(command.about)});
  }
  return found;
}

Candidates snapshots(const std::string& current) {
  Candidates found = {{"latest", "the newest of the job"}};
  for (std::string& path : local_checkpoints()) found.push_back({std::move(path), ""});
  if (current.find('/') != std::string::npos) found.push_back({kFileNames, ""});
  return found;
}

Candidates running_jobs() {
  Candidates found;
  for (const RunningJob& job : registered_jobs(Lost::keep).running) {
    found.push_back({job.id, job.name});
    found.push_back({job.name, "a running job"});
  }
  return found;
}

Candidates of_kind(ValueKind kind, const std::string& current, const JobTable& jobs) {
  switch (kind) {
    case ValueKind::file:
      return {{kFileNames, ""}};
    case ValueKind::job:
      return job_names(jobs);
    case ValueKind::key:
      return keys("");
    case ValueKind::definition:
      return definitions(current);
    case ValueKind::snapshot:
      return snapshots(current);
    case ValueKind::command:
      return commands();
    case ValueKind::running_job:
      return running_jobs();
    case ValueKind::other:
      break;
  }
  return {};
}

Candidates values_of(const Flag& flag, const std::string& current, const JobTable& jobs) {
  if (flag.choices.empty()) return of_kind(flag.kind, current, jobs);
  Candidates found;
  for (const std::string& choice : flag.choices) found.push_back({choice, ""});
  return found;
}

/// One pass over the words before the cursor, to see what the last one is.
class Line {
 public:
  Line(const std::vector<std::string>& words, const JobTable& jobs)
      : jobs_(jobs), current_(words.empty() ? "" : words.back()) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) take(words[i]);
  }

  Candidates candidates() const {
    if (job_ != nullptr) return arguments_of_job();
    if (pending_ != nullptr) return values_of(*pending_, current_, jobs_);
    const std::size_t equals = current_.find('=');
    if (current_.starts_with("--") && equals != std::string::npos) return attached(equals);
    if (current_.starts_with("-D") && current_.size() > 2) return attached_definition();
    if (current_.starts_with('-')) return flags();
    return command_ == nullptr ? commands() : operands();
  }

 private:
  void take(const std::string& word) {
    if (job_ != nullptr) {
      job_words_.push_back(word);
    } else if (pending_ != nullptr) {
      pending_ = nullptr;  // its value
    } else if (word.starts_with('-') && word.size() > 1) {
      const Flag* flag = flag_called(word);
      if (flag != nullptr && !flag->is_switch()) pending_ = flag;
    } else if (command_ == nullptr) {
      command_ = find_command(word);
    } else {
      operands_.push_back(word);
      if (command_->before_job) find_job_called(word);
    }
  }

  void find_job_called(const std::string& name) {
    const auto found =
        std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.name == name; });
    if (found != jobs_.end()) job_ = &*found;
  }

  std::vector<const Flag*> all_flags() const {
    std::vector<const Flag*> found;
    if (command_ != nullptr) {
      for (const Flag& flag : command_->flags) found.push_back(&flag);
    }
    for (const Flag& flag : global_flags()) found.push_back(&flag);
    return found;
  }

  const Flag* flag_called(const std::string& word) const {
    for (const Flag* flag : all_flags()) {
      if (word == flag->spelling() || word == std::string{'-', flag->short_name}) return flag;
    }
    return nullptr;
  }

  Candidates flags() const {
    Candidates found;
    for (const Flag* flag : all_flags()) {
      if (!flag->hidden) found.push_back({flag->spelling(), first_words(flag->help)});
    }
    return found;
  }

  Candidates attached(std::size_t equals) const {
    const Flag* flag = flag_called(current_.substr(0, equals));
    if (flag == nullptr) return {};
    const std::string prefix = current_.substr(0, equals + 1);
    Candidates found = values_of(*flag, current_.substr(equals + 1), jobs_);
    for (Candidate& candidate : found) {
      if (candidate.text != kFileNames) candidate.text = prefix + candidate.text;
    }
    return found;
  }

  Candidates attached_definition() const {
    Candidates found = definitions(current_.substr(2));
    for (Candidate& candidate : found) candidate.text = "-D" + candidate.text;
    return found;
  }

  Candidates operands() const {
    const bool explains =
        command_->name == "config" && operands_.size() == 1 && operands_.front() == "explain";
    if (explains) return keys("");
    if (!operands_.empty()) return {};
    if (command_->name == "completion") return {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
    Candidates found = of_kind(command_->operand_kind, current_, jobs_);
    if (command_->name == "config") found.push_back({"explain", "what a key means"});
    if (command_->name == "help") {
      for (const ErrorCodeInfo& info : all_error_codes()) {
        found.push_back({std::string(info.text), "an error"});
      }
    }
    return found;
  }

  Candidates arguments_of_job() const {
    const JobListing listing = list_job(*job_);
    for (const auto& declared : listing.arguments) {
      const bool is_before = !job_words_.empty() && job_words_.back() == "--" + declared.name;
      if (!is_before || declared.type == "flag") continue;
      if (declared.type == "path") return {{kFileNames, ""}};
      return {};
    }
    Candidates found;
    for (const auto& declared : listing.arguments) {
      found.push_back({"--" + declared.name, declared.help});
    }
    return found;
  }

  const JobTable& jobs_;
  const std::string current_;
  const Command* command_ = nullptr;
  const Flag* pending_ = nullptr;  // waits for its value
  const Job* job_ = nullptr;
  std::vector<std::string> operands_;
  std::vector<std::string> job_words_;
};

}  // namespace

std::vector<Candidate> candidates_for(const std::vector<std::string>& words, const JobTable& jobs) {
  Candidates found = Line(words, jobs).candidates();
  const std::string current = words.empty() ? "" : words.back();
  std::erase_if(found, [&](const Candidate& candidate) {
    return candidate.text != kFileNames && !candidate.text.starts_with(current);
  });
  return found;
}

}  // namespace streamrun
