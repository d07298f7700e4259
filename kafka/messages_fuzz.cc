// Any bytes as any message: decoding stays within its budget and its input; what decodes prints,
// encodes, and decodes again to the same.
//
// Input: kind (0 request, 1 response, else header or data blob), key or number (int16), version
// (int16), then the message.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/arena.h"
#include "kafka/broker_addresses.h"
#include "kafka/json/message_json.h"
#include "kafka/messages.h"

namespace {

using namespace grete;         // NOLINT: a program, not a header
using namespace grete::kafka;  // NOLINT

constexpr std::uint64_t kBudget = std::uint64_t{1} << 20;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

const MessageInfo* choose(std::uint8_t kind, std::int16_t key) {
  if (kind < 2) {
    return find_message(ApiKey{key}, kind == 0 ? Direction::kRequest : Direction::kResponse);
  }
  std::int16_t number = 0;
  for (const MessageInfo* info : all_messages()) {
    if (info->key == ApiKey{-1} && number++ == key) {
      return info;
    }
  }
  return nullptr;
}

std::vector<std::byte> encoded(const MessageInfo& info, ApiVersion version, const void* value) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  Arena arena(budget);
  Writer writer(arena);
  require(info.encode(writer, version, value).has_value());
  require(writer.size() == encoded_size(*info.type, version, value));
  std::vector<std::byte> bytes(writer.size());
  writer.copy_to(bytes.data());
  std::size_t in_pieces = 0;
  for (const Bytes piece : writer.pieces()) {
    require(std::memcmp(piece.data(), bytes.data() + in_pieces, piece.size()) == 0);
    in_pieces += piece.size();
  }
  require(in_pieces == bytes.size());
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) {
    return 0;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const MessageInfo* info = choose(data[0], load_big<std::int16_t>(bytes + 1));
  const ApiVersion version{load_big<std::int16_t>(bytes + 3)};
  if (info == nullptr) {
    return 0;
  }
  const Bytes body{bytes + 5, size - 5};
  MemoryBudget budget(kBudget);
  {
    Arena arena(budget);
    Reader reader(body, arena);
    const auto message = decode_any(reader, *info, version);
    require(budget.peak() <= kBudget);
    if (!message) {
      require(message.error().offset <= body.size());
      require(message.error().text().find(info->name) != std::string::npos);
      return 0;
    }
    std::string json;
    json::append_message(json, *info->type, version, message->value);
    require(!json.empty());
    const std::vector<std::byte> once = encoded(*info, version, message->value);
    // Unchanged records and strings take as much as before; only a tagged default is left out.
    require(once.size() <= reader.offset());

    MemoryBudget budget_again(std::uint64_t{1} << 30);
    Arena arena_again(budget_again);
    Reader reader_again(once, arena_again);
    const auto again = decode_any(reader_again, *info, version);
    require(again.has_value() && reader_again.remaining() == 0);
    std::string json_again;
    json::append_message(json_again, *info->type, version, again->value);
    require(json == json_again);
    require(encoded(*info, version, again->value) == once);

    visit_broker_addresses(*info, version, again->value, [](BrokerAddress& address) {
      address.host = "gateway";
      address.port = 1;
      return true;
    });
    encoded(*info, version, again->value);
  }
  return 0;
}
