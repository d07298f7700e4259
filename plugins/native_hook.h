// Filters compiled into the program, in the same chain as WebAssembly plug-ins: for tests, and for
// telling what the sandbox costs.
#pragma once

#include <functional>
#include <memory>

#include "plugins/hook.h"

namespace grete::plugins {

// One object a worker; one thread. What is told is as in docs/kafka-lane.md.
class NativeFilter {
 public:
  virtual ~NativeFilter() = default;
  virtual Verdict on_message(const MessageCall& call) {
    static_cast<void>(call);
    return {};
  }
  virtual Verdict on_records(const RecordsCall& call, EditList& edits) {
    static_cast<void>(call), static_cast<void>(edits);
    return {};
  }
};

// Called on each worker's thread.
using NativeFilterFactory = std::function<std::unique_ptr<NativeFilter>()>;

[[nodiscard]] std::shared_ptr<const Hook> make_native_hook(HookSpec spec, Subscription subscription,
                                                           NativeFilterFactory factory);

}  // namespace grete::plugins
