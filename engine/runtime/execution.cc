#include <streamrun/runtime/execution.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace streamrun {

Execution::Execution(const JobGraph& graph, const ExecutionContext& context, std::string attempt,
                     TaskReports reports, std::function<void(int op, int subtask)> ask_for_split,
                     std::function<void()> on_io_idle)
    : graph_(graph),
      context_(context),
      attempt_(std::move(attempt)),
      reports_(std::move(reports)),
      ask_for_split_(std::move(ask_for_split)),
      io_(std::make_unique<TrackedIoExecutor>(context.environment.io, std::move(on_io_idle))),
      environment_{context.environment.clock, context.environment.random,
                   context.environment.executor, *io_, context.environment.log} {
  make_tasks();
  make_channels();
  for (auto& task : tasks_) task->connect();
}

Execution::~Execution() {
  SR_ASSERT(io_->idle(), "an attempt is destroyed after its I/O jobs");
}

void Execution::make_tasks() {
  for (const JobVertex& vertex : graph_.vertices) {
    first_task_.push_back(static_cast<int>(tasks_.size()));
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      const int index = static_cast<int>(tasks_.size());
      auto task = std::make_unique<StreamTask>(
          index, fmt::format("{} ({}/{})", vertex.name, subtask + 1, vertex.parallelism), reports_,
          environment_.executor, environment_.clock);
      for (const int id : vertex.operators) {
        const JobOperator& op = graph_.operators[static_cast<std::size_t>(id)];
        std::unique_ptr<StreamOperator> made = op.node.make_operator();
        if (auto* const source = dynamic_cast<SourceOperatorBase*>(made.get())) {
          source->set_ask_for_split([this, id, subtask] { ask_for_split_(id, subtask); });
        }
        task->add_operator(std::move(made), context_of(op, subtask, *task));
      }
      places_.push_back({vertex.id, subtask});
      tasks_.push_back(std::move(task));
    }
  }
}

OperatorContext Execution::context_of(const JobOperator& op, int subtask, StreamTask& task) {
  OperatorContext context{
      .environment = environment_,
      .file_systems = context_.file_systems,
      .working_directory = context_.working_directory,
      .job_id = context_.job_id,
      .family_id = context_.family_id,
      .job_name = context_.job_name,
      .attempt = attempt_,
      .uid = op.node.uid,
      .name = op.node.name,
      .operator_id = op.id,
      .subtask = subtask,
      .parallelism = op.node.parallelism,
      .max_parallelism = op.node.max_parallelism,
      .key_groups = key_group_range_of(subtask, op.node.parallelism, op.node.max_parallelism),
      .chain_limits = context_.chain_limits,
      .watermark_interval = context_.watermark_interval,
      .state_backend = context_.state_backend,
      .commits_only_on_request = context_.commits_only_on_request,
      .task_owned_folder = context_.task_owned_folder,
      .earlier_task_owned_folders = context_.earlier_task_owned_folders,
      .post = {},
      .stop_job = context_.stop_job,
      .fate_of_run = context_.fate_of_run,
      .retained_committables = {}};
  // The mailbox outlives the task for whoever still holds this, and is closed by then.
  context.post = [mailbox = task.mailbox()](UniqueFunction<void()> mail) {
    mailbox->post(std::move(mail));
  };
  context.retained_committables = [this, id = op.id](const JobId& job) {
    return context_.retained_committables(job, id);
  };
  return context;
}

/// For its tasks, chained or not: what was in flight on it in an earlier run may have to be read.
InputEdge Execution::input_edge_of(const StreamEdge& edge) const {
  const JobOperator& to = graph_.operators[static_cast<std::size_t>(edge.to)];
  const std::vector<int>& chain = graph_.vertices[static_cast<std::size_t>(to.vertex)].operators;
  const auto reader = std::find(chain.begin(), chain.end(), edge.to);
  const bool is_keyed = edge.codec != nullptr && edge.codec->is_keyed();
  return {.position = static_cast<std::size_t>(reader - chain.begin()),
          .upstream = graph_.operators[static_cast<std::size_t>(edge.from)].id,
          .mapper = is_keyed ? SubtaskStateMapper::range : SubtaskStateMapper::round_robin,
          .codec = edge.codec};
}

