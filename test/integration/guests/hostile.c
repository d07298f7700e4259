// A plug-in that misbehaves where its configuration says, at a word in what it is shown: {"do":
// "loop"}, and {"at": "stream"} for a filter of bytes instead of records. Everything else passes.
#include "proxy_wasm.h"

static u8 heap[4 << 20];
static u32 heap_used;
static u8 configuration[256];
static u32 configuration_size;
static int allocator_is_hostile;

static int has(const u8* text, u32 size, const char* word) {
  u32 length = 0;
  while (word[length]) ++length;
  for (u32 at = 0; at + length <= size; ++at) {
    u32 same = 0;
    while (same < length && text[at + same] == (u8)word[same]) ++same;
    if (same == length) return 1;
  }
  return 0;
}

static int told(const char* word) {
  return has(configuration, configuration_size, word);
}

static volatile u32 sink;

static u32 recurse(u32 depth) {
  volatile u8 frame[512];
  frame[depth % 512] = (u8)depth;
  return recurse(depth + 1) + frame[depth % 512];
}

EXPORT(proxy_on_memory_allocate) u8* allocate(u32 size) {
  if (allocator_is_hostile) {
    if (told("allocate-null")) return 0;
    if (told("allocate-beyond")) return (u8*)0xFFFFFFF0u;
    if (told("allocate-trap")) __builtin_trap();
    if (told("allocate-loop")) {
      for (;;) sink = sink + 1;
    }
    if (told("allocate-reenter")) {
      u8* bytes;
      u32 count;
      proxy_get_buffer_bytes(told("stream") ? kDownstream : kCallData, 0, 16, &bytes, &count);
    }
  }
  if (heap_used + size > sizeof(heap)) heap_used = 0;
  u8* bytes = heap + heap_used;
  heap_used += (size + 15) & ~15u;
  return bytes;
}

static void misbehave(void) {
  if (told("loop\"")) {
    for (;;) sink = sink + 1;
  }
  if (told("trap\"")) __builtin_trap();
  if (told("recurse\"")) sink = recurse(0);
  if (told("memory\"")) {
    // Every page that there is, each touched; then again, for ever.
    for (;;) {
      const u32 page = (u32)__builtin_wasm_memory_grow(0, 16);
      if (page == 0xFFFFFFFFu) __builtin_trap();
      for (u32 n = 0; n < 16; ++n) *(volatile u8*)((page + n) * 65536) = 1;
    }
  }
  if (told("pointers\"")) {
    proxy_log(2, (const char*)0xFFFFFF00u, 0xFFFF);
    proxy_get_buffer_bytes(kCallData, 0xFFFFFFFFu, 0xFFFFFFFFu, (u8**)0xFFFFFFFCu, (u32*)2);
    proxy_call_foreign_function("kafka.verdict", 13, (void*)0xFFFFFFF0u, 64, 0, 0);
    __builtin_trap();
  }
  if (told("floods the log")) {
    for (;;) proxy_log(2, "flood", 5);
  }
  if (told("allocate-")) {
    u8* bytes;
    u32 count;
    allocator_is_hostile = 1;
    const u32 status =
        proxy_get_buffer_bytes(told("stream") ? kDownstream : kCallData, 0, 16, &bytes, &count);
    allocator_is_hostile = 0;
    if (status != 0) __builtin_trap();
  }
}

EXPORT(proxy_on_context_create) void on_context_create(u32 id, u32 parent) {
  (void)id;
  (void)parent;
}

EXPORT(proxy_on_configure) u32 on_configure(u32 id, u32 size) {
  (void)id;
  u8* bytes;
  if (size > sizeof(configuration) ||
      proxy_get_buffer_bytes(kPluginConfig, 0, size, &bytes, &configuration_size) != 0) {
    return 0;
  }
  for (u32 n = 0; n < configuration_size; ++n) configuration[n] = bytes[n];
  if (told("loop in configure")) {
    for (;;) sink = sink + 1;
  }
  if (told("stream")) return 1;
  // The lane, version 1: records of Produce requests.
  static const u8 subscription[] = {1,
                                    0,
                                    1,
                                    0,
                                    /*key*/ 0,
                                    0,
                                    /*first*/ 0,
                                    0,
                                    /*last*/ 0xFF,
                                    0x7F,
                                    /*request*/ 1,
                                    /*records*/ 3};
  u8* result;
  u32 count;
  return proxy_call_foreign_function("kafka.subscribe", 15, subscription, sizeof(subscription),
                                     &result, &count) == 0;
}

EXPORT(proxy_on_foreign_function) void on_foreign_function(u32 id, u32 function, u32 size) {
  (void)id;
  (void)function;
  u8* bytes;
  u32 count;
  if (proxy_get_buffer_bytes(kCallData, 0, size, &bytes, &count) == 0 &&
      has(bytes, count, "poison"))
    misbehave();
}

EXPORT(proxy_on_downstream_data) u32 on_downstream_data(u32 id, u32 size, u32 end) {
  (void)id;
  (void)end;
  u8* bytes;
  u32 count;
  if (size && size < (1 << 20) &&
      proxy_get_buffer_bytes(kDownstream, 0, size, &bytes, &count) == 0 &&
      has(bytes, count, "poison")) {
    misbehave();
  }
  return 0;
}
