// The one place where guest addresses become host memory.
//
// A span points into the guest's memory: it is valid until the guest runs again (also until it
// allocates on the host's request), and the guest chose what it holds. Nothing keeps one across a
// guest call.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace grete::wasm {

// An address in a guest's memory; any value at all.
enum class GuestAddress : std::uint32_t {};

[[nodiscard]] constexpr std::uint32_t value_of(GuestAddress address) {
  return static_cast<std::uint32_t>(address);
}

// Translates addresses of one instance. Cheap to make: make one where it is needed.
class GuestMemory {
 public:
  // A guest without memory: no address is valid.
  GuestMemory() = default;
  explicit GuestMemory(MutableBytes bytes) : bytes_(bytes) {}

  // `size` bytes at `address`; nothing unless all of them lie in the memory. An empty range is
  // valid anywhere up to the memory's end.
  [[nodiscard]] std::optional<MutableBytes> range(GuestAddress address, std::uint64_t size) const {
    const std::uint64_t start = value_of(address);
    if (start > bytes_.size() || size > bytes_.size() - start) {
      return std::nullopt;
    }
    return bytes_.subspan(start, size);
  }

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

 private:
  MutableBytes bytes_;
};

}  // namespace grete::wasm
