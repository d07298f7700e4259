// Ids that cannot be mixed up: Strong<struct NodeIdTag, int32_t> converts to nothing by itself.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace grete {

template <class Tag, class Value>
class Strong {
 public:
  using value_type = Value;

  constexpr Strong() = default;
  constexpr explicit Strong(Value value) : value_(value) {}

  [[nodiscard]] constexpr Value value() const { return value_; }

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  Value value_{};
};

}  // namespace grete

template <class Tag, class Value>
struct std::hash<grete::Strong<Tag, Value>> {
  std::size_t operator()(grete::Strong<Tag, Value> id) const noexcept {
    return std::hash<Value>{}(id.value());
  }
};
