#include "wasm/engine/module_cache.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace grete::wasm {
namespace {

constexpr std::string_view kMagic = "grete compiled module 1\n";
constexpr std::size_t kHeader = 96;

std::filesystem::path file_of(const ModuleCache& cache, const std::string& key) {
  return cache.folder() / (key + ".cwasm");
}

std::string header_for(std::string_view body) {
  std::string header{kMagic};
  header += sha256_hex(body);
  header.resize(kHeader, '\n');
  return header;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string sha256_hex(std::string_view first, std::string_view second) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(context.get(), first.data(), first.size());
  EVP_DigestUpdate(context.get(), second.data(), second.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 15U];
  }
  return text;
}

Result<ModuleCache, Error> ModuleCache::open(std::filesystem::path folder) {
  const auto refuse = [&folder](std::string_view why) {
    return unexpected(
        Error{ErrorKind::kCacheFolder,
              "the folder for compiled modules, " + folder.string() + ", " + std::string{why} +
                  ": it must be a folder of this user with mode 0700, since code in it is run"});
  };
  std::error_code error;
  if (folder.has_parent_path()) {
    std::filesystem::create_directories(folder.parent_path(), error);
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return refuse("cannot be made (" + std::string{std::strerror(errno)} + ")");
  }
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0) {
    return refuse("cannot be read (" + std::string{std::strerror(errno)} + ")");
  }
  if (S_ISLNK(status.st_mode)) {
    return refuse("is a symbolic link");
  }
  if (!S_ISDIR(status.st_mode)) {
    return refuse("is no folder");
  }
  if (status.st_uid != ::geteuid()) {
    return refuse("belongs to another user");
  }
  if ((status.st_mode & 0777U) != 0700) {
    return refuse("is accessible to others");
  }
  return ModuleCache{std::move(folder)};
}

ModuleHandle load_compiled(const ModuleCache& cache, const std::string& key,
                           wasm_engine_t* engine) {
  std::ifstream file{file_of(cache, key), std::ios::binary};
  if (!file) {
    return {};
  }
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  if (bytes.size() <= kHeader) {
    return {};
  }
  const std::string_view body = std::string_view{bytes}.substr(kHeader);
  if (std::string_view{bytes}.substr(0, kHeader) != header_for(body)) {
    return {};
  }
  wasmtime_module_t* module = nullptr;
  const ErrorHandle error{wasmtime_module_deserialize(
      engine, reinterpret_cast<const std::uint8_t*>(body.data()), body.size(), &module)};
  return ModuleHandle{error ? nullptr : module};
}

void store_compiled(const ModuleCache& cache, const std::string& key,
                    const wasmtime_module_t* module) {
  ByteVector body;
  if (const ErrorHandle error{wasmtime_module_serialize(module, &body.raw)}) {
    return;
  }
  std::string path = file_of(cache, key).string() + ".XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    return;
  }
  const bool written = write_all(file, header_for(body.text())) && write_all(file, body.text()) &&
                       ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(path.c_str(), file_of(cache, key).c_str()) != 0) {
    ::unlink(path.c_str());
  }
}

}  // namespace grete::wasm
