#include "kafka/wire/decode.h"

namespace grete::kafka::wire {

namespace {

// Kafka's own limit: longer strings do not fit the older encoding, and it refuses them in both.
constexpr std::int64_t kMaxString = 32767;

struct Length {
  Reader::Cursor next;
  std::int64_t value;  // -1 for null
};

Length get_flexible_length(Reader& r, Reader::Cursor p) {
  const Varint length = get_varint(r, p);
  return {length.next, static_cast<std::int64_t>(length.value) - 1};
}

template <class T>
Length get_fixed_length(Reader& r, Reader::Cursor p) {
  const Reader::Cursor start = p;
  T length = 0;
  if (!get(r, p, length)) [[unlikely]] {
    return {nullptr, 0};
  }
  if (length < -1) [[unlikely]] {
    return {r.fail(DecodeErrorCode::kBadLength, start), 0};
  }
  return {p, length};
}

}  // namespace

Varint get_varint_slow(Reader& r, Reader::Cursor p) {
  const Reader::Cursor start = p;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (p >= r.end()) {
      return {r.fail(DecodeErrorCode::kTruncated, start), 0};
    }
    const auto byte = static_cast<std::uint8_t>(*p++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (value > UINT32_MAX) {
        break;
      }
      return {p, static_cast<std::uint32_t>(value)};
    }
  }
  return {r.fail(DecodeErrorCode::kBadVarint, start), 0};
}

Reader::Cursor get_string(Reader& r, Reader::Cursor p, unsigned flags, std::string_view& out) {
  const Reader::Cursor start = p;
  const Length length =
      (flags & kFlexible) != 0 ? get_flexible_length(r, p) : get_fixed_length<std::int16_t>(r, p);
  if (length.next == nullptr) [[unlikely]] {
    return nullptr;
  }
  if (length.value < 0) {
    if ((flags & kNullable) == 0) [[unlikely]] {
      return r.fail(DecodeErrorCode::kUnexpectedNull, start);
    }
    out = kNullString;
    return length.next;
  }
  if (length.value > kMaxString) [[unlikely]] {
    return r.fail(DecodeErrorCode::kStringTooLong, start);
  }
  if (length.value > r.end() - length.next) [[unlikely]] {
    return r.fail(DecodeErrorCode::kTruncated, start);
  }
  out = {reinterpret_cast<const char*>(length.next), static_cast<std::size_t>(length.value)};
  return length.next + length.value;
}

Reader::Cursor get_bytes(Reader& r, Reader::Cursor p, unsigned flags, Bytes& out) {
  const Reader::Cursor start = p;
  const Length length =
      (flags & kFlexible) != 0 ? get_flexible_length(r, p) : get_fixed_length<std::int32_t>(r, p);
  if (length.next == nullptr) [[unlikely]] {
    return nullptr;
  }
  if (length.value < 0) {
    if ((flags & kNullable) == 0) [[unlikely]] {
      return r.fail(DecodeErrorCode::kUnexpectedNull, start);
    }
    out = kNullBytes;
    return length.next;
  }
  if (length.value > r.end() - length.next) [[unlikely]] {
    return r.fail(DecodeErrorCode::kTruncated, start);
  }
  out = {length.next, static_cast<std::size_t>(length.value)};
  return length.next + length.value;
}

Count get_count(Reader& r, Reader::Cursor p, unsigned flags, std::uint32_t least) {
  const Reader::Cursor start = p;
  const Length count =
      (flags & kFlexible) != 0 ? get_flexible_length(r, p) : get_fixed_length<std::int32_t>(r, p);
  if (count.next == nullptr) [[unlikely]] {
    return {nullptr, 0};
  }
  if (count.value < 0 && (flags & kNullable) == 0) [[unlikely]] {
    return {r.fail(DecodeErrorCode::kUnexpectedNull, start), 0};
  }
  if (count.value > 0 && count.value * static_cast<std::int64_t>(least) > r.end() - count.next)
      [[unlikely]] {
    return {r.fail(DecodeErrorCode::kCountTooLarge, start), 0};
  }
  return {count.next, count.value};
}

Reader::Cursor get_tags_slow(Reader& r, Reader::Cursor p, int v, TagDecoder decode, void* message,
                             const UnknownTag*& unknown) {
  const Varint count = get_varint(r, p);
  if (count.next == nullptr) {
    return nullptr;
  }
  p = count.next;
  const UnknownTag** last = &unknown;
  std::int64_t previous = -1;
  for (std::uint32_t i = 0; i < count.value; ++i) {
    const Reader::Cursor start = p;
    const Varint tag = get_varint(r, p);
    if (tag.next == nullptr) {
      return nullptr;
    }
    if (tag.value <= previous) {
      return r.fail(DecodeErrorCode::kTagOrder, start);
    }
    previous = tag.value;
    const Varint size = get_varint(r, tag.next);
    if (size.next == nullptr) {
      return nullptr;
    }
    if (size.value > static_cast<std::size_t>(r.end() - size.next)) {
      return r.fail(DecodeErrorCode::kTruncated, tag.next);
    }
    const Reader::Cursor value = size.next;
    p = decode == nullptr ? value : decode(r, value, v, tag.value, message);
    if (p == nullptr) {
      return nullptr;
    }
    if (p == value) {
      auto* kept = allocate<UnknownTag>(r, start, 1);
      if (kept == nullptr) {
        return nullptr;
      }
      new (kept) UnknownTag{nullptr, tag.value, {value, size.value}};
      *last = kept;
      last = &kept->next;
      p = value + size.value;
    } else if (p != value + size.value) {
      return r.fail(DecodeErrorCode::kTagSize, tag.next);
    }
  }
  return p;
}

}  // namespace grete::kafka::wire
