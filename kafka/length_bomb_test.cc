// Every length in every message and version, made as large as it can be: a small frame must not
// make decoding take memory beyond its budget, and the error names the field.
//
// The bombs are made by walking the reflection tables: defaults up to the field, one element in
// each array on the way, then the length.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/arena.h"
#include "kafka/messages.h"
#include "kafka/wire/value.h"

namespace grete::kafka {
namespace {

constexpr std::size_t kPadding = 16 << 10;
constexpr std::uint64_t kBudget = 128 << 10;

// What the length claims.
enum class Claim {
  kLargest,    // more than any frame holds
  kPlausible,  // as many elements as the padding may hold: each may take more memory than wire
};

bool has_length(const FieldInfo& field) {
  return field.array || field.kind == FieldKind::kString || field.kind == FieldKind::kBytes ||
         field.kind == FieldKind::kRecords;
}

class BombMaker {
 public:
  BombMaker(const StructInfo& root, int version, Claim claim)
      : root_(root), version_(version), claim_(claim) {}

  // Bombs for all lengths, with their fields' paths.
  struct Bomb {
    std::string path;
    std::vector<std::byte> bytes;
  };
  std::vector<Bomb> all() {
    visit(root_, {});
    return std::move(bombs_);
  }

 private:
  using Way = std::vector<const FieldInfo*>;

  void visit(const StructInfo& type, const Way& way) {
    for (const FieldInfo& field : type.fields) {
      if (!field.versions.contains(version_)) {
        continue;
      }
      Way to = way;
      to.push_back(&field);
      if (has_length(field)) {
        make(to);
      }
      if (field.kind == FieldKind::kStruct) {
        visit(*field.type, to);
      }
    }
  }

  void make(const Way& way) {
    bytes_.clear();
    std::string path;
    for (std::size_t i = 0; i < way.size(); ++i) {
      path += std::string(".") + way[i]->name + (way[i]->array && i + 1 < way.size() ? "[0]" : "");
    }
    write_to(root_, way, 0);
    bytes_.resize(bytes_.size() + kPadding);
    bombs_.push_back({path, bytes_});
  }

  void put(std::uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) {
      bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
  }

  void put_varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_.push_back(static_cast<std::byte>(value | 0x80));
    }
    bytes_.push_back(static_cast<std::byte>(value));
  }

  // `value` as the length prefix of `field`.
  void put_length(const FieldInfo& field, std::uint32_t value) {
    if (field.flexible.contains(version_)) {
      put_varint(value + 1);
    } else {
      put(value, !field.array && field.kind == FieldKind::kString ? 2 : 4);
    }
  }

  void put_default(const FieldInfo& field) {
    if (has_length(field)) {
      put_length(field, 0);
    } else if (field.kind == FieldKind::kStruct) {
      if (!field.nullable.empty()) {
        put(1, 1);
      }
      write_to(*field.type, {}, 0);
    } else if (field.kind == FieldKind::kUuid) {
      bytes_.resize(bytes_.size() + 16);
    } else {
      const bool one = field.kind == FieldKind::kBool || field.kind == FieldKind::kInt8;
      const bool two = field.kind == FieldKind::kInt16 || field.kind == FieldKind::kUint16;
      const bool eight = field.kind == FieldKind::kInt64 || field.kind == FieldKind::kFloat64;
      put(0, one ? 1 : two ? 2 : eight ? 8 : 4);
    }
  }

  // As many elements as the padding might hold.
  static std::uint32_t plausible(const FieldInfo& field) {
    const std::size_t least = field.kind == FieldKind::kStruct ? field.type->min_wire_size
                                                               : wire::scalar_size(field.kind);
    return static_cast<std::uint32_t>(kPadding / std::max<std::size_t>(least, 1));
  }

  // Writes `type` with defaults, or as far as the end of `way`.
  void write_to(const StructInfo& type, const Way& way, std::size_t depth) {
    const FieldInfo* target = depth < way.size() ? way[depth] : nullptr;
    for (const FieldInfo& field : type.fields) {
      if (!field.versions.contains(version_) || field.tagged.contains(version_)) {
        continue;
      }
      if (&field == target) {
        write_target(field, way, depth);
        return;
      }
      put_default(field);
    }
    if (!type.flexible.contains(version_)) {
      return;
    }
    if (target == nullptr) {
      put(0, 1);
      return;
    }
    put_varint(1);
    put_varint(static_cast<std::uint32_t>(target->tag));
    put_varint(kPadding);
    write_target(*target, way, depth);
  }

  void write_target(const FieldInfo& field, const Way& way, std::size_t depth) {
    const bool last = depth + 1 == way.size();
    if (last) {
      const bool short_string = !field.array && field.kind == FieldKind::kString;
      const std::uint32_t largest = short_string ? 0x7fff : 0x7ffffffe;
      put_length(field, claim_ == Claim::kLargest || short_string ? largest : plausible(field));
      return;
    }
    if (field.array) {
      put_length(field, 1);
    } else if (!field.nullable.empty()) {
      put(1, 1);
    }
    write_to(*field.type, way, depth + 1);
  }

  const StructInfo& root_;
  int version_;
  Claim claim_;
  std::vector<std::byte> bytes_;
  std::vector<Bomb> bombs_;
};

class LengthBombTest : public testing::TestWithParam<Claim> {};

TEST_P(LengthBombTest, StayWithinTheBudgetAndNameTheField) {
  std::size_t bombs = 0;
  std::size_t refused = 0;
  std::size_t out_of_memory = 0;
  std::uint64_t peak = 0;
  for (const MessageInfo* info : all_messages()) {
    for (int v = info->type->versions.min; v <= info->type->versions.max; ++v) {
      for (const auto& bomb : BombMaker(*info->type, v, GetParam()).all()) {
        MemoryBudget budget(kBudget);
        Arena arena(budget);
        Reader reader(bomb.bytes, arena);
        const auto decoded = decode_any(reader, *info, ApiVersion{static_cast<std::int16_t>(v)});
        ++bombs;
        peak = std::max(peak, budget.peak());
        ASSERT_LE(budget.peak(), kBudget);
        if (decoded) {
          continue;
        }
        ++refused;
        const DecodeErrorCode code = decoded.error().code;
        out_of_memory += code == DecodeErrorCode::kOutOfMemory ? 1 : 0;
        const std::string path = decoded.error().path.text();
        if (code == DecodeErrorCode::kCountTooLarge || code == DecodeErrorCode::kOutOfMemory) {
          EXPECT_EQ(path, info->name + bomb.path) << "v" << v << ": " << decoded.error().text();
        }
        if (GetParam() == Claim::kLargest) {
          EXPECT_LT(budget.peak(), 8U << 10) << path << " v" << v;
          EXPECT_TRUE(path.starts_with(info->name + bomb.path)) << decoded.error().text();
        }
      }
    }
  }
  std::printf("%zu bombs, %zu refused, at most %llu bytes of memory for about %zu of frame\n",
              bombs, refused, static_cast<unsigned long long>(peak), kPadding);
  EXPECT_GT(bombs, 2000U);
  EXPECT_GT(refused, bombs / 4);
  // Small frames do pass the budget, if it is that small.
  EXPECT_EQ(out_of_memory > 0, GetParam() == Claim::kPlausible);
}

INSTANTIATE_TEST_SUITE_P(Claims, LengthBombTest,
                         testing::Values(Claim::kLargest, Claim::kPlausible));

}  // namespace
}  // namespace grete::kafka
