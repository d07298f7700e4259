#include "kafka/records/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace grete::kafka::records {
namespace {

// The Castagnoli polynomial, its bits reversed.
constexpr std::uint32_t kPolynomial = 0x82f63b78;

using Table = std::array<std::uint32_t, 256>;

// kSlices[k][b]: the CRC of byte b followed by k zero bytes.
constexpr std::array<Table, 8> make_slices() {
  std::array<Table, 8> slices{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    slices[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint32_t before = slices[k - 1][byte];
      slices[k][byte] = (before >> 8) ^ slices[0][before & 0xff];
    }
  }
  return slices;
}

constexpr std::array<Table, 8> kSlices = make_slices();

std::uint32_t update_portable(std::uint32_t crc, const std::byte* at, std::size_t size) {
  while (size >= 8) {
    const auto low = load_little<std::uint32_t>(at) ^ crc;
    const auto high = load_little<std::uint32_t>(at + 4);
    crc = kSlices[7][low & 0xff] ^ kSlices[6][(low >> 8) & 0xff] ^ kSlices[5][(low >> 16) & 0xff] ^
          kSlices[4][low >> 24] ^ kSlices[3][high & 0xff] ^ kSlices[2][(high >> 8) & 0xff] ^
          kSlices[1][(high >> 16) & 0xff] ^ kSlices[0][high >> 24];
    at += 8;
    size -= 8;
  }
  for (; size != 0; --size) {
    crc = (crc >> 8) ^ kSlices[0][(crc ^ std::to_integer<std::uint32_t>(*at++)) & 0xff];
  }
  return crc;
}

#if defined(__SSE4_2__) || defined(__ARM_FEATURE_CRC32)

std::uint32_t step8(std::uint32_t crc, const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
#if defined(__SSE4_2__)
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
#else
  return __crc32cd(crc, word);
#endif
}

std::uint32_t step1(std::uint32_t crc, std::byte byte) {
#if defined(__SSE4_2__)
  return _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(byte));
#else
  return __crc32cb(crc, std::to_integer<std::uint8_t>(byte));
#endif
}

using Matrix = std::array<std::uint32_t, 32>;  // over GF(2); row n is the image of bit n

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (std::size_t bit = 0; vector != 0; ++bit, vector >>= 1) {
    sum ^= (vector & 1) != 0 ? matrix[bit] : 0;
  }
  return sum;
}

constexpr Matrix square(const Matrix& matrix) {
  Matrix result{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    result[bit] = times(matrix, matrix[bit]);
  }
  return result;
}

// What `zeros` bytes of zero (a power of two) make of a CRC, as a table for each of its bytes:
// joins the interleaved streams.
constexpr std::array<Table, 4> make_shift(std::size_t zeros) {
  Matrix matrix{};  // one zero bit
  matrix[0] = kPolynomial;
  for (std::size_t bit = 1; bit < 32; ++bit) {
    matrix[bit] = std::uint32_t{1} << (bit - 1);
  }
  for (std::size_t bits = zeros * 8; bits > 1; bits /= 2) {
    matrix = square(matrix);
  }
  std::array<Table, 4> shift{};
  for (std::uint32_t k = 0; k < 4; ++k) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      shift[k][byte] = times(matrix, byte << (8 * k));
    }
  }
  return shift;
}

// Long stretches for big batches, short ones for what is left of them.
constexpr std::size_t kLong = 4096;
constexpr std::size_t kShort = 256;
constexpr std::array<Table, 4> kLongShift = make_shift(kLong);
constexpr std::array<Table, 4> kShortShift = make_shift(kShort);

std::uint32_t shifted(const std::array<Table, 4>& shift, std::uint32_t crc) {
  return shift[0][crc & 0xff] ^ shift[1][(crc >> 8) & 0xff] ^ shift[2][(crc >> 16) & 0xff] ^
         shift[3][crc >> 24];
}

template <std::size_t kStretch>
void update_interleaved(std::uint32_t& crc, const std::byte*& at, std::size_t& size,
                        const std::array<Table, 4>& shift) {
  while (size >= 3 * kStretch) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (const std::byte* end = at + kStretch; at != end; at += 8) {
      crc = step8(crc, at);
      second = step8(second, at + kStretch);
      third = step8(third, at + 2 * kStretch);
    }
    crc = shifted(shift, crc) ^ second;
    crc = shifted(shift, crc) ^ third;
    at += 2 * kStretch;
    size -= 3 * kStretch;
  }
}

std::uint32_t update(std::uint32_t crc, const std::byte* at, std::size_t size) {
  update_interleaved<kLong>(crc, at, size, kLongShift);
  update_interleaved<kShort>(crc, at, size, kShortShift);
  for (; size >= 8; size -= 8, at += 8) {
    crc = step8(crc, at);
  }
  for (; size != 0; --size) {
    crc = step1(crc, *at++);
  }
  return crc;
}

#else

std::uint32_t update(std::uint32_t crc, const std::byte* at, std::size_t size) {
  return update_portable(crc, at, size);
}

#endif

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t previous) {
  return ~update(~previous, bytes.data(), bytes.size());
}

std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t previous) {
  return ~update_portable(~previous, bytes.data(), bytes.size());
}

}  // namespace grete::kafka::records
