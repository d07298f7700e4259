// Filters of filters/ as native hooks: what the sandbox costs is told by the same code without it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "plugins/hook.h"

namespace grete::bench {

// The filter of that name ("pii") with its configuration (JSON), in the chain of a gateway. The
// error is for the operator.
[[nodiscard]] Result<std::shared_ptr<const plugins::Hook>, std::string> make_native_filter(
    plugins::HookSpec spec, std::string_view filter, std::string configuration);

}  // namespace grete::bench
