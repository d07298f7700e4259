#include "wasm/error.h"

namespace grete::wasm {

std::string_view name_of(TrapReason reason) {
  switch (reason) {
    case TrapReason::kDeadline:
      return "deadline";
    case TrapReason::kCancelled:
      return "cancelled";
    case TrapReason::kOutOfMemory:
      return "out_of_memory";
    case TrapReason::kStackOverflow:
      return "stack_overflow";
    case TrapReason::kUnreachable:
      return "unreachable";
    case TrapReason::kOutOfBounds:
      return "out_of_bounds";
    case TrapReason::kArithmetic:
      return "arithmetic";
    case TrapReason::kBadCall:
      return "bad_call";
    case TrapReason::kReentrance:
      return "reentrance";
    case TrapReason::kExit:
      return "exit";
    case TrapReason::kRefused:
      return "refused";
    case TrapReason::kInstantiation:
      return "instantiation";
    case TrapReason::kOther:
      break;
  }
  return "other";
}

}  // namespace grete::wasm
