#pragma once

#include <functional>
#include <string>
#include <vector>

namespace streamrun {

class JobArguments;
class StreamExecutionEnvironment;

/// A program: it builds a graph from its arguments.
using Program = std::function<void(StreamExecutionEnvironment&, JobArguments&)>;

/// A row of the table of jobs that a binary holds.
struct Job {
  std::string name;
  Program program;
  std::string about;
};
using JobTable = std::vector<Job>;

}  // namespace streamrun
