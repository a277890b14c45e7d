#include "experiment/results.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/ranges.h>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPart = "part.json";
constexpr const char* kTensors = "part.safetensors";
constexpr std::int64_t kPartFormat = 1;

std::set<std::string> tensor_names(const Results& results) {
  std::set<std::string> names;
  for (const nn::NamedTensor& each : results.rows) names.insert(each.name);
  return names;
}

/// "count is 3 there and 4 here"
std::string disagreement(const nlohmann::json& there, const nlohmann::json& here) {
  std::string text;
  std::set<std::string> keys;
  for (const nlohmann::json* each : {&there, &here})
    for (const auto& item : each->items()) keys.insert(item.key());
  for (const std::string& key : keys) {
    const nlohmann::json a = there.value(key, nlohmann::json()), b = here.value(key, nlohmann::json());
    if (a != b)
      text += fmt::format("{}{} is {} there and {} here", text.empty() ? "" : ", ", key, a.dump(), b.dump());
  }
  return text;
}

nlohmann::json describe(const Job& job) {
  nlohmann::json all = job.question;
  all["verb"] = job.verb;
  all["items"] = job.total;
  all["block"] = job.block;
  return all;
}

struct Part {
  fs::path folder;
  Job job;
  Shard shard;
  nlohmann::json record;
};

Part read_part(const fs::path& folder) {
  const nlohmann::json record = read_json(folder / kPart);
  try {
    if (record.at("format") != kPartFormat)
      fail("{} is of another version of whence; make its shard again", (folder / kPart).string());
    Job job{record.at("verb"), record.at("question"), record.at("total"), record.at("block")};
    return {folder, std::move(job), {record.at("shard").at(0), record.at("shard").at(1)}, record};
  } catch (const nlohmann::json::exception&) {
    fail("{} is damaged; make its shard again", (folder / kPart).string());
  }
}

Results results_in(const Part& part) {
  Results results;
  try {
    part.record.at("facts").get_to(results.facts);
    part.record.at("about").get_to(results.about);
    part.record.at("notes").get_to(results.notes);
    part.record.at("sums").get_to(results.sums);
    if (part.record.at("tensors").empty()) return results;
    results.rows = nn::load_safetensors(part.folder / kTensors).tensors;
    if (tensor_names(results) != part.record.at("tensors").get<std::set<std::string>>())
      fail("{} and {} are of different runs of the shard; make it again", (part.folder / kPart).string(),
           kTensors);
  } catch (const nlohmann::json::exception&) {
    fail("{} is damaged; make its shard again", (part.folder / kPart).string());
  }
  return results;
}

std::vector<fs::path> part_folders(const std::vector<fs::path>& folders) {
  std::vector<fs::path> found;
  for (const fs::path& folder : folders) {
    const std::size_t before = found.size();
    if (fs::exists(folder / kPart)) found.push_back(folder);
    std::error_code error;
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (fs::exists(entry.path() / kPart)) below.push_back(entry.path());
    std::ranges::sort(below);
    found.insert(found.end(), below.begin(), below.end());
    if (found.size() == before)
      fail("{} holds no finished part; a command with --shard I/N --out DIR writes one into DIR",
           folder.string());
  }
  return found;
}

/// In the order of the shards.
std::vector<Part> complete(std::vector<Part> parts) {
  const Part& one = parts.front();
  std::map<std::int64_t, const Part*> of_shard;
  for (const Part& part : parts) {
    if (part.shard.count != one.shard.count)
      fail("{} is shard {} and {} is shard {}; merge the shards of one command", part.folder.string(),
           part.shard.name(), one.folder.string(), one.shard.name());
    if (const std::string text = disagreement(describe(one.job), describe(part.job)); !text.empty())
      fail("{} and {} are of different work ({}); merge the shards of one command", one.folder.string(),
           part.folder.string(), text);
    const auto [place, first] = of_shard.emplace(part.shard.index, &part);
    if (!first)
      fail("shard {} is there twice, in {} and {}; name it once", part.shard.name(),
           place->second->folder.string(), part.folder.string());
  }
  std::vector<std::string> missing;
  for (std::int64_t i = 0; i < one.shard.count; ++i)
    if (!of_shard.contains(i)) missing.push_back(Shard{i, one.shard.count}.name());
  if (!missing.empty())
    fail("{} {} missing; run the same command with --shard {}", fmt::join(missing, ", "),
         missing.size() == 1 ? "is" : "are",
         fmt::format("{}/{}", missing.front().substr(0, missing.front().find('-')), one.shard.count));
  std::ranges::sort(parts, {}, [](const Part& part) { return part.shard.index; });
  return parts;
}

}  // namespace

at::Tensor Results::row(const std::string& name) const {
  for (const nn::NamedTensor& each : rows)
    if (each.name == name) return each.tensor;
  return {};
}

Results join(const std::vector<Results>& blocks) {
  Results all;
  std::map<std::string, std::vector<at::Tensor>> parts;
  std::size_t filled = 0;
  for (const Results& block : blocks) {
    for (const auto& [name, value] : block.sums) all.sums[name] += value;
    for (const auto& fact : block.facts) all.facts.push_back(fact);
    for (const auto& [name, note] : block.notes.items())
      if (!all.notes.contains(name)) all.notes[name] = note;
    if (block.rows.empty()) continue;
    if (filled++ == 0) {
      all.about = block.about;
      for (const nn::NamedTensor& each : block.rows) all.rows.push_back({each.name, {}});
    } else if (const std::string text = disagreement(all.about, block.about); !text.empty()) {
      fail("the parts do not agree ({}); make them with the same models and the same machine", text);
    }
    for (const nn::NamedTensor& each : block.rows) parts[each.name].push_back(each.tensor);
  }
  std::erase_if(all.rows, [&](const nn::NamedTensor& each) { return parts[each.name].size() < filled; });
  for (nn::NamedTensor& each : all.rows) each.tensor = at::cat(std::exchange(parts[each.name], {}));
  return all;
}

fs::path part_folder(const fs::path& folder, const Shard& shard) {
  return folder / ("shard-" + shard.name());
}

bool is_part_done(const fs::path& folder, const Job& job, const Shard& shard) {
  if (!fs::exists(folder / kPart)) return false;
  const Part part = read_part(folder);
  std::string text = disagreement(describe(part.job), describe(job));
  if (text.empty() && part.shard.name() != shard.name())
    text = fmt::format("shard {} there and {} here", part.shard.name(), shard.name());
  if (!text.empty())
    fail("{} holds a part of other work ({}); give another folder with --out", folder.string(), text);
  return true;
}

void write_part(const fs::path& folder, const Job& job, const Shard& shard, const Results& results) {
  if (!results.rows.empty()) nn::save_safetensors(folder / kTensors, results.rows);
  write_json(folder / kPart, {{"format", kPartFormat},
                              {"verb", job.verb},
                              {"question", job.question},
                              {"total", job.total},
                              {"block", job.block},
                              {"shard", {shard.index, shard.count}},
                              {"facts", results.facts},
                              {"about", results.about},
                              {"notes", results.notes},
                              {"sums", results.sums},
                              {"tensors", tensor_names(results)}});
}

MergedParts merge_parts(const std::vector<fs::path>& folders) {
  std::vector<Part> parts;
  for (const fs::path& folder : part_folders(folders)) parts.push_back(read_part(folder));
  parts = complete(std::move(parts));
  std::vector<Results> blocks;
  blocks.reserve(parts.size());
  for (const Part& part : parts) blocks.push_back(results_in(part));
  return {parts.front().job, join(blocks), parts.front().folder};
}

}  // namespace whence::experiment
