#pragma once

#include <streamrun/api/checkpoint_settings.h>
#include <streamrun/api/datastream.h>
#include <streamrun/api/job.h>
#include <streamrun/api/job_arguments.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Where a program begins: streams from sources. A program only builds a graph; nothing runs until
/// it returns.
class StreamExecutionEnvironment {
 public:
  StreamExecutionEnvironment() : builder_(std::make_shared<detail::GraphBuilder>()) {}

  /// The records of a source. Its read positions are state, so it has a uid.
  template <typename Source>
  auto from_source(const Source& source, const Stateful& attributes) const {
    using T = typename Source::Record;
    return add_source(source, attributes, [source] {
      return std::make_unique<SourceOperator<T>>(source.make_reader());
    });
  }
  /// With watermarks from the timestamps that the records have at the source, split by split: of
  /// Kafka partition by partition. What an `assign_timestamps_and_watermarks` behind it makes takes
  /// their place.
  template <typename Source>
  auto from_source(const Source& source, const WatermarkStrategy& strategy,
                   const Stateful& attributes) const {
    using T = typename Source::Record;
    static_assert(Source::kHasTimestamps,
                  "records of this source have no timestamps: assign_timestamps_and_watermarks");
    return add_source(source, attributes, [source, options = strategy.options()] {
      return std::make_unique<WatermarkedSourceOperator<T>>(source.make_reader(), options);
    });
  }

 private:
  template <typename Source, typename MakeOperator>
  auto add_source(const Source& source, const Stateful& attributes, MakeOperator make) const {
    using T = typename Source::Record;
    static_assert(SourceOf<Source, T>, "a source makes readers and enumerators of its record type");
    StreamNode node = detail::node_of(attributes, "Source: " + source.describe(), "Data Source");
    node.bounded = source.bounded();
    node.make_operator = std::move(make);
    node.make_enumerator = [source] { return source.make_enumerator(); };
    if constexpr (requires { source.input_paths(); }) node.reads = source.input_paths();
    if constexpr (requires { &Source::check_input; }) {
      node.check_input = [source](const FileSystems& stores, const std::string& working_directory,
                                  const std::string& restored,
                                  const std::vector<std::string>& unread) {
        return source.check_input(stores, working_directory, restored, unread);
      };
    }
    const int id = builder_->add_node(std::move(node));
    return DataStream<T>(
        builder_, {{id, Exchange::forward, detail::forward_factory(), detail::forward_codec<T>()}});
  }

 public:
  /// Says how checkpoints of this job are taken. Called again, what is said later counts.
  void enable_checkpointing(const CheckpointSettings& settings) {
    for (auto& setting : settings.as_configuration()) settings_.push_back(std::move(setting));
  }
  /// Says where keyed state lives. The same.
  void set_state_backend(const StateBackendSettings& settings) {
    for (auto& setting : settings.as_configuration()) settings_.push_back(std::move(setting));
  }
  /// Sets any key of the configuration from the job's code, restart strategies for instance. As
  /// with `enable_checkpointing` it counts more than the file and less than the command line.
  void configure(std::string key, std::string value) {
    settings_.emplace_back(std::move(key), std::move(value));
  }
  /// What the program set of the configuration, in order: key and value.
  const std::vector<std::pair<std::string, std::string>>& settings() const { return settings_; }

  StreamGraph take_graph() { return std::move(builder_->graph); }

 private:
  std::shared_ptr<detail::GraphBuilder> builder_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace streamrun
