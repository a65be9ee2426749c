#include <streamrun/base/strings.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command_table.h"
#include "job_line.h"
#include "output.h"
#include "table.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

std::string arguments_cell(const std::vector<JobArguments::Declaration>& arguments) {
  std::vector<std::string> names;
  for (const auto& each : arguments) {
    names.push_back(each.required ? "--" + each.name : "[--" + each.name + "]");
  }
  return join(names, ",");
}

Json json_of(const JobArguments::Declaration& argument) {
  Json json = {{"name", argument.name},
               {"type", argument.type},
               {"help", argument.help},
               {"required", argument.required},
               {"repeatable", argument.repeatable}};
  if (argument.default_text) json["default"] = *argument.default_text;
  return json;
}

std::string as_json(const JobTable& jobs) {
  Json rows = Json::array();
  for (const Job& job : jobs) {
    const JobListing listing = list_job(job);
    Json arguments = Json::array();
    for (const auto& each : listing.arguments) arguments.push_back(json_of(each));
    rows.push_back({{"name", job.name},
                    {"arguments", std::move(arguments)},
                    {"stateful", listing.stateful()},
                    {"about", job.about}});
  }
  return Json{{"v", 1}, {"jobs", std::move(rows)}}.dump(2) + "\n";
}

std::string as_table(const JobTable& jobs) {
  Table table({"NAME", "ARGUMENTS", "STATEFUL", "ABOUT"});
  for (const Job& job : jobs) {
    const JobListing listing = list_job(job);
    table.add({job.name, arguments_cell(listing.arguments), listing.stateful() ? "yes" : "no",
               job.about});
  }
  return table.text();
}

}  // namespace

int jobs_command(const Invocation& invocation) {
  print(invocation.global.json ? as_json(*invocation.jobs) : as_table(*invocation.jobs));
  return 0;
}

}  // namespace streamrun
