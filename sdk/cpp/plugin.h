// A configured filter, as every kind of host drives it: the lane, the byte stream, a native hook, a
// test.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "kafka/lane/format.h"
#include "sdk/cpp/filter.h"

namespace grete::sdk {

// One thread.
class Plugin {
 public:
  // `host` outlives the plug-in.
  Plugin(std::unique_ptr<Filter> filter, Host& host);

  // First, once. `configuration` is JSON, or empty. The error is for people.
  [[nodiscard]] Result<void, std::string> configure(std::string_view configuration);

  // After configure(): what the filter wants to see.
  [[nodiscard]] const std::vector<kafka::lane::Interest>& interests() const {
    return subscriptions_.interests();
  }

  // Shows one call to the filter. The edits that it makes are in edits() until the next call.
  [[nodiscard]] Verdict handle(const kafka::lane::Call& call);
  [[nodiscard]] EditBuffer& edits() { return edits_; }

  void tick() { filter_->on_tick(); }

 private:
  // What one message may decode to.
  static constexpr std::uint64_t kArenaBytes = std::uint64_t{256} << 20;

  std::unique_ptr<Filter> filter_;
  Host* host_;
  Subscriptions subscriptions_;
  EditBuffer edits_;
  MemoryBudget budget_{kArenaBytes};
  Arena arena_{budget_};
};

}  // namespace grete::sdk
