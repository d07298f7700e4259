// The records of one batch (or a window of them), and changes to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "kafka/lane/format.h"
#include "kafka/records/batch_reader.h"

namespace grete::sdk {

using Record = kafka::records::Record;
using Field = kafka::lane::Field;

// Edits as kafka.edit takes them (docs/kafka-lane.md), in a buffer that is reused.
class EditBuffer {
 public:
  void clear();
  // Copies edit.bytes.
  void add(const kafka::lane::Edit& edit);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  // The arguments of kafka.edit. Valid until the next change.
  [[nodiscard]] Bytes arguments(std::uint64_t token);

 private:
  std::vector<std::byte> bytes_;
  std::uint32_t count_ = 0;
};

// A window of records during Filter::on_records. Everything it tells borrows from the call.
//
//   for (const sdk::Record& record : records) {
//     if (record.value) records.set_value(record, upper(*record.value));
//   }
//
// Edits of one window ascend: by record, then key, value, header keys and values by header, then
// offset; and do not overlap. Offsets refer to the records as shown. docs/kafka-lane.md
// ("kafka.edit") has the rules; a host refuses edits that break one.
class Records {
 public:
  // `call` and `edits` outlive the window.
  Records(const kafka::lane::Call& call, EditBuffer& edits);

  class Iterator {
   public:
    using value_type = Record;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(Records* records) : records_(records) { ++*this; }
    const Record& operator*() const { return *record_; }
    const Record* operator->() const { return record_; }
    Iterator& operator++() {
      record_ = records_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      return it.record_ == nullptr;
    }

   private:
    Records* records_ = nullptr;
    const Record* record_ = nullptr;
  };

  // Once: from the first record of the window. A record is valid until the next is asked for.
  [[nodiscard]] Iterator begin() { return Iterator(this); }
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }
  // The next record, or null.
  [[nodiscard]] const Record* next();
  // Whether the records ended because their bytes are not Kafka's format.
  [[nodiscard]] bool malformed() const { return malformed_; }

  // Who sent what; principal, address and client id as far as the host knows them.
  [[nodiscard]] const kafka::lane::CallHead& head() const { return call_->head; }
  // Empty where only the topic's id is known: head().records.topic_id.
  [[nodiscard]] std::string_view topic() const { return call_->head.topic; }
  [[nodiscard]] std::int32_t partition() const { return call_->head.records.partition; }
  // Whether they are being produced; otherwise they are being fetched.
  [[nodiscard]] bool produced() const {
    return call_->head.direction == kafka::lane::Direction::kRequest;
  }
  // Whether drop() is allowed.
  [[nodiscard]] bool may_drop() const {
    return (call_->head.flags & kafka::lane::flag::kMayDrop) != 0;
  }
  // The record's index in its batch, as verdicts name it.
  [[nodiscard]] std::uint32_t index_of(const Record& record) const {
    return call_->head.records.first + static_cast<std::uint32_t>(record.index);
  }
  // How many records the window holds.
  [[nodiscard]] std::uint32_t count() const { return call_->head.records.count; }

  // Replaces `length` bytes from `offset` of the key, the value, or a header's key or value.
  void replace(const Record& record, Field field, std::size_t offset, std::size_t length,
               Bytes bytes, std::size_t header = 0);
  // The whole field; nullopt makes it null.
  void set_key(const Record& record, std::optional<Bytes> bytes);
  void set_value(const Record& record, std::optional<Bytes> bytes);
  void set_header_value(const Record& record, std::size_t header, std::optional<Bytes> bytes);
  // Leaves the record out. Only where may_drop().
  void drop(const Record& record);

 private:
  void set(const Record& record, Field field, std::size_t header, std::optional<Bytes> bytes);

  const kafka::lane::Call* call_;
  EditBuffer* edits_;
  kafka::records::RecordIterator iterator_;
  bool malformed_ = false;
};

}  // namespace grete::sdk
