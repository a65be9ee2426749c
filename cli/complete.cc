#include <streamrun/base/error.h>

#include <exception>

#include "candidates.h"
#include "command_table.h"
#include "output.h"

namespace streamrun {

/// A shell waits for this while a person types: whatever goes wrong, it says nothing.
int complete_command(const Invocation& invocation) {
  try {
    std::string text;
    for (const Candidate& candidate : candidates_for(invocation.operands, *invocation.jobs)) {
      text += candidate.text;
      if (!candidate.description.empty()) text += "\t" + candidate.description;
      text += '\n';
    }
    print(text);
  } catch (const ErrorException&) {
  } catch (const std::exception&) {
  }
  return 0;
}

}  // namespace streamrun
