#include "jobs.h"

#include "statemachine.h"
#include "wordcount.h"

namespace streamrun::jobs {

const JobTable& shipped_jobs() {
  static const JobTable kJobs = {
      {"statemachine", state_machine, "checks endless events per source; shows recovery"},
      {"wordcount", word_count, "counts the words of text files"},
  };
  return kJobs;
}

}  // namespace streamrun::jobs
