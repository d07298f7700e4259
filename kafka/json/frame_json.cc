#include "kafka/json/frame_json.h"

#include "base/arena.h"
#include "kafka/api_table.h"
#include "kafka/json/json_text.h"
#include "kafka/messages.h"
#include "kafka/messages/request_header.h"
#include "kafka/messages/response_header.h"

namespace grete::kafka::json {

namespace {

// The bytes of a frame without its length, and how many bytes were passed over.
struct Unframed {
  Bytes bytes;
  std::size_t skipped;
};

Unframed without_length(Bytes frame) {
  if (frame.size() >= 4 && load_big<std::uint32_t>(frame.data()) == frame.size() - 4) {
    return {frame.subspan(4), 4};
  }
  return {frame, 0};
}

FrameError error(std::string_view what, std::size_t skipped, DecodeError wrong) {
  wrong.offset += skipped;
  return {std::string(what) + ", " + wrong.text()};
}

// What a request asks for, which decides how its response is read.
struct Api {
  ApiKey key;
  ApiVersion version;
  std::size_t length_size;  // 4 if frames begin with their length, else 0
};

// Prints a header, a body and the closing braces' contents: "header":{...},"body":{...}.
Result<void, FrameError> append_parts(std::string& out, std::string_view what, std::size_t skipped,
                                      Reader& reader, const MessageInfo& header_info,
                                      ApiVersion header_version, const MessageInfo& body_info,
                                      ApiVersion version, const Options& options) {
  const auto header = decode_any(reader, header_info, header_version);
  if (!header) {
    return unexpected(error(what, skipped, header.error()));
  }
  out += "\"header\":";
  append_message(out, *header_info.type, header_version, header->value, options);
  const auto body = decode_any(reader, body_info, version);
  if (!body) {
    return unexpected(error(what, skipped, body.error()));
  }
  if (const auto ended = reader.expect_end(body_info.name); !ended) {
    return unexpected(error(what, skipped, ended.error()));
  }
  out += ",\"body\":";
  append_message(out, *body_info.type, version, body->value, options);
  return {};
}

Result<Api, FrameError> append_request(std::string& out, Bytes frame, MemoryBudget& budget,
                                       const Options& options) {
  const Unframed request = without_length(frame);
  if (request.bytes.size() < 4) {
    return unexpected(FrameError{"request: " + std::to_string(frame.size()) +
                                 " bytes are too few to name an API key and version"});
  }
  const Api api{ApiKey{load_big<std::int16_t>(request.bytes.data())},
                ApiVersion{load_big<std::int16_t>(request.bytes.data() + 2)}, request.skipped};
  const ApiInfo* info = find_api(api.key);
  if (info == nullptr) {
    return unexpected(FrameError{"request, at byte " + std::to_string(request.skipped) +
                                 ": no API has the key " + std::to_string(api.key.value()) +
                                 "; is this a request, with or without its 4-byte length?"});
  }
  if (!info->versions.contains(api.version.value())) {
    return unexpected(FrameError{
        "request, at byte " + std::to_string(request.skipped + 2) + ": " + info->name +
        " has no version " + std::to_string(api.version.value()) + "; known are " +
        std::to_string(info->versions.min) + " to " + std::to_string(info->versions.max)});
  }
  Arena arena(budget);
  Reader reader(request.bytes, arena);
  out += "\"request\":{\"api\":";
  append_string(out, info->name);
  out += ",\"apiVersion\":";
  append_integer(out, api.version.value());
  out += ',';
  GRETE_TRY(append_parts(out, "request", request.skipped, reader, kRequestHeaderInfo,
                         request_header_version(api.key, api.version),
                         *find_message(api.key, Direction::kRequest), api.version, options));
  out += '}';
  return api;
}

Result<void, FrameError> append_response(std::string& out, Bytes frame, Api api,
                                         MemoryBudget& budget, const Options& options) {
  const std::size_t skipped = api.length_size;
  if (frame.size() < skipped ||
      (skipped != 0 && load_big<std::uint32_t>(frame.data()) != frame.size() - skipped)) {
    return unexpected(
        FrameError{"response, at byte 0: does not begin with its length, as the request does"});
  }
  Arena arena(budget);
  Reader reader(frame.subspan(skipped), arena);
  out += ",\"response\":{";
  GRETE_TRY(append_parts(out, "response", skipped, reader, kResponseHeaderInfo,
                         response_header_version(api.key, api.version),
                         *find_message(api.key, Direction::kResponse), api.version, options));
  out += '}';
  return {};
}

}  // namespace

Result<std::string, FrameError> frames_to_json(Bytes request, std::optional<Bytes> response,
                                               MemoryBudget& budget, const FrameOptions& options) {
  std::string out = "{";
  GRETE_TRY_ASSIGN(const Api api, append_request(out, request, budget, options.message));
  if (response) {
    GRETE_TRY(append_response(out, *response, api, budget, options.message));
  }
  out += '}';
  return options.indent ? indented(out) : out;
}

std::optional<std::vector<std::byte>> parse_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (std::string_view(" \t\r\n:,").find(rest[0]) != std::string_view::npos) {
      ++i;
      continue;
    }
    if (rest.starts_with("0x") || rest.starts_with("0X")) {
      i += 2;
      continue;
    }
    const int high = digit(rest[0]);
    const int low = rest.size() > 1 ? digit(rest[1]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
    i += 2;
  }
  return bytes;
}

}  // namespace grete::kafka::json
