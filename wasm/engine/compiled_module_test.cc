// Compiling, describing, and keeping modules.
#include "wasm/engine/compiled_module.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasm/testing/wat.h"

namespace grete::wasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class CompiledModuleTest : public ::testing::Test {
 protected:
  CompiledModuleTest() {
    std::string name = (fs::temp_directory_path() / "grete-cache-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~CompiledModuleTest() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path only_file() const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator{folder_ / "cache"}) {
      EXPECT_TRUE(found.empty()) << "one file: no temporary one is left";
      found = entry.path();
    }
    return found;
  }

  fs::path folder_;
  std::unique_ptr<Engine> engine_ = *Engine::create({.ticker = Ticker::kManual});
  std::vector<std::byte> module_ = testing::assemble(R"((module
    (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
    (memory (export "memory") 2 10)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "f") (param i64 f32) (result f64) (f64.const 0))))");
};

TEST_F(CompiledModuleTest, DescribesTheModule) {
  const auto compiled = CompiledModule::compile(*engine_, module_);
  ASSERT_TRUE(compiled);
  const ModuleInfo& info = (*compiled)->info();
  EXPECT_EQ(info.size_bytes, module_.size());
  EXPECT_EQ(name_of(info.abi), "Proxy-Wasm 0.2.1");
  EXPECT_THAT(info.imports, ElementsAre(ExternInfo{"env", "proxy_log", ExternKind::kFunction,
                                                   "i32 i32 i32 -> i32"}));
  EXPECT_EQ(info.find_export("f")->signature, "i64 f32 -> f64");
  EXPECT_EQ(info.find_export("proxy_abi_version_0_2_1")->signature, "->");
  EXPECT_EQ(info.find_export("memory")->kind, ExternKind::kMemory);
  EXPECT_EQ(info.find_export("g"), nullptr);
  EXPECT_EQ(info.min_memory_bytes, 2U * 65536);
  EXPECT_EQ(info.max_memory_bytes, 10U * 65536);
}

TEST_F(CompiledModuleTest, KnowsTheAbis) {
  const auto abi_of = [this](std::string_view text) {
    return testing::compile(*engine_, text)->info().abi;
  };
  EXPECT_EQ(abi_of(R"((module (func (export "proxy_abi_version_0_1_0"))))"), Abi::kProxyWasm010);
  EXPECT_EQ(abi_of(R"((module (import "extism:host/env" "input_length" (func (result i64)))))"),
            Abi::kExtism);
  EXPECT_EQ(abi_of(R"((module (import "redpanda_transform" "read" (func))))"),
            Abi::kRedpandaTransform);
  EXPECT_EQ(abi_of("(module)"), Abi::kUnknown);
}

TEST_F(CompiledModuleTest, SaysWhatIsWrongWithAModule) {
  const auto error_of = [this](Bytes bytes) {
    const auto compiled = CompiledModule::compile(*engine_, bytes);
    return compiled ? std::string{} : compiled.error().detail;
  };
  EXPECT_THAT(error_of(as_bytes("\x7f"
                                "ELF")),
              HasSubstr("does not begin with"));
  EXPECT_THAT(error_of({}), HasSubstr("does not begin with"));
  EXPECT_THAT(error_of(as_bytes(std::string_view{"\0asm\x0d\0\1\0", 8})), HasSubstr("component"));
  EXPECT_THAT(error_of(as_bytes(std::string_view{"\0asm\1\0\0\0\xff", 9})),
              HasSubstr("does not compile"));
  const auto threads = testing::assemble(R"((module (memory 1 1 shared)))");
  EXPECT_THAT(error_of(threads), HasSubstr("does not compile"));
}

TEST_F(CompiledModuleTest, IsReadFromTheCache) {
  const auto cache = ModuleCache::open(folder_ / "cache");
  ASSERT_TRUE(cache);
  const auto first = CompiledModule::compile(*engine_, module_, &*cache);
  EXPECT_EQ((*first)->compiled_from(), CompiledFrom::kSource);
  const auto second = CompiledModule::compile(*engine_, module_, &*cache);
  EXPECT_EQ((*second)->compiled_from(), CompiledFrom::kCache);
  EXPECT_EQ((*second)->info(), (*first)->info());
  EXPECT_EQ((*second)->content_hash().size(), 64U);
  struct stat status{};
  ASSERT_EQ(::stat(only_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(CompiledModuleTest, ADamagedFileIsCompiledAgainAndReplaced) {
  const auto cache = ModuleCache::open(folder_ / "cache");
  const auto compile = [&] {
    return (*CompiledModule::compile(*engine_, module_, &*cache))->compiled_from();
  };
  compile();
  const fs::path file = only_file();
  const auto size = fs::file_size(file);
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{50}, size / 2, size - 1}) {
    {
      std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
      stream.seekg(static_cast<std::streamoff>(at));
      const char old = static_cast<char>(stream.get());
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(old ^ 1));
    }
    EXPECT_EQ(compile(), CompiledFrom::kSource) << at;
    EXPECT_EQ(compile(), CompiledFrom::kCache) << at;
  }
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{96}, size - 1}) {
    fs::resize_file(file, length);
    EXPECT_EQ(compile(), CompiledFrom::kSource) << length;
  }
}

TEST_F(CompiledModuleTest, ACacheThatCannotBeWrittenIsNoError) {
  const auto cache = ModuleCache::open(folder_ / "cache");
  fs::remove_all(folder_ / "cache");
  EXPECT_TRUE(CompiledModule::compile(*engine_, module_, &*cache));
}

TEST_F(CompiledModuleTest, TheCachesFolderMustBeOurs) {
  const auto problem = [](const fs::path& path) {
    const auto cache = ModuleCache::open(path);
    return cache ? std::string{} : cache.error().detail;
  };
  EXPECT_EQ(problem(folder_ / "a" / "b"), "");
  fs::permissions(folder_ / "a" / "b", fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(problem(folder_ / "a" / "b"), HasSubstr("accessible to others"));
  fs::create_directory_symlink(folder_, folder_ / "link");
  EXPECT_THAT(problem(folder_ / "link"), HasSubstr("symbolic link"));
  std::ofstream{folder_ / "file"} << "x";
  EXPECT_THAT(problem(folder_ / "file"), HasSubstr("no folder"));
  EXPECT_THAT(problem(folder_ / "file" / "x"), HasSubstr("cannot be"));
  if (::geteuid() == 0) {
    fs::create_directory(folder_ / "theirs");
    fs::permissions(folder_ / "theirs", fs::perms::owner_all);
    ASSERT_EQ(::chown((folder_ / "theirs").c_str(), 12345, 12345), 0);
    EXPECT_THAT(problem(folder_ / "theirs"), HasSubstr("another user"));
  }
}

TEST_F(CompiledModuleTest, ThreadsShareEngineAndCache) {
  const auto cache = ModuleCache::open(folder_ / "cache");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(CompiledModule::compile(*engine_, module_, &*cache));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(only_file().empty());
}

}  // namespace
}  // namespace grete::wasm
