#include "kafka/messages.h"

namespace grete::kafka {

const MessageInfo* find_message(ApiKey key, Direction direction) {
  const auto kind =
      direction == Direction::kRequest ? MessageInfo::Kind::kRequest : MessageInfo::Kind::kResponse;
  for (const MessageInfo* message : all_messages()) {
    if (message->kind == kind && message->key == key) {
      return message;
    }
  }
  return nullptr;
}

const MessageInfo* find_message(std::string_view name) {
  for (const MessageInfo* message : all_messages()) {
    if (message->name == name) {
      return message;
    }
  }
  return nullptr;
}

Result<AnyMessage, DecodeError> decode_any(Reader& reader, const MessageInfo& info,
                                           ApiVersion version) {
  void* memory = reader.arena().allocate(info.type->size, info.type->alignment);
  if (memory == nullptr) {
    reader.fail(DecodeErrorCode::kOutOfMemory, reader.position());
    return unexpected(reader.take_error(info.name));
  }
  info.type->construct(memory);
  GRETE_TRY(info.decode(reader, version, memory));
  return AnyMessage{&info, memory};
}

}  // namespace grete::kafka
