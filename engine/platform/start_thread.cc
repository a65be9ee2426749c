#include <streamrun/base/assert.h>
#include <streamrun/base/error.h>
#include <streamrun/platform/start_thread.h>

#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include <pthread.h>

namespace streamrun {
namespace {

/// Blocks signals for as long as it lives; a thread inherits the mask it is created under, so there
/// is no moment at which the new thread could be handed one.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    // A fault is delivered to the thread that caused it: blocked, no crash report would be written.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
      sigdelset(&blocked, fault);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

void run_body(const std::string& name, UniqueFunction<void()> body) {
  pthread_setname_np(pthread_self(), name.c_str());
  try {
    body();
  } catch (const std::exception& exception) {
    SR_ASSERT(false, exception.what());
  } catch (...) {
    SR_ASSERT(false, "an exception escaped from a thread");
  }
}

}  // namespace

std::thread start_thread(const std::string& name, UniqueFunction<void()> body) {
  const SignalsBlocked blocked;
  try {
    return std::thread(run_body, name.substr(0, 15), std::move(body));
  } catch (const std::system_error& failure) {
    throw_error({.code = ErrorCode::unavailable,
                 .message = "cannot start thread " + name,
                 .why = failure.code().message(),
                 .tries = {"ulimit -u"}});
  }
}

}  // namespace streamrun
