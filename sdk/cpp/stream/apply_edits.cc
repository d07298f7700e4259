#include "sdk/cpp/stream/apply_edits.h"

#include <optional>
#include <utility>
#include <vector>

#include "kafka/lane/format.h"

namespace grete::sdk {
namespace {

using kafka::lane::Edit;
using kafka::lane::EditReader;
using kafka::lane::Field;
using kafka::records::HeaderView;
using kafka::records::Record;
using kafka::records::RecordEdit;

using Outcome = Result<void, std::string_view>;

std::unexpected<std::string_view> fail(std::string_view what) {
  return unexpected(what);
}

// The pieces of a field after some edits of it.
class Splice {
 public:
  explicit Splice(std::optional<Bytes> original) : original_(original) {}

  Outcome apply(const Edit& edit) {
    touched_ = true;
    const std::size_t size = original_ ? original_->size() : 0;
    const std::size_t length = edit.length == kafka::lane::kToEnd
                                   ? size - std::min<std::size_t>(edit.offset, size)
                                   : edit.length;
    if (edit.offset < copied_ || edit.offset > size || length > size - edit.offset) {
      return fail("an edit lies outside its field, or before the one before it");
    }
    if (!edit.bytes) {
      null_ = true;
      return {};
    }
    if (edit.offset > copied_) {
      pieces_.push_back(original_->subspan(copied_, edit.offset - copied_));
    }
    pieces_.push_back(*edit.bytes);
    copied_ = edit.offset + length;
    return {};
  }

  [[nodiscard]] bool touched() const { return touched_; }
  [[nodiscard]] bool null() const { return null_; }
  // The pieces with the rest of the original behind.
  [[nodiscard]] std::span<const Bytes> finish() {
    if (original_ && copied_ < original_->size()) {
      pieces_.push_back(original_->subspan(copied_));
      copied_ = original_->size();
    }
    return pieces_;
  }

  // finish(), contiguous in `arena`; nothing without memory.
  [[nodiscard]] std::optional<Bytes> join(Arena& arena) {
    std::size_t size = 0;
    for (const Bytes piece : finish()) {
      size += piece.size();
    }
    auto* to = static_cast<std::byte*>(arena.allocate(size + 1, 1));
    if (to == nullptr) {
      return std::nullopt;
    }
    std::size_t at = 0;
    for (const Bytes piece : pieces_) {
      std::copy(piece.begin(), piece.end(), to + at);
      at += piece.size();
    }
    return Bytes{to, size};
  }

 private:
  std::optional<Bytes> original_;
  std::vector<Bytes> pieces_;
  std::size_t copied_ = 0;
  bool touched_ = false;
  bool null_ = false;
};

kafka::records::FieldEdit field_edit(Splice& splice) {
  if (!splice.touched()) {
    return {};
  }
  return splice.null() ? kafka::records::FieldEdit::null()
                       : kafka::records::FieldEdit::set(splice.finish());
}

// The edits of one record.
class RecordEdits {
 public:
  explicit RecordEdits(const Record& record)
      : record_(&record), key_(record.key), value_(record.value) {}

  Outcome add(const Edit& edit) {
    switch (edit.field) {
      case Field::kDrop:
        dropped_ = true;
        return {};
      case Field::kKey:
        return key_.apply(edit);
      case Field::kValue:
        return value_.apply(edit);
      case Field::kHeaderKey:
      case Field::kHeaderValue:
        return add_to_header(edit);
      case Field::kHeaders:
        return fail("replacing all headers at once needs a host with the Kafka lane");
    }
    return fail("an unknown field");
  }

  Outcome finish(kafka::records::BatchBuilder& builder, Arena& arena) {
    if (dropped_) {
      return builder.drop(*record_) ? Outcome{} : fail("the record cannot be dropped");
    }
    RecordEdit edit;
    edit.key = field_edit(key_);
    edit.value = field_edit(value_);
    std::vector<HeaderView> headers;
    if (!headers_.empty()) {
      for (Header& header : headers_) {
        const auto key = header.key.join(arena);
        auto value = header.original.value;
        if (header.value.touched()) {
          value = header.value.null() ? std::nullopt : header.value.join(arena);
        }
        if (!key) {
          return fail("out of memory");
        }
        headers.push_back({as_text(*key), value});
      }
      edit.headers = std::span<const HeaderView>(headers);
    }
    return builder.replace(*record_, edit) ? Outcome{} : fail("the record cannot be changed");
  }

 private:
  struct Header {
    HeaderView original;
    Splice key;
    Splice value;
  };

  Outcome add_to_header(const Edit& edit) {
    if (headers_.empty()) {
      for (const HeaderView& header : record_->headers) {
        headers_.push_back({header, Splice(as_bytes(header.key)), Splice(header.value)});
      }
    }
    if (edit.header >= headers_.size()) {
      return fail("the record has no such header");
    }
    Header& header = headers_[edit.header];
    return edit.field == Field::kHeaderKey ? header.key.apply(edit) : header.value.apply(edit);
  }

  const Record* record_;
  Splice key_;
  Splice value_;
  std::vector<Header> headers_;
  bool dropped_ = false;
};

}  // namespace

Result<void, std::string_view> apply_edits(Bytes arguments,
                                           const kafka::records::BatchReader& reader,
                                           kafka::records::BatchBuilder& builder, Arena& arena,
                                           kafka::records::Dropping dropping) {
  auto edits = EditReader::open(arguments);
  if (!edits) {
    return fail(edits.error().what);
  }
  builder.edit(reader, dropping);
  auto records = reader.records();
  const Record* record = nullptr;
  std::optional<RecordEdits> open;
  for (std::uint32_t i = 0; i < edits->count(); ++i) {
    const auto edit = edits->next();
    if (!edit) {
      return fail(edit.error().what);
    }
    while (record == nullptr || static_cast<std::uint32_t>(record->index) != edit->record) {
      if (open) {
        GRETE_TRY(open->finish(builder, arena));
        open.reset();
      }
      const auto next = records.next();
      if (!next || *next == nullptr) {
        return fail("edits are out of order, or name a record that is not there");
      }
      record = *next;
    }
    if (!open) {
      open.emplace(*record);
    }
    GRETE_TRY(open->add(*edit));
  }
  return open ? open->finish(builder, arena) : Outcome{};
}

}  // namespace grete::sdk
