#include "pictures.h"

#include <map>
#include <set>

#include "record.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/report/figures.h"
#include "whence/results/write.h"
#include "whence/run/curves.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

double mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void check_extension(const Picture& picture, std::initializer_list<const char*> allowed, const char* names) {
  const std::string extension = fs::path(picture.file).extension().string();
  if (std::find(allowed.begin(), allowed.end(), extension) == allowed.end())
    fail_usage("{}: {} is neither {}; a page of results shows no other file", picture.place, picture.file,
               names);
}

/// What stands at `target` since the runs were there.
std::string read_recorded(const Picture& picture, const std::string& run, const fs::path& target) {
  if (!fs::is_regular_file(target))
    fail_usage(
        "{}: the run {} is known from the page's record alone, and {} is not there; run it again or leave "
        "the picture out",
        picture.place, run, target.string());
  return read_file(target);
}

std::string draw_curves(const Picture& picture, const std::vector<const Run*>& runs) {
  std::vector<fs::path> folders;
  for (const Run* run : runs) folders.push_back(run->folder);
  const report::Drawing drawing = report::drawing_of(run::compare_trainings(folders));
  return fs::path(picture.file).extension() == ".svg" ? drawing.svg : drawing.png;
}

std::string read_from_run(const Picture& picture, const Run& run) {
  const fs::path file = run.folder / picture.file;
  if (!fs::is_regular_file(file))
    fail_usage("{}: the run {} has no {}; look into the folder {} for the pictures it has", picture.place,
               run.name, picture.file, file.parent_path().string());
  return read_file(file);
}

/// `target`: where it will stand, and stands already where a run is only recorded.
std::string read_picture(const Picture& picture, const std::vector<const Run*>& runs,
                         const fs::path& target) {
  if (picture.curves.empty()) {
    check_extension(picture, {".png", ".svg", ".jpg", ".jpeg"}, ".png, .svg nor .jpg");
  } else {
    check_extension(picture, {".png", ".svg"}, ".png nor .svg");
  }
  const auto recorded =
      std::find_if(runs.begin(), runs.end(), [](const Run* run) { return run->recorded(); });
  std::string bytes = recorded != runs.end()   ? read_recorded(picture, (*recorded)->name, target)
                      : picture.curves.empty() ? read_from_run(picture, *runs.front())
                                               : draw_curves(picture, runs);
  if (bytes.size() > kPictureBytes)
    fail("{}: {} has {:.1f} MiB, and a picture on a page of results may have {:.0f}; show a smaller one",
         picture.place, picture.file, mebibytes(bytes.size()), mebibytes(kPictureBytes));
  return bytes;
}

/// By where they will stand.
std::map<fs::path, std::string> read_pictures(const Page& page, const Measured& measured,
                                              const fs::path& out) {
  std::map<fs::path, std::string> pictures;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < page.experiments.size(); ++i)
    for (const Picture& picture : page.experiments[i].pictures) {
      const std::vector<const Run*> runs = runs_of(picture, measured.experiments[i], measured);
      if (runs.empty()) continue;
      const fs::path target = out.parent_path() / picture_link(page.experiments[i], picture, out);
      const auto [at, fresh] = pictures.emplace(target, read_picture(picture, runs, target));
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

std::vector<const Run*> runs_of(const Picture& picture, const MeasuredExperiment& experiment,
                                const Measured& measured) {
  std::vector<std::string> names = picture.curves;
  if (names.empty() && !picture.run.empty()) names = {picture.run};
  if (names.empty() && !experiment.runs.empty()) return {&experiment.runs.front()};
  std::vector<const Run*> runs;
  for (const std::string& name : names) {
    const Run* found = nullptr;
    for (const MeasuredExperiment& each : measured.experiments)
      for (const Run& run : each.runs)
        if (run.name == name) found = &run;
    if (found == nullptr) return {};
    runs.push_back(found);
  }
  return runs;
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
