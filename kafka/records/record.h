// One record, as views of the bytes it was read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "kafka/records/error.h"
#include "kafka/records/varint.h"

namespace grete::kafka::records {

// A record header (KIP-82). The key is UTF-8 by contract, unchecked.
struct HeaderView {
  std::string_view key;
  std::optional<Bytes> value;  // nullopt is null, which differs from empty
};

// The headers of a record: a forward range over encoded headers that were validated when the record
// was read. Borrows.
class Headers {
 public:
  class Iterator {
   public:
    using value_type = HeaderView;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    HeaderView operator*() const { return header_; }
    const HeaderView* operator->() const { return &header_; }
    Iterator& operator++() {
      --left_;
      read();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

   private:
    friend class Headers;
    Iterator(const std::byte* at, const std::byte* end, std::uint32_t left)
        : at_(at), end_(end), left_(left) {
      read();
    }
    void read();

    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    std::uint32_t left_ = 0;
    HeaderView header_;
  };

  Headers() = default;
  // `encoded` holds exactly `count` well-formed headers.
  Headers(Bytes encoded, std::uint32_t count) : encoded_(encoded), count_(count) {}

  [[nodiscard]] std::uint32_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // The headers as they are on the wire, without their count.
  [[nodiscard]] Bytes encoded() const { return encoded_; }
  [[nodiscard]] Iterator begin() const {
    return {encoded_.data(), encoded_.data() + encoded_.size(), count_};
  }
  [[nodiscard]] Iterator end() const { return {}; }

 private:
  Bytes encoded_;
  std::uint32_t count_ = 0;
};

// A record of any magic. Borrows from the batch, or from the reader that decompressed it.
struct Record {
  // The record's place in its batch, from 0.
  std::int32_t index = 0;
  // Absolute. On produce the client's own counting, mostly from 0.
  std::int64_t offset = 0;
  // Milliseconds since 1970; -1 is none. The broker's time in a batch with LogAppendTime.
  std::int64_t timestamp = -1;
  // nullopt is null, which differs from empty. A null value is a tombstone.
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  Headers headers;
  // The whole record on the wire, with its length (magic 2) or its offset and size (0 and 1).
  Bytes encoded;
  // As on the wire; 0 in magic 0 and 1.
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::int8_t attributes = 0;
};

}  // namespace grete::kafka::records
