// Zip files for tests: entries that are stored, with right checksums, so that a reader gets to what lies in them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <map>
#include <string>

namespace whence::test {

/// Layout: APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16. Data begin at multiples of 64 bytes, as PyTorch's do.
inline std::string zip_of(const std::map<std::string, std::string>& entries) {
  const auto number = [](std::uint64_t value, int width) {
    std::string bytes;
    for (int i = 0; i < width; ++i, value >>= 8) bytes.push_back(static_cast<char>(value));
    return bytes;
  };
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    const std::string sizes = number(crc, 4) + number(content.size(), 4) + number(content.size(), 4);
    const std::size_t offset = file.size(), begin = offset + 30 + name.size() + 4;
    const std::string padding =
        number(0x4246, 2) + number((64 - begin % 64) % 64, 2) + std::string((64 - begin % 64) % 64, 'Z');
    file += number(0x04034b50, 4) + number(20, 2) + number(0, 8) + sizes + number(name.size(), 2) +
            number(padding.size(), 2) + name + padding + content;
    directory += number(0x02014b50, 4) + number(20, 2) + number(20, 2) + number(0, 8) + sizes +
                 number(name.size(), 2) + number(0, 12) + number(offset, 4) + name;
  }
  return file + directory + number(0x06054b50, 4) + number(0, 4) + number(entries.size(), 2) +
         number(entries.size(), 2) + number(directory.size(), 4) + number(file.size(), 4) + number(0, 2);
}

}  // namespace whence::test
