#include "engine/store/payload_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "engine/store/store_file.h"
#include "engine/store/unique_fd.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr size_t kModels = 2;  // the database "model"
constexpr FrameKind kKind = FrameKind::kModel;

// Copies of less than a piece, of whole pieces and more, and of as many as two threads take.
class PayloadCopy : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_store_file(path_, kModelsFile, {}, "").is_ok());
    LmdbOptions options;
    options.map_size = size_t{256} << 20;
    auto env = LmdbEnv::open(path_, options, kModelsFile.databases);
    ASSERT_TRUE(env.is_ok()) << env.status().message();
    env_ = std::move(env).value();
    std::mt19937_64 random(3);
    for (std::byte& byte : payload_) byte = static_cast<std::byte>(random());
    LmdbTrouble trouble;
    auto txn = LmdbTxn::begin(*env_, LmdbTxn::Access::kWrite, trouble);
    ASSERT_TRUE(txn.is_ok());
    ASSERT_TRUE(put_framed(*txn, kModels, kKind, "model", payload_).is_ok());
    ASSERT_TRUE(txn->commit().is_ok());
  }

  Status copy(std::vector<std::byte>& out, std::string_view key = "model") {
    LmdbTrouble trouble;
    auto txn = LmdbTxn::begin(*env_, LmdbTxn::Access::kRead, trouble);
    PERSONALIZE_ASSIGN_OR_RETURN(const auto value, txn->get(kModels, "model"));
    out.assign(payload_.size(), std::byte{7});
    return copy_payload(*txn, kKind, key, *value, out);
  }

  // Where the payload lies in the file.
  uint64_t place() {
    const UniqueFd fd = UniqueFd::open(path_, O_RDONLY);
    std::vector<std::byte> file(static_cast<size_t>(lseek(fd.get(), 0, SEEK_END)));
    EXPECT_EQ(pread(fd.get(), file.data(), file.size(), 0), ssize_t(file.size()));
    const size_t probe = std::min<size_t>(payload_.size(), 64);
    const void* found = memmem(file.data(), file.size(), payload_.data(), probe);
    EXPECT_NE(found, nullptr);
    return static_cast<uint64_t>(static_cast<const std::byte*>(found) - file.data());
  }

  TemporaryDirectory scratch_;
  const std::string path_ = scratch_ / "models.mdb";
  std::vector<std::byte> payload_ = std::vector<std::byte>(GetParam());
  std::unique_ptr<LmdbEnv> env_;
};

TEST_P(PayloadCopy, IsWhatWasWritten) {
  std::vector<std::byte> out;
  const Status copied = copy(out);
  ASSERT_TRUE(copied.is_ok()) << copied.message();
  EXPECT_EQ(memcmp(out.data(), payload_.data(), payload_.size()), 0);
  EXPECT_EQ(copy(out, "another").message(), "it belongs to another key");
}

TEST_P(PayloadCopy, NoticesAChangedByteWhereverItIs) {
  const uint64_t begin = place();
  const UniqueFd fd = UniqueFd::open(path_, O_RDWR);
  std::vector<std::byte> out;
  const size_t last = payload_.size() - 1;
  for (const size_t at : {size_t{0}, last / 3, last / 2, last - last / 5, last}) {
    const std::byte changed = payload_[at] ^ std::byte{1};
    ASSERT_EQ(pwrite(fd.get(), &changed, 1, static_cast<off_t>(begin + at)), 1);
    const Status copied = copy(out);
    EXPECT_EQ(copied.code(), StatusCode::kCorrupt) << at;
    EXPECT_EQ(copied.message(), "its checksum is wrong");
    ASSERT_EQ(pwrite(fd.get(), &payload_[at], 1, static_cast<off_t>(begin + at)), 1);
  }
  EXPECT_TRUE(copy(out).is_ok());
}

INSTANTIATE_TEST_SUITE_P(Sizes, PayloadCopy,
                         testing::Values(100, 5'000, 1 << 20, (3 << 20) + 1, (17 << 20) + 12345));

TEST(PayloadCopyOfACutFile, SaysThatItCannotBeRead) {
  TemporaryDirectory scratch;
  const std::string path = scratch / "models.mdb";
  ASSERT_TRUE(make_store_file(path, kModelsFile, {}, "").is_ok());
  LmdbOptions options;
  options.map_size = size_t{64} << 20;
  auto env = LmdbEnv::open(path, options, kModelsFile.databases);
  ASSERT_TRUE(env.is_ok());
  LmdbTrouble trouble;
  std::vector<std::byte> payload(20 << 20, std::byte{5});
  auto writing = LmdbTxn::begin(**env, LmdbTxn::Access::kWrite, trouble);
  ASSERT_TRUE(put_framed(*writing, kModels, kKind, "model", payload).is_ok());
  ASSERT_TRUE(writing->commit().is_ok());
  auto txn = LmdbTxn::begin(**env, LmdbTxn::Access::kRead, trouble);
  const auto value = txn->get(kModels, "model");
  ASSERT_TRUE(value.is_ok() && value->has_value());
  // A page is kept of it: its header is looked at in the map.
  ASSERT_EQ(truncate(path.c_str(), 8 << 20), 0);
  const Status copied = copy_payload(*txn, kKind, "model", **value, payload);
  EXPECT_EQ(copied.code(), StatusCode::kIo);
  EXPECT_EQ(copied.message(), "its pages cannot be read");
}

}  // namespace
}  // namespace personalize
