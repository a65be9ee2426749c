#include <streamrun/cli/streamrun_main.h>

#include "jobs.h"

int main(int argc, char** argv) {
  return streamrun::streamrun_main(argc, argv, streamrun::jobs::shipped_jobs());
}
