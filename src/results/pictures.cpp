#include "pictures.h"

#include <map>
#include <set>

#include "record.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/results/write.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

double mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

/// `target`: where it will stand, and stands already where the run is only recorded.
std::string read_picture(const Picture& picture, const Run& run, const fs::path& target) {
  const fs::path file = run.recorded() ? target : run.folder / picture.file;
  const std::string extension = file.extension().string();
  if (extension != ".png" && extension != ".svg" && extension != ".jpg" && extension != ".jpeg")
    fail_usage("{}: {} is neither .png, .svg nor .jpg; a page of results shows no other file", picture.place,
               picture.file);
  if (run.recorded() && !fs::is_regular_file(file))
    fail_usage(
        "{}: the run {} is known from the page's record alone, and {} is not there; run it again or leave "
        "the picture out",
        picture.place, run.name, file.string());
  if (!fs::is_regular_file(file))
    fail_usage("{}: the run {} has no {}; look into the folder {} for the pictures it has", picture.place,
               run.name, picture.file, file.parent_path().string());
  std::string bytes = read_file(file);
  if (bytes.size() > kPictureBytes)
    fail("{}: {} has {:.1f} MiB, and a picture on a page of results may have {:.0f}; show a smaller one",
         picture.place, file.string(), mebibytes(bytes.size()), mebibytes(kPictureBytes));
  return bytes;
}

/// By where they will stand.
std::map<fs::path, std::string> read_pictures(const Page& page, const Measured& measured,
                                              const fs::path& out) {
  std::map<fs::path, std::string> pictures;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < page.experiments.size(); ++i)
    for (const Picture& picture : page.experiments[i].pictures) {
      const Run* run = run_of(picture, measured.experiments[i], measured);
      if (run == nullptr) continue;
      const fs::path target = out.parent_path() / picture_link(page.experiments[i], picture, out);
      const auto [at, fresh] = pictures.emplace(target, read_picture(picture, *run, target));
      if (!fresh)
        fail_usage("{}: '{}' already shows {}; leave one of them out", picture.place,
                   page.experiments[i].name, target.filename().string());
      sum += at->second.size();
    }
  if (sum > kPageBytes)
    fail("{}: its pictures have {:.1f} MiB together, and a page of results may have {:.0f}; show fewer",
         page.file.string(), mebibytes(sum), mebibytes(kPageBytes));
  return pictures;
}

std::vector<fs::path> others_in(const fs::path& folder, const std::map<fs::path, std::string>& pictures) {
  std::vector<fs::path> others;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
    const bool known = pictures.contains(entry.path()) || entry.path() == folder / kRecordFile;
    if (entry.is_regular_file() && !known) others.push_back(entry.path());
  }
  std::sort(others.begin(), others.end());
  return others;
}

fs::path picture_folder(const fs::path& out) { return fs::path(out).replace_extension(); }

}  // namespace

fs::path picture_link(const Experiment& experiment, const Picture& picture, const fs::path& out) {
  std::string name = fs::path(picture.file).filename().string();
  if (!picture.run.empty()) name = fs::path(picture.run).filename().string() + "-" + name;
  return picture_folder(out).filename() / experiment.anchor() / name;
}

const Run* run_of(const Picture& picture, const MeasuredExperiment& experiment, const Measured& measured) {
  if (picture.run.empty()) return experiment.runs.empty() ? nullptr : &experiment.runs.front();
  for (const MeasuredExperiment& each : measured.experiments)
    for (const Run& run : each.runs)
      if (run.name == picture.run) return &run;
  return nullptr;
}

Written write_results(const Page& page, const fs::path& runs, const fs::path& out) {
  if (out.extension() != ".md")
    fail_usage("the page is written as Markdown, so --out must end in .md, unlike {}", out.string());
  const fs::path record = picture_folder(out) / kRecordFile;
  const Measured measured = measure(page, runs, read_record(record));
  const std::map<fs::path, std::string> pictures = read_pictures(page, measured, out);
  const std::string text = markdown(page, measured, out);
  for (const auto& [target, bytes] : pictures) write_file(target, bytes);
  write_file(record, record_of(page, measured));
  write_file(out, text);

  Written written;
  std::set<std::string> recorded;
  for (std::size_t i = 0; i < page.experiments.size(); ++i) {
    const Tally one = tally(page.experiments[i], measured.experiments[i]);
    written.tally.reached += one.reached;
    written.tally.missed += one.missed;
    written.tally.unmeasured += one.unmeasured;
    for (const Run& run : measured.experiments[i].runs)
      if (run.recorded()) recorded.insert(run.name);
  }
  written.recorded.assign(recorded.begin(), recorded.end());
  written.unused = others_in(picture_folder(out), pictures);
  return written;
}

}  // namespace whence::results
