// Sixteen bytes at a time: the few vector operations that the scanner's prefilter needs, for
// x86-64 (SSSE3), WebAssembly (simd128) and, byte by byte, anything else.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSSE3__)
#include <tmmintrin.h>
#endif

namespace grete::filters::pii {

#if defined(__wasm_simd128__)

struct Vector16 {
  v128_t lanes;

  static Vector16 load(const void* from) { return {wasm_v128_load(from)}; }
  static Vector16 splat(std::uint8_t byte) {
    return {wasm_i8x16_splat(static_cast<std::int8_t>(byte))};
  }
  // Lane i of the result is lane `index[i]` of this; every index is below 16.
  [[nodiscard]] Vector16 lookup(Vector16 index) const {
    return {wasm_i8x16_swizzle(lanes, index.lanes)};
  }
  [[nodiscard]] Vector16 low_nibbles() const { return {wasm_v128_and(lanes, splat(15).lanes)}; }
  [[nodiscard]] Vector16 high_nibbles() const { return {wasm_u8x16_shr(lanes, 4)}; }
  // Bit i is set where lane i is not 0.
  [[nodiscard]] std::uint32_t nonzero() const {
    return ~wasm_i8x16_bitmask(wasm_i8x16_eq(lanes, splat(0).lanes)) & 0xFFFFu;
  }
  // Bit i is set where lane i equals `byte`.
  [[nodiscard]] std::uint32_t equals(std::uint8_t byte) const {
    return wasm_i8x16_bitmask(wasm_i8x16_eq(lanes, splat(byte).lanes));
  }
  // Bit i is set where lane i is an ASCII digit.
  [[nodiscard]] std::uint32_t digits() const {
    return wasm_i8x16_bitmask(
        wasm_u8x16_lt(wasm_i8x16_sub(lanes, splat('0').lanes), splat(10).lanes));
  }
  friend Vector16 operator&(Vector16 a, Vector16 b) { return {wasm_v128_and(a.lanes, b.lanes)}; }
};

#elif defined(__SSSE3__)

struct Vector16 {
  __m128i lanes;

  static Vector16 load(const void* from) {
    return {_mm_loadu_si128(static_cast<const __m128i*>(from))};
  }
  static Vector16 splat(std::uint8_t byte) { return {_mm_set1_epi8(static_cast<char>(byte))}; }
  [[nodiscard]] Vector16 lookup(Vector16 index) const {
    return {_mm_shuffle_epi8(lanes, index.lanes)};
  }
  [[nodiscard]] Vector16 low_nibbles() const { return {_mm_and_si128(lanes, splat(15).lanes)}; }
  [[nodiscard]] Vector16 high_nibbles() const {
    return {_mm_and_si128(_mm_srli_epi16(lanes, 4), splat(15).lanes)};
  }
  [[nodiscard]] std::uint32_t nonzero() const { return ~equals(0) & 0xFFFFu; }
  [[nodiscard]] std::uint32_t equals(std::uint8_t byte) const {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, splat(byte).lanes)));
  }
  [[nodiscard]] std::uint32_t digits() const {
    const __m128i from_zero = _mm_sub_epi8(lanes, splat('0').lanes);
    return static_cast<std::uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from_zero, splat(9).lanes), from_zero)));
  }
  friend Vector16 operator&(Vector16 a, Vector16 b) { return {_mm_and_si128(a.lanes, b.lanes)}; }
};

#else

struct Vector16 {
  std::uint8_t lanes[16];

  static Vector16 load(const void* from) {
    Vector16 result;
    std::memcpy(result.lanes, from, 16);
    return result;
  }
  [[nodiscard]] Vector16 lookup(Vector16 index) const {
    Vector16 result;
    for (int i = 0; i < 16; ++i) result.lanes[i] = lanes[index.lanes[i]];
    return result;
  }
  [[nodiscard]] Vector16 low_nibbles() const {
    Vector16 result;
    for (int i = 0; i < 16; ++i) result.lanes[i] = lanes[i] & 15;
    return result;
  }
  [[nodiscard]] Vector16 high_nibbles() const {
    Vector16 result;
    for (int i = 0; i < 16; ++i) result.lanes[i] = static_cast<std::uint8_t>(lanes[i] >> 4);
    return result;
  }
  [[nodiscard]] std::uint32_t nonzero() const { return ~equals(0) & 0xFFFFu; }
  [[nodiscard]] std::uint32_t equals(std::uint8_t byte) const {
    std::uint32_t bits = 0;
    for (int i = 0; i < 16; ++i) bits |= static_cast<std::uint32_t>(lanes[i] == byte) << i;
    return bits;
  }
  [[nodiscard]] std::uint32_t digits() const {
    std::uint32_t bits = 0;
    for (int i = 0; i < 16; ++i) {
      bits |= static_cast<std::uint32_t>(lanes[i] >= '0' && lanes[i] <= '9') << i;
    }
    return bits;
  }
  friend Vector16 operator&(Vector16 a, Vector16 b) {
    for (int i = 0; i < 16; ++i) a.lanes[i] &= b.lanes[i];
    return a;
  }
};

#endif

}  // namespace grete::filters::pii
