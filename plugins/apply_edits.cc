#include "plugins/apply_edits.h"

#include <cstring>
#include <optional>
#include <utility>

#include "kafka/records/limits.h"
#include "kafka/records/varint.h"

namespace grete::plugins {
namespace {

using kafka::lane::Field;
using kafka::records::FieldEdit;
using kafka::records::HeaderView;
using kafka::records::Progress;
using kafka::records::Record;

std::unexpected<Failure> at_fault(const char* what, std::uint32_t record) {
  return unexpected(
      Failure{FailureKind::kTrap, std::string(what) + " of record " + std::to_string(record)});
}

std::unexpected<Failure> no_memory() {
  return unexpected(Failure{FailureKind::kMemory, "no memory left for the edited records"});
}

std::unexpected<Failure> failed(const kafka::records::Error& error) {
  const FailureKind kind = error.code == kafka::records::ErrorCode::kOutOfMemory
                               ? FailureKind::kMemory
                               : FailureKind::kUndecodable;
  return unexpected(Failure{kind, std::string(describe(error.code))});
}

// Where an edit ends in a field of `size` bytes; nothing if it reaches beyond.
std::optional<std::size_t> end_in(const EditList::Entry& entry, std::size_t size) {
  if (entry.offset > size) {
    return std::nullopt;
  }
  if (entry.length == kafka::lane::kToEnd) {
    return size;
  }
  if (entry.length > size - entry.offset) {
    return std::nullopt;
  }
  return entry.offset + entry.length;
}

}  // namespace

void EditApplier::start(const EditList& edits, const kafka::records::BatchReader& reader,
                        kafka::records::BatchBuilder& builder) {
  edits_ = &edits;
  builder_ = &builder;
  records_ = reader.records();
  next_ = 0;
  arena_.reset();
}

bool EditApplier::at(std::uint32_t record, Field field) const {
  const std::vector<Entry>& entries = edits_->entries();
  return next_ < entries.size() && entries[next_].record == record && entries[next_].field == field;
}

Result<Progress, Failure> EditApplier::step() {
  std::size_t passed = 0;
  while (next_ < edits_->entries().size()) {
    if (passed >= kafka::records::kStepBytes) {
      return Progress::kMore;
    }
    const auto record = records_.next();
    if (!record) {
      return failed(record.error());
    }
    if (*record == nullptr) {
      return at_fault("an edit beyond the last", edits_->entries()[next_].record);
    }
    passed += (*record)->encoded.size();
    if (static_cast<std::uint32_t>((*record)->index) == edits_->entries()[next_].record) {
      GRETE_TRY(edit_record(**record));
    }
  }
  return Progress::kDone;
}

Result<void, Failure> EditApplier::edit_record(const Record& record) {
  const auto index = static_cast<std::uint32_t>(record.index);
  if (at(index, Field::kDrop)) {
    ++next_;
    if (auto dropped = builder_->drop(record); !dropped) {
      return failed(dropped.error());
    }
    return {};
  }
  kafka::records::RecordEdit edit;
  GRETE_TRY_ASSIGN(edit.key, edit_field(record.key, Field::kKey, key_));
  GRETE_TRY_ASSIGN(edit.value, edit_field(record.value, Field::kValue, value_));
  if (next_ < edits_->entries().size() && edits_->entries()[next_].record == index) {
    GRETE_TRY(edit_headers(record));
    edit.headers = headers_;
  }
  if (auto replaced = builder_->replace(record, edit); !replaced) {
    return failed(replaced.error());
  }
  return {};
}

Result<FieldEdit, Failure> EditApplier::edit_field(const std::optional<Bytes>& old, Field field,
                                                   std::vector<Bytes>& pieces) {
  if (next_ == edits_->entries().size() || edits_->entries()[next_].field != field) {
    return FieldEdit{};
  }
  const std::uint32_t record = edits_->entries()[next_].record;
  if (edits_->entries()[next_].null) {
    ++next_;
    return FieldEdit::null();
  }
  const Bytes from = old.value_or(Bytes{});
  std::size_t kept = 0;
  pieces.clear();
  for (; at(record, field); ++next_) {
    const Entry& entry = edits_->entries()[next_];
    const auto end = end_in(entry, from.size());
    if (!end) {
      return at_fault("an edit reaches beyond its field", record);
    }
    pieces.push_back(from.subspan(kept, entry.offset - kept));
    pieces.push_back(edits_->bytes_of(entry));
    kept = *end;
  }
  pieces.push_back(from.subspan(kept));
  return FieldEdit::set(std::span<const Bytes>(pieces));
}

Result<void, Failure> EditApplier::edit_headers(const Record& record) {
  const auto index = static_cast<std::uint32_t>(record.index);
  if (at(index, Field::kHeaders)) {
    return read_headers(edits_->bytes_of(edits_->entries()[next_++]));
  }
  headers_.assign(record.headers.begin(), record.headers.end());
  while (at(index, Field::kHeaderKey) || at(index, Field::kHeaderValue)) {
    const Entry& entry = edits_->entries()[next_];
    if (entry.header >= headers_.size()) {
      return at_fault("an edit of a header that is none", index);
    }
    HeaderView& header = headers_[entry.header];
    if (entry.field == Field::kHeaderKey) {
      GRETE_TRY_ASSIGN(const std::optional<Bytes> key, edit_header_part(as_bytes(header.key)));
      header.key = as_text(*key);
    } else {
      GRETE_TRY_ASSIGN(header.value, edit_header_part(header.value));
    }
  }
  return {};
}

// Joins the pieces of one header's key or value, which the builder takes as one.
Result<std::optional<Bytes>, Failure> EditApplier::edit_header_part(
    const std::optional<Bytes>& old) {
  const std::vector<Entry>& entries = edits_->entries();
  const Entry& first = entries[next_];
  if (first.null) {
    ++next_;
    return std::optional<Bytes>{};
  }
  const Bytes from = old.value_or(Bytes{});
  std::size_t size = from.size();
  std::size_t end = next_;
  for (; end < entries.size() && entries[end].record == first.record &&
         entries[end].field == first.field && entries[end].header == first.header;
       ++end) {
    if (!end_in(entries[end], from.size())) {
      return at_fault("an edit reaches beyond its header", first.record);
    }
    size += entries[end].bytes_size;  // more than needed, where something is replaced
  }
  auto* const joined = static_cast<std::byte*>(arena_.allocate(size + 1, 1));
  if (joined == nullptr) {
    return no_memory();
  }
  std::byte* to = joined;
  const auto put = [&to](Bytes bytes) {
    if (!bytes.empty()) {
      std::memcpy(to, bytes.data(), bytes.size());
      to += bytes.size();
    }
  };
  std::size_t kept = 0;
  for (; next_ < end; ++next_) {
    const Entry& entry = entries[next_];
    put(from.subspan(kept, entry.offset - kept));
    put(edits_->bytes_of(entry));
    kept = *end_in(entry, from.size());
  }
  put(from.subspan(kept));
  return std::optional<Bytes>(Bytes{joined, to});
}

// Headers as a plug-in encoded them: a varint count, then keys and values.
Result<void, Failure> EditApplier::read_headers(Bytes encoded) {
  using kafka::records::VarintStatus;
  const std::uint32_t record = edits_->entries()[next_ - 1].record;
  const std::byte* cursor = encoded.data();
  const std::byte* const end = cursor + encoded.size();
  const auto read_size = [&cursor, end](std::int32_t least) -> std::optional<std::int32_t> {
    std::int32_t size = 0;
    if (kafka::records::read_varint(cursor, end, size) != VarintStatus::kOk || size < least ||
        size > end - cursor) {
      return std::nullopt;
    }
    return size;
  };
  headers_.clear();
  const auto count = read_size(0);
  for (std::int32_t i = 0; i < count.value_or(0); ++i) {
    HeaderView header;
    const auto key_size = read_size(0);
    if (!key_size) {
      return at_fault("headers that are not in Kafka's encoding", record);
    }
    header.key = as_text({cursor, static_cast<std::size_t>(*key_size)});
    cursor += *key_size;
    const auto value_size = read_size(-1);
    if (!value_size) {
      return at_fault("headers that are not in Kafka's encoding", record);
    }
    if (*value_size >= 0) {
      header.value = Bytes{cursor, static_cast<std::size_t>(*value_size)};
      cursor += *value_size;
    }
    headers_.push_back(header);
  }
  if (!count || cursor != end) {
    return at_fault("headers that are not in Kafka's encoding", record);
  }
  return {};
}

}  // namespace grete::plugins
