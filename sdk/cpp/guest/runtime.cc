// What libc++ and the compiler expect of a program, without the imports that their own versions
// bring along: a module of this SDK imports Proxy-Wasm functions and nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

void* allocate(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    __builtin_trap();
  }
  return memory;
}

void* allocate_aligned(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  void* memory = std::aligned_alloc(align, (size + align - 1) & ~(align - 1));
  if (memory == nullptr) {
    __builtin_trap();
  }
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) {
  __builtin_trap();
}
_LIBCPP_END_NAMESPACE_STD

extern "C" {
std::uintptr_t __stack_chk_guard = 0x5f3759df;
[[noreturn]] void __stack_chk_fail() {
  __builtin_trap();
}
void abort() {
  __builtin_trap();
}
// How libc's assert() and libc++abi give up.
[[noreturn]] void __assert_fail(const char*, const char*, int, const char*) {
  __builtin_trap();
}
[[noreturn]] void abort_message(const char*, ...) {
  __builtin_trap();
}
// A module is never unloaded, so destructors of statics need not be kept.
int __cxa_atexit(void (*)(void*), void*, void*) {
  return 0;
}
void __cxa_pure_virtual() {
  __builtin_trap();
}
}
