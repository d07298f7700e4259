#include "gateway/telemetry/stats.h"

namespace grete::gateway {

std::string_view name_of(CloseCause cause) {
  switch (cause) {
    case CloseCause::kClient:
      return "client";
    case CloseCause::kBroker:
      return "broker";
    case CloseCause::kConnect:
      return "broker-unreachable";
    case CloseCause::kIdle:
      return "idle";
    case CloseCause::kDrain:
      return "drain";
    case CloseCause::kWrongBroker:
      return "wrong-broker";
    case CloseCause::kReset:
      return "reset";
    case CloseCause::kRefused:
      return "refused";
  }
  return "unknown";
}

}  // namespace grete::gateway
