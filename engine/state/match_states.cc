#include <streamrun/state/match_states.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace streamrun {
namespace {

std::string text_of(const StateDescription& state) {
  return state.kind + " \"" + state.name + "\" of " + state.key_type + " -> " + state.value_type;
}

/// What the table has to do with the values of a state of the snapshot, if they are of an older
/// type: null if not. Keys decide where they are, so theirs can't be another.
Result<std::shared_ptr<const TypeMigration>> migration_of(const StateDescription& saved, int number,
                                                          KeyedTableBase& table) {
  const StateDescription* const declared =
      number >= 0 ? &table.descriptions()[static_cast<std::size_t>(number)] : nullptr;
  if (declared != nullptr && saved == *declared) return std::shared_ptr<const TypeMigration>();
  if (declared != nullptr && saved.kind == declared->kind && saved.key_type == declared->key_type &&
      saved.namespace_type == declared->namespace_type) {
    const auto old = TypeDescriptor::parse(saved.value_type);
    auto migration =
        old ? TypeMigration::between(*old, table.describe_state(number)) : std::nullopt;
    if (migration) return std::make_shared<const TypeMigration>(*std::move(migration));
  }
  return Error{.code = ErrorCode::job_mismatch,
               .message = "the state in the snapshot does not fit the job",
               .why = "snapshot: " + text_of(saved) + "; job: " +
                      (declared != nullptr ? text_of(*declared) : "no state of that name"),
               .retry = Retry::no};
}

}  // namespace

Result<std::vector<int>> match_states(const std::vector<StateDescription>& saved,
                                      KeyedTableBase& table) {
  const std::vector<StateDescription>& declared = table.descriptions();
  std::vector<int> numbers;
  for (const StateDescription& state : saved) {
    int number = -1;
    for (std::size_t i = 0; i < declared.size(); ++i) {
      if (declared[i].name == state.name) number = static_cast<int>(i);
    }
    auto migration = SR_TRY(migration_of(state, number, table));
    table.migrate_state(number, std::move(migration));
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace streamrun
