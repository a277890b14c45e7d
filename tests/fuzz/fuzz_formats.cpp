// Reads many damaged model files: fuzz_formats [--format onnx|pt2|torchscript] [--count N] [--seed S]
//
// Each is a file of tests/fixtures with a few changes (support/mutation.h), in archives within their entries, whose
// checksums are made right again. It must be read, or be refused by a whence::Error of one line. Prints how many were
// read and refused, the longest time and the memory; ends with 1 where another exception came or a line was broken. Build it
// with the preset asan to see what else goes wrong. TorchScript is read by LibTorch, which may crash: a process for each.
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "interchange/zip_archive.h"
#include "support/files.h"
#include "support/mutation.h"
#include "support/zip_writer.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/torchscript.h"

namespace whence {
namespace {

namespace fs = std::filesystem;
using Entries = std::map<std::string, std::string>;

enum class Outcome { read, refused, wrong };

struct Tally {
  std::int64_t read = 0, refused = 0, wrong = 0, crashed = 0;
  double longest = 0;
};

Entries entries_of(const fs::path& file) {
  const interchange::ZipArchive archive(file);
  Entries entries;
  for (const std::string& name : archive.find("", "")) entries[name] = archive.read(name);
  return entries;
}

/// A small network as whence exports it.
Entries torchscript_seed(const fs::path& file) {
  nn::Network network("fuzz", {1, 6, 6});
  network.add("conv", nn::Conv2d{2, 3});
  network.add("relu", nn::Relu{});
  network.add("flat", nn::Flatten{});
  network.add("fc", nn::Linear{3});
  nn::export_torchscript(network, file);
  return entries_of(file);
}

/// What the damaged files are made of: whole files of one entry, or archives.
std::vector<Entries> seeds_of(const std::string& format, const fs::path& temporary) {
  if (format == "torchscript") return {torchscript_seed(temporary / "seed.pt")};
  const fs::path fixtures = WHENCE_FIXTURES;
  std::vector<Entries> seeds;
  if (format == "onnx") {
    for (const auto& [name, bytes] : entries_of(fixtures / "onnx" / "operators.zip"))
      if (name.ends_with(".onnx")) seeds.push_back({{name, bytes}});
  }
  const fs::path folder = fixtures / (format == "onnx" ? "onnx" : "exported");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (format == "onnx" && path.extension() == ".onnx")
      seeds.push_back({{path.filename(), read_file(path)}});
    if (format == "pt2" && path.extension() == ".pt2") seeds.push_back(entries_of(path));
  }
  std::sort(seeds.begin(), seeds.end());
  return seeds;
}

/// One entry changed, or the whole archive.
std::string damaged(const std::vector<Entries>& seeds, std::mt19937_64& random) {
  Entries entries = seeds[random() % seeds.size()];
  const Entries& other = seeds[random() % seeds.size()];
  auto chosen = entries.begin();
  std::advance(chosen, random() % entries.size());
  if (entries.size() == 1) return test::mutated(chosen->second, other.begin()->second, random);
  if (random() % 16 == 0) return test::mutated(test::zip_of(entries), test::zip_of(other), random);
  chosen->second = test::mutated(chosen->second, other.begin()->second, random);
  return test::zip_of(entries);
}

Outcome outcome_of(const fs::path& file) {
  try {
    const nn::ScriptModule module(file);
    return Outcome::read;
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') == std::string_view::npos) return Outcome::refused;
    fmt::print("more than one line: {}\n", error.what());
  } catch (const std::exception& error) {
    fmt::print("no whence::Error: {}\n", error.what());
  }
  return Outcome::wrong;
}

/// In a process of its own; nothing: it crashed, or took a minute.
std::optional<Outcome> outcome_apart(const fs::path& file) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(static_cast<int>(outcome_of(file)));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > static_cast<int>(Outcome::wrong)) return std::nullopt;
  return static_cast<Outcome>(WEXITSTATUS(status));
}

Tally read_damaged(const std::string& format, std::int64_t count, std::uint64_t seed,
                   const fs::path& folder) {
  const std::vector<Entries> seeds = seeds_of(format, folder);
  std::mt19937_64 random(seed);
  Tally tally;
  const fs::path file = folder / ("model." + (format == "torchscript" ? "pt" : format));
  for (std::int64_t i = 0; i < count; ++i) {
    { std::ofstream(file, std::ios::binary) << damaged(seeds, random); }
    const auto start = std::chrono::steady_clock::now();
    const std::optional<Outcome> outcome = format == "torchscript" ? outcome_apart(file) : outcome_of(file);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    tally.longest = std::max(tally.longest, seconds.count());
    if (!outcome) ++tally.crashed;
    if (outcome == Outcome::read) ++tally.read;
    if (outcome == Outcome::refused) ++tally.refused;
    if (outcome == Outcome::wrong) {
      ++tally.wrong;
      fs::copy_file(file, fmt::format("wrong-{}-{}-{}", format, seed, i),
                    fs::copy_options::overwrite_existing);
    }
  }
  return tally;
}

int fuzz(int argc, char** argv) {
  CLI::App program("Reads damaged model files");
  std::string format = "onnx";
  std::int64_t count = 10'000;
  std::uint64_t seed = 0;
  program.add_option("--format", format)
      ->check(CLI::IsMember({"onnx", "pt2", "torchscript"}))
      ->capture_default_str();
  program.add_option("--count", count, "How many files")->capture_default_str();
  program.add_option("--seed", seed)->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  const test::TemporaryFolder folder;
  const Tally tally = read_damaged(format, count, seed, folder.path());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{} {} files: {} read, {} refused in one sentence, {} otherwise, {} crashed; longest {:.2f} s, memory "
      "{} MB\n",
      count, format, tally.read, tally.refused, tally.wrong, tally.crashed, tally.longest,
      usage.ru_maxrss / 1024);
  return tally.wrong == 0 && tally.crashed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace whence

int main(int argc, char** argv) { return whence::fuzz(argc, argv); }
