#include "kafka/records/compression.h"

#include <cassert>
#include <utility>

#include "kafka/records/compression_stream.h"

namespace grete::kafka::records {

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return "none";
    case Codec::kGzip:
      return "gzip";
    case Codec::kSnappy:
      return "snappy";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
  }
  return "unknown";
}

CodecPool::CodecPool(MemoryBudget& budget) : budget_(&budget) {}
CodecPool::~CodecPool() = default;

CodecPool::Idle& CodecPool::idle(Codec codec, Direction direction) {
  return idle_[static_cast<std::size_t>(codec) + kCodecs * static_cast<std::size_t>(direction)];
}

std::unique_ptr<CompressionStream> CodecPool::take(Codec codec, Direction direction) {
  Idle& free_streams = idle(codec, direction);
  if (!free_streams.empty()) {
    auto stream = std::move(free_streams.back());
    free_streams.pop_back();
    return stream;
  }
  const bool compresses = direction == Direction::kCompress;
  switch (codec) {
    case Codec::kNone:
      break;
    case Codec::kGzip:
      return compresses ? make_gzip_compressor(*budget_) : make_gzip_decompressor(*budget_);
    case Codec::kSnappy:
      return compresses ? make_snappy_compressor() : make_snappy_decompressor();
    case Codec::kLz4:
      return compresses ? make_lz4_compressor(*budget_) : make_lz4_decompressor(*budget_);
    case Codec::kZstd:
      return compresses ? make_zstd_compressor(*budget_) : make_zstd_decompressor(*budget_);
  }
  assert(false && "codec none has no stream");
  return nullptr;
}

void CodecPool::give_back(Codec codec, Direction direction,
                          std::unique_ptr<CompressionStream> stream) {
  Idle& free_streams = idle(codec, direction);
  if (free_streams.size() < kMaxIdleStreams && stream->memory() <= kMaxIdleStreamBytes) {
    free_streams.push_back(std::move(stream));
  }
}

void CodecPool::trim() {
  for (Idle& free_streams : idle_) {
    free_streams.clear();
  }
}

Decompressor::Decompressor(CodecPool& pool) : pool_(&pool) {}

Decompressor::~Decompressor() {
  finish();
}

void Decompressor::finish() {
  if (stream_ != nullptr) {
    pool_->give_back(codec_, CodecPool::Direction::kDecompress, std::move(stream_));
  }
}

void Decompressor::start(Codec codec, Bytes input, std::uint64_t max_output, Lz4Header header) {
  finish();
  codec_ = codec;
  left_ = max_output;
  stream_ = pool_->take(codec, CodecPool::Direction::kDecompress);
  stream_->start(input, header);
}

Result<Progress, Error> Decompressor::step(ByteBuffer& output) {
  assert(stream_ != nullptr && "start() first");
  const std::size_t before = output.size();
  auto progress = stream_->step(output, left_);
  const std::size_t made = output.size() - before;
  if (made > left_) {
    output.truncate(before + static_cast<std::size_t>(left_));
    progress = fail(ErrorCode::kDecompressedTooBig);
  } else {
    left_ -= made;
  }
  if (!progress || *progress == Progress::kDone) {
    finish();
  }
  return progress;
}

Compressor::Compressor(CodecPool& pool) : pool_(&pool) {}

Compressor::~Compressor() {
  finish();
}

void Compressor::finish() {
  if (stream_ != nullptr) {
    pool_->give_back(codec_, CodecPool::Direction::kCompress, std::move(stream_));
  }
}

void Compressor::start(Codec codec, Bytes input, Lz4Header header) {
  finish();
  codec_ = codec;
  stream_ = pool_->take(codec, CodecPool::Direction::kCompress);
  stream_->start(input, header);
}

Result<Progress, Error> Compressor::step(ByteBuffer& output) {
  assert(stream_ != nullptr && "start() first");
  auto progress = stream_->step(output, UINT64_MAX);
  if (!progress || *progress == Progress::kDone) {
    finish();
  }
  return progress;
}

}  // namespace grete::kafka::records