void Execution::make_channels() {
  const auto vertex_of = [this](int op) -> const JobVertex& {
    return graph_
        .vertices[static_cast<std::size_t>(graph_.operators[static_cast<std::size_t>(op)].vertex)];
  };
  const auto position_of = [&](int op) {
    const std::vector<int>& chain = vertex_of(op).operators;
    return static_cast<std::size_t>(std::find(chain.begin(), chain.end(), op) - chain.begin());
  };
  for (const StreamEdge& edge : graph_.chained) {
    const JobVertex& vertex = vertex_of(edge.from);
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      StreamTask& task = *tasks_[static_cast<std::size_t>(task_of(vertex.id, subtask))];
      task.add_input_edge(input_edge_of(edge));
      if (edge.exchange == Exchange::forward) {
        task.chain(position_of(edge.from), position_of(edge.to));
      } else {
        task.chain_through(position_of(edge.from), position_of(edge.to), [&](Senders senders) {
          return edge.make_partitioner(std::move(senders), subtask, vertex.max_parallelism);
        });
      }
    }
  }
  // How many channels lead into one subtask of each vertex. A forward edge joins equal subtasks
  // only.
  const auto fan_in = [&](const StreamEdge& edge) {
    return edge.exchange == Exchange::forward ? 1 : vertex_of(edge.from).parallelism;
  };
  std::vector<std::size_t> inputs(graph_.vertices.size());
  // As in Flink all inputs of a task stay aligned if one does.
  std::vector<bool> overtaken_on(graph_.vertices.size(), context_.exactly_once);
  for (const StreamEdge& edge : graph_.exchanges) {
    inputs[static_cast<std::size_t>(vertex_of(edge.to).id)] +=
        static_cast<std::size_t>(fan_in(edge));
    if (!edge.lets_barriers_overtake()) {
      overtaken_on[static_cast<std::size_t>(vertex_of(edge.to).id)] = false;
    }
  }
  std::vector<InputGate*> gates(tasks_.size());
  for (std::size_t task = 0; task < tasks_.size(); ++task) {
    const std::size_t count = inputs[static_cast<std::size_t>(places_[task].vertex)];
    if (count > 0) gates[task] = &tasks_[task]->make_gate(count, context_.exactly_once);
  }
  std::vector<std::size_t> next_input(tasks_.size());
  for (const StreamEdge& edge : graph_.exchanges) {
    const JobVertex& from = vertex_of(edge.from);
    const JobVertex& to = vertex_of(edge.to);
    const bool is_overtaken_on = overtaken_on[static_cast<std::size_t>(to.id)];
    std::vector<std::size_t> numbers;  // of the edge, by consumer
    for (int target = 0; target < to.parallelism; ++target) {
      StreamTask& consumer = *tasks_[static_cast<std::size_t>(task_of(to.id, target))];
      numbers.push_back(consumer.add_input_edge(input_edge_of(edge)));
    }
    for (int subtask = 0; subtask < from.parallelism; ++subtask) {
      StreamTask& producer = *tasks_[static_cast<std::size_t>(task_of(from.id, subtask))];
      std::vector<std::unique_ptr<ChannelWriter>> writers;
      Senders senders;
      for (int target = 0; target < to.parallelism; ++target) {
        if (edge.exchange == Exchange::forward && target != subtask) continue;
        const auto consumer = static_cast<std::size_t>(task_of(to.id, target));
        const std::size_t input = next_input[consumer]++;
        channels_.push_back(std::make_unique<Channel>(
            input, gates[consumer]->ready_channels(), tasks_[consumer]->wake_target(),
            producer.wake_target(),
            is_overtaken_on ? &gates[consumer]->announced_channels() : nullptr));
        gates[consumer]->set_channel(input, *channels_.back());
        tasks_[consumer]->set_channel_edge(input, numbers[static_cast<std::size_t>(target)]);
        writers.push_back(std::make_unique<ChannelWriter>(*channels_.back()));
        senders.push_back(writers.back().get());
      }
      producer.add_exchange(position_of(edge.from),
                            edge.make_partitioner(std::move(senders), subtask, to.max_parallelism),
                            std::move(writers));
    }
  }
}

void Execution::recover(RecoveryStep step, const RestorePlan& plan,
                        const std::function<void(Result<void>)>& done) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    std::vector<OperatorSubtaskState> states;
    if (step == RecoveryStep::open) {
      const Place& place = places_[i];
      for (const int op : graph_.vertices[static_cast<std::size_t>(place.vertex)].operators) {
        const bool planned = !plan.operators.empty();
        const auto& subtasks = planned ? plan.operators[static_cast<std::size_t>(op)].subtasks
                                       : std::vector<OperatorSubtaskState>{};
        const auto subtask = static_cast<std::size_t>(place.subtask);
        states.push_back(subtask < subtasks.size() ? subtasks[subtask] : OperatorSubtaskState{});
      }
    }
    io_->submit([task = tasks_[i].get(), step, states = std::move(states), done] {
      switch (step) {
        case RecoveryStep::open:
          return done(task->open(states));
        case RecoveryStep::commit_recovered:
          return done(task->commit_recovered());
        case RecoveryStep::remove_leftovers:
          return done(task->remove_leftovers());
      }
    });
  }
}

void Execution::start() {
  // All are added before any is woken: a task may send to one that was added after it.
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const RunnableId id =
        environment_.executor.add(places_[i].subtask % context_.workers, *tasks_[i]);
    tasks_[i]->wake_target().set(id);
    running_.push_back(id);
  }
  for (auto& task : tasks_) task->wake_target().wake();
}

void Execution::stop() {
  for (const RunnableId id : running_) environment_.executor.remove(id);
  running_.clear();
  for (auto& task : tasks_) task->mailbox()->close();
}

}  // namespace streamrun
