#pragma once

#include <streamrun/operators/timer_service.h>

namespace streamrun {

/// What a process function may ask about the record in hand.
template <Key K>
class KeyedContext {
 public:
  typename KeyTraits<K>::Ref key() const { return timers_.key_.get(); }
  int subtask() const { return subtask_; }
  TimerService<K>& timer_service() { return timers_; }

 private:
  template <typename, typename, typename, typename, typename>
  friend class KeyedProcessOperator;
  TimerService<K> timers_;
  int subtask_ = 0;
};

/// The same for `on_timer`.
template <Key K>
class OnTimerContext : public KeyedContext<K> {
 public:
  TimeDomain time_domain() const { return domain_; }

 private:
  template <typename, typename, typename, typename, typename>
  friend class KeyedProcessOperator;
  TimeDomain domain_ = TimeDomain::event_time;
};

}  // namespace streamrun
