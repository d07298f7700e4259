// Bytes that a peer's socket has not taken yet.
#pragma once

#include <cstddef>
#include <deque>

#include "base/memory_budget.h"
#include "gateway/net/socket.h"
#include "gateway/session/buffer.h"
#include "gateway/session/output.h"

namespace grete::gateway {

// One direction of a connection. Holds memory only while a peer is slow. One thread.
class SendQueue {
 public:
  explicit SendQueue(MemoryBudget& budget) : budget_(&budget) {}

  // Sends `output` after what is queued already: at once what the socket takes, the rest is
  // queued. Nothing that `output` borrows is needed afterwards. kWouldBlock if something is queued
  // now; with kFailed and error ENOMEM the budget has no room.
  [[nodiscard]] Transfer send(const Socket& socket, Output& output);

  // Sends what is queued. kWouldBlock if something is left.
  [[nodiscard]] Transfer flush(const Socket& socket);

  [[nodiscard]] bool empty() const { return queue_.empty(); }
  // Bytes queued.
  [[nodiscard]] std::size_t size() const { return size_; }
  void clear();

 private:
  [[nodiscard]] bool keep(Output& output, std::size_t sent);

  struct Entry {
    const std::byte* data = nullptr;
    std::size_t size = 0;
    Keeper keeper;
  };

  MemoryBudget* budget_;
  std::deque<Entry> queue_;
  std::size_t size_ = 0;
};

}  // namespace grete::gateway
