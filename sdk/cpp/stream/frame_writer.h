// Puts frames together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "kafka/ids.h"
#include "kafka/wire/writer.h"

namespace grete::sdk {

inline constexpr std::size_t kFrameLengthBytes = 4;

inline void append_bytes(std::vector<std::byte>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class Integer>
void append_big(std::vector<std::byte>& out, Integer value) {
  std::byte bytes[sizeof value];
  store_big(bytes, value);
  append_bytes(out, bytes);
}

// Length, header, body.
inline void append_frame(std::vector<std::byte>& out, Bytes header, Bytes body) {
  append_big(out, static_cast<std::int32_t>(header.size() + body.size()));
  append_bytes(out, header);
  append_bytes(out, body);
}

// Length, header, and a generated message; false if it cannot be encoded.
template <class T>
[[nodiscard]] bool append_message(std::vector<std::byte>& out, Arena& arena, Bytes header,
                                  kafka::ApiVersion version, const T& message) {
  kafka::Writer writer(arena);
  if (!encode(writer, version, message)) {
    return false;
  }
  append_big(out, static_cast<std::int32_t>(header.size() + writer.size()));
  append_bytes(out, header);
  for (const Bytes piece : writer.pieces()) {
    append_bytes(out, piece);
  }
  return true;
}

template <class T>
[[nodiscard]] std::optional<std::vector<std::byte>> encode_body(Arena& arena,
                                                                kafka::ApiVersion version,
                                                                const T& message) {
  kafka::Writer writer(arena);
  if (!encode(writer, version, message)) {
    return std::nullopt;
  }
  std::vector<std::byte> body(static_cast<std::size_t>(writer.size()));
  writer.copy_to(body.data());
  return body;
}

// An ApiVersions v0 request: any broker answers it, at once and in its turn.
inline void append_api_versions(std::vector<std::byte>& out, std::int32_t correlation,
                                std::string_view client_id) {
  constexpr std::int16_t kApiVersions = 18;
  append_big(out, static_cast<std::int32_t>(10 + client_id.size()));
  append_big(out, kApiVersions);
  append_big(out, std::int16_t{0});
  append_big(out, correlation);
  append_big(out, static_cast<std::int16_t>(client_id.size()));
  append_bytes(out, as_bytes(client_id));
}

// A response with this body; header version 1 has tagged fields, none here.
inline void append_reply(std::vector<std::byte>& out, std::int32_t correlation,
                         kafka::ApiVersion header_version, Bytes body) {
  const bool tags = header_version.value() >= 1;
  append_big(out, static_cast<std::int32_t>(4 + (tags ? 1 : 0) + body.size()));
  append_big(out, correlation);
  if (tags) {
    out.push_back(std::byte{0});
  }
  append_bytes(out, body);
}

}  // namespace grete::sdk
