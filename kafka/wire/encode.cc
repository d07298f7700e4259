#include "kafka/wire/encode.h"

#include <limits>

namespace grete::kafka::wire {

namespace {

constexpr std::uint64_t kMaxLength = INT32_MAX;

// The longest value whose flexible length takes one byte.
constexpr std::size_t kShort = 0x7e;

// Copies at most kShort bytes without a call; the last ones may be copied twice.
[[gnu::always_inline]] inline void copy_short(std::byte* to, const std::byte* from,
                                              std::size_t size) {
  if (size > 32) {
    for (std::size_t i = 0; i < size - 32; i += 32) {
      std::memcpy(to + i, from + i, 32);
    }
    std::memcpy(to + size - 32, from + size - 32, 32);
  } else if (size >= 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      to[i] = from[i];
    }
  }
}

// `value` after its length, which is written; there is room for what follows.
Writer::Cursor put_contents(Writer& w, Writer::Cursor p, Bytes value, std::size_t following) {
  if (value.size() >= Writer::kCopyBelow) {
    return w.refer(p, value, following);
  }
  p = w.ensure(p, value.size() + following);
  if (p == nullptr) {
    return nullptr;
  }
  if (!value.empty()) {
    std::memcpy(p, value.data(), value.size());
  }
  return p + value.size();
}

// A string or bytes; `Length` is what precedes it in versions that are not flexible.
template <class Length>
[[gnu::noinline]] Writer::Cursor put_view_slow(Writer& w, Writer::Cursor p, unsigned flags,
                                               Bytes value, std::size_t following) {
  if (value.size() > static_cast<std::size_t>(std::numeric_limits<Length>::max())) [[unlikely]] {
    return w.fail(EncodeErrorCode::kTooLong);
  }
  const bool null = value.data() == nullptr && (flags & kNullIsEmpty) == 0;
  if (null && (flags & kNullable) == 0) [[unlikely]] {
    return w.fail(EncodeErrorCode::kNullNotAllowed);
  }
  p = w.ensure(p, kMaxVarint);
  if (p == nullptr) [[unlikely]] {
    return nullptr;
  }
  if ((flags & kFlexible) == 0) {
    p = put(p, null ? Length{-1} : static_cast<Length>(value.size()));
  } else {
    p = put_varint(p, null ? 0 : static_cast<std::uint32_t>(value.size()) + 1);
  }
  return put_contents(w, p, value, following);
}

// What most are: short, flexible, not null, with room in the chunk. Calls nothing, so that it saves
// no registers.
template <class Length>
[[gnu::always_inline]] inline Writer::Cursor put_view(Writer& w, Writer::Cursor p, unsigned flags,
                                                      Bytes value, std::size_t following) {
  if ((flags & kFlexible) != 0 && value.data() != nullptr && value.size() <= kShort &&
      w.room(p) > value.size() + following) [[likely]] {
    *p = static_cast<std::byte>(value.size() + 1);
    copy_short(p + 1, value.data(), value.size());
    return p + 1 + value.size();
  }
  return put_view_slow<Length>(w, p, flags, value, following);
}

Writer::Cursor put_tag_and_size(Writer& w, Writer::Cursor p, std::uint32_t tag, std::uint64_t size,
                                std::size_t room) {
  if (size > kMaxLength) {
    return w.fail(EncodeErrorCode::kTooLong);
  }
  p = w.ensure(p, 2 * kMaxVarint + room);
  return p == nullptr ? nullptr : put_varint(put_varint(p, tag), static_cast<std::uint32_t>(size));
}

}  // namespace

Writer::Cursor put_string(Writer& w, Writer::Cursor p, unsigned flags, std::string_view value,
                          std::size_t following) {
  return put_view<std::int16_t>(w, p, flags, as_bytes(value), following);
}

Writer::Cursor put_bytes(Writer& w, Writer::Cursor p, unsigned flags, Bytes value,
                         std::size_t following) {
  return put_view<std::int32_t>(w, p, flags, value, following);
}

Writer::Cursor put_count_slow(Writer& w, Writer::Cursor p, unsigned flags, std::uint32_t count,
                              bool null, std::uint64_t room) {
  if (count > kMaxLength || room > kMaxLength) [[unlikely]] {
    return w.fail(EncodeErrorCode::kTooLong);
  }
  if (null && (flags & kNullable) == 0) [[unlikely]] {
    return w.fail(EncodeErrorCode::kNullNotAllowed);
  }
  p = w.ensure(p, kMaxVarint + static_cast<std::size_t>(room));
  if (p == nullptr) [[unlikely]] {
    return nullptr;
  }
  if ((flags & kFlexible) != 0) {
    return put_varint(p, null ? 0 : count + 1);
  }
  return put(p, null ? -1 : static_cast<std::int32_t>(count));
}

Writer::Cursor put_unknown_tags_slow(Writer& w, Writer::Cursor p, const UnknownTag* unknown) {
  TagWriter tags(unknown);
  p = tags.begin(w, p, 0);
  return p == nullptr ? nullptr : tags.end(w, p);
}

Writer::Cursor TagWriter::begin(Writer& w, Writer::Cursor p, std::uint32_t known) {
  std::uint64_t count = known;
  for (const UnknownTag* tag = next_; tag != nullptr; tag = tag->next) {
    ++count;
  }
  p = w.ensure(p, kMaxVarint);
  return p == nullptr ? nullptr : put_varint(p, static_cast<std::uint32_t>(count));
}

Writer::Cursor TagWriter::below(Writer& w, Writer::Cursor p, std::int64_t tag) {
  for (; next_ != nullptr && next_->tag < tag; next_ = next_->next) {
    if (next_->tag <= previous_) {
      return w.fail(EncodeErrorCode::kTagOrder);
    }
    previous_ = next_->tag;
    p = put_tag_and_size(w, p, next_->tag, next_->value.size(), 0);
    if (p != nullptr) {
      p = put_contents(w, p, next_->value, 0);
    }
    if (p == nullptr) {
      return nullptr;
    }
  }
  return p;
}

Writer::Cursor TagWriter::known(Writer& w, Writer::Cursor p, int v, const FieldInfo& field,
                                const void* message) {
  p = below(w, p, field.tag);
  if (p == nullptr) {
    return nullptr;
  }
  if (next_ != nullptr && next_->tag == static_cast<std::uint32_t>(field.tag)) {
    return w.fail(EncodeErrorCode::kTagOrder);
  }
  previous_ = field.tag;
  return put_tag_and_size(w, p, static_cast<std::uint32_t>(field.tag),
                          field_size(field, v, message), sizeof(Uuid));
}

Writer::Cursor TagWriter::end(Writer& w, Writer::Cursor p) {
  return below(w, p, std::int64_t{UINT32_MAX} + 1);
}

Writer::Cursor not_in_version(Writer& w, const StructInfo& type, unsigned field) {
  w.fail(EncodeErrorCode::kFieldNotInVersion);
  return w.fail_in(type, field);
}

Writer::Cursor no_tags_in_version(Writer& w) {
  return w.fail(EncodeErrorCode::kTagsNotInVersion);
}

}  // namespace grete::kafka::wire
