// A session between a hostile client and a hostile broker: it may refuse, and it must neither crash
// nor hold more memory than it may.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "gateway/session/session.h"

using namespace grete;
using namespace grete::gateway;

namespace {

constexpr std::uint64_t kMemory = 1 << 20;

class Silent final : public SessionObserver {
 public:
  void on_request(kafka::ApiKey, kafka::ApiVersion, std::uint64_t) override {}
  void on_reply(kafka::ApiKey, std::uint64_t, Duration) override {}
  void on_brokers(std::span<const BrokerAddress>) override {}
  void on_topics(std::span<const TopicId>) override {}
  void on_unreachable_broker(kafka::NodeId) override {}
  void on_principal(std::string_view) override {}
  void on_plugins(kafka::ApiKey, Duration) override {}
  std::shared_ptr<const plugins::TopicNames> topics() override { return nullptr; }
};

}  // namespace

// The input is a list of pieces: a byte whose highest bit says whose piece it is and whose others
// its length, then the piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SessionSettings settings;
  settings.ports = {.host = "gateway", .first = 20000, .last = 20009};
  settings.max_frame = kMinMaxFrame;
  settings.max_in_flight = 8;
  MemoryBudget budget(kMemory);
  {
    Silent observer;
    Session session(settings, budget, observer);
    std::vector<std::byte> waiting;
    while (size > 0) {
      const bool from_client = (data[0] & 0x80) != 0;
      const std::size_t length = std::min<std::size_t>(data[0] & 0x7f, size - 1);
      std::vector<std::byte> piece;
      if (from_client) {
        piece.swap(waiting);
      }
      const auto* bytes = reinterpret_cast<const std::byte*>(data + 1);
      piece.insert(piece.end(), bytes, bytes + length);
      data += 1 + length;
      size -= 1 + length;
      Outputs out;
      MutableBytes input(piece);
      const auto result = from_client ? session.client_bytes(input, Moment{}, out)
                                      : session.broker_bytes(input, Moment{}, out);
      if (!result) {
        break;
      }
      if (from_client) {
        waiting.assign(input.begin(), input.end());
        if (!input.empty() && session.takes_client_bytes()) {
          std::abort();
        }
      } else if (!input.empty()) {
        std::abort();
      }
    }
  }
  if (budget.used() != 0 || budget.peak() > kMemory) {
    std::abort();
  }
  return 0;
}
