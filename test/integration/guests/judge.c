// Rejects the batches that hold a record with the word "poison", and names those records. A test of
// what clients see when one of several partitions is refused.
#include "proxy_wasm.h"

static u8 heap[8 << 20];
static u32 heap_used;

EXPORT(proxy_on_memory_allocate) u8* allocate(u32 size) {
  if (heap_used + size > sizeof(heap)) heap_used = 0;
  u8* bytes = heap + heap_used;
  heap_used += (size + 15) & ~15u;
  return bytes;
}

EXPORT(proxy_on_context_create) void on_context_create(u32 id, u32 parent) {
  (void)id;
  (void)parent;
}

EXPORT(proxy_on_configure) u32 on_configure(u32 id, u32 size) {
  (void)id;
  (void)size;
  static const u8 subscription[] = {1, 0, 1, 0, 0, 0, 0, 0, 0xFF, 0x7F, 1, 3};
  u8* result;
  u32 count;
  return proxy_call_foreign_function("kafka.subscribe", 15, subscription, sizeof(subscription),
                                     &result, &count) == 0;
}

static u32 u32_at(const u8* bytes) {
  return (u32)bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24;
}

static int poisoned(const u8* bytes, u32 size) {
  static const char word[] = "poison";
  for (u32 at = 0; at + 6 <= size; ++at) {
    u32 same = 0;
    while (same < 6 && bytes[at + same] == (u8)word[same]) ++same;
    if (same == 6) return 1;
  }
  return 0;
}

// A zigzag varint; records are never larger than 2^31.
static u32 varint(const u8* bytes, u32* at) {
  u32 value = 0;
  for (u32 shift = 0; shift < 35; shift += 7) {
    const u8 byte = bytes[(*at)++];
    value |= (u32)(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  return value >> 1;
}

EXPORT(proxy_on_foreign_function) void on_foreign_function(u32 id, u32 function, u32 size) {
  (void)id;
  (void)function;
  u8* call;
  u32 count;
  if (proxy_get_buffer_bytes(kCallData, 0, size, &call, &count) != 0) return;
  static const char reason[] = "no poison here";
  static u8 verdict[32 + 16 + 64 * 4];
  for (u32 n = 0; n < sizeof(verdict); ++n) verdict[n] = 0;
  for (u32 n = 0; n < 8; ++n) verdict[n] = call[n];  // the token
  const u32 reason_size = sizeof(reason) - 1;
  const u32 first = u32_at(call + 60), records = u32_at(call + 64);
  u32 at = u32_at(call + 32), bad = 0;
  for (u32 n = 0; n < records && bad < 64; ++n) {
    const u32 length = varint(call, &at);
    if (poisoned(call + at, length)) {
      const u32 index = first + n;
      for (u32 byte = 0; byte < 4; ++byte) {
        verdict[32 + reason_size + bad * 4 + byte] = (u8)(index >> (8 * byte));
      }
      ++bad;
    }
    at += length;
  }
  if (bad == 0) return;
  verdict[8] = 3;  // reject, with the hook's own error code
  verdict[16] = (u8)reason_size;
  verdict[20] = (u8)bad;
  for (u32 n = 0; n < reason_size; ++n) verdict[32 + n] = (u8)reason[n];
  u8* result;
  u32 result_size;
  proxy_call_foreign_function("kafka.verdict", 13, verdict, 32 + reason_size + bad * 4, &result,
                              &result_size);
}
