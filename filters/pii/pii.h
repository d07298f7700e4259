// The PII filter, for who runs it natively: its header needs no RTTI of it.
#pragma once

#include <memory>

#include "sdk/cpp/filter.h"

namespace grete::filters::pii {

std::unique_ptr<sdk::Filter> make_pii_filter();

}  // namespace grete::filters::pii
