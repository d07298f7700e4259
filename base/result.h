// Errors as values.
//
// Three kinds of failure exist in this project. A bug of ours aborts. Bad input of a peer, a guest
// or an operator is a Result. Exceptions appear only at start-up and at third-party edges.
// Each module has one small error type of its own; text is added at the boundary that knows the
// context.
#pragma once

#include <expected>

namespace grete {

// A value, or the module's error.
template <class T, class E>
using Result = std::expected<T, E>;

using std::unexpected;

}  // namespace grete

// Returns the error of `expression` (a Result) from the enclosing function, if it holds one.
#define GRETE_TRY(expression)                                        \
  do {                                                               \
    if (auto grete_try_result = (expression); !grete_try_result) {   \
      return ::std::unexpected(std::move(grete_try_result).error()); \
    }                                                                \
  } while (false)

#define GRETE_CONCAT_INNER(a, b) a##b
#define GRETE_CONCAT(a, b) GRETE_CONCAT_INNER(a, b)

// Declares or assigns `target` from the Result `expression`, or returns its error.
#define GRETE_TRY_ASSIGN(target, expression) \
  GRETE_TRY_ASSIGN_NAMED(GRETE_CONCAT(grete_try_, __LINE__), target, expression)
#define GRETE_TRY_ASSIGN_NAMED(result, target, expression) \
  auto result = (expression);                              \
  if (!result) {                                           \
    return ::std::unexpected(std::move(result).error());   \
  }                                                        \
  target = *std::move(result)
