#include "kafka/json/message_json.h"

#include <bit>

#include "kafka/json/json_text.h"
#include "kafka/wire/value.h"

namespace grete::kafka::json {

namespace {

class Printer {
 public:
  Printer(std::string& out, int version, const Options& options)
      : out_(out), version_(version), options_(options) {}

  void print_struct(const StructInfo& type, const void* value) {
    out_ += '{';
    bool first = true;
    for (const FieldInfo& field : type.fields) {
      if (!field.versions.contains(version_) ||
          (field.tagged.contains(version_) && wire::is_default(field, value))) {
        continue;
      }
      if (!first) {
        out_ += ',';
      }
      first = false;
      print_field(field, wire::field_at(field, value));
    }
    out_ += '}';
  }

 private:
  void print_field(const FieldInfo& field, const void* value) {
    const bool null = wire::is_null(field, value) && !field.nullable.empty();
    out_ += '"';
    out_ += field.name;
    if (field.kind == FieldKind::kRecords && !null && options_.records == Options::Records::kSize) {
      out_ += "SizeInBytes\":";
      append_integer(out_, static_cast<std::int64_t>(wire::value_at<Bytes>(value).size()));
      return;
    }
    out_ += "\":";
    if (null) {
      out_ += "null";
    } else if (field.secret && options_.secrets == Options::Secrets::kHide) {
      out_ += "\"(hidden)\"";
    } else if (field.array) {
      print_array(field, wire::value_at<ErasedArray>(value));
    } else if (field.kind == FieldKind::kStruct) {
      print_struct(*field.type, wire::struct_at(field, value));
    } else {
      print_scalar(field.kind, value);
    }
  }

  void print_array(const FieldInfo& field, ErasedArray array) {
    out_ += '[';
    const std::size_t stride = wire::element_stride(field);
    const auto* item = static_cast<const std::byte*>(array.items);
    for (std::uint32_t i = 0; i < array.count; ++i, item += stride) {
      if (i != 0) {
        out_ += ',';
      }
      if (field.kind == FieldKind::kStruct) {
        print_struct(*field.type, item);
      } else {
        print_scalar(field.kind, item);
      }
    }
    out_ += ']';
  }

  void print_scalar(FieldKind kind, const void* value) {
    switch (kind) {
      case FieldKind::kString:
        append_string(out_, wire::value_at<std::string_view>(value));
        return;
      case FieldKind::kBytes:
      case FieldKind::kRecords:
        append_base64(out_, wire::value_at<Bytes>(value));
        return;
      case FieldKind::kUuid:
        append_uuid(out_, wire::value_at<Uuid>(value));
        return;
      case FieldKind::kBool:
        out_ += wire::integer_at(kind, value) != 0 ? "true" : "false";
        return;
      case FieldKind::kFloat64:
        append_double(out_, wire::value_at<double>(value));
        return;
      default:
        append_integer(out_, wire::integer_at(kind, value));
    }
  }

  std::string& out_;
  int version_;
  const Options& options_;
};

}  // namespace

void append_message(std::string& out, const StructInfo& type, ApiVersion version,
                    const void* message, const Options& options) {
  Printer(out, version.value(), options).print_struct(type, message);
}

}  // namespace grete::kafka::json
