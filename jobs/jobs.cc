#include "jobs.h"

#include "checkpointdemo.h"
#include "inactivity.h"
#include "kafkatotals.h"
#include "slowsink.h"
#include "statemachine.h"
#include "wordcount.h"

namespace streamrun::jobs {

const JobTable& shipped_jobs() {
  static const JobTable kJobs = {
      {"checkpointdemo", checkpoint_demo,
       "sets everything there is to set of checkpoints in its code"},
      {"inactivity", inactivity, "tells who has fallen silent, by event time; shows timers"},
      {"kafka-totals", kafka_totals, "adds up orders of JSON from Kafka, per key"},
      {"slowsink", slow_sink, "adds up faster than its sink takes rows; shows back pressure"},
      {"statemachine", state_machine, "checks endless events per source; shows recovery"},
      {"wordcount", word_count, "counts the words of text files, or of records of Kafka"},
  };
  return kJobs;
}

}  // namespace streamrun::jobs
