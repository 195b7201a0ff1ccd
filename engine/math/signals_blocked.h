// The host's signals go to the host's threads: ours are started with all of them blocked.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace personalize {

// While it lives, the calling thread has all signals blocked, and so has every thread that it
// starts, for good.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace personalize
