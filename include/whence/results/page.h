// A page of results is data: a TOML file that names experiments, the run folders of each (one a seed), the figures to
// show and the bars they must reach. `whence results --reference` lists its keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whence::results {

/// What a figure must reach, in the unit it is shown in.
struct Bar {
  bool at_least = true;  ///< otherwise at most
  double value = 0;

  bool reached_by(double figure) const { return at_least ? figure >= value : figure <= value; }
  double missed_by(double figure) const { return at_least ? value - figure : figure - value; }
};
/// ">= 1.069" or "<= 22.1". Nothing when `text` is neither.
std::optional<Bar> parse_bar(std::string_view text);

/// What a text says of a figure: a number in the unit shown, words ("52 to 56 %"), or nothing.
struct Quoted {
  std::optional<double> number;
  std::string words;
};

/// One row of an experiment's table.
struct Figure {
  std::string metric;  ///< see run/metrics.h; one that is named there brings name, unit and digits
  std::string name, unit;
  int digits = 3;  ///< after the point
  Quoted stated, reference;
  std::optional<Bar> bar;
  std::string place;  ///< "results.toml:12", for errors
};

struct Picture {
  std::string file;  ///< in the run's folder
  std::string caption;
  std::string run;  ///< empty: the experiment's first that is finished
  std::vector<std::string>
      curves;  ///< the runs whose training curves it is to show; empty: it is a run's file
  std::string place;
};

struct Experiment {
  std::string name;
  std::filesystem::path recipe;  ///< relative to the current folder; empty: none
  std::vector<std::string> settings;
  std::vector<std::string> before;                ///< commands that its runs need to have been run
  std::string source, stated, shortfall, remark;  ///< Markdown
  std::vector<std::string> runs;                  ///< folders below the one with all runs
  std::vector<Figure> figures;
  std::vector<Picture> pictures;
  std::string place;

  std::string anchor() const;  ///< its heading's on the page, and the name of its folder of pictures
};

struct Page {
  std::filesystem::path file;
  std::string title, introduction;
  std::optional<Bar> hours;  ///< of all recipes together
  std::vector<Experiment> experiments;
};

/// Errors (usage), each with file, line, key and what is allowed: not TOML, an unknown key (names the nearest), a
/// wrong type, a bar that cannot be read, a missing name, two experiments whose names make the same anchor.
Page load_page(const std::filesystem::path& file);

/// Every key, unit and named metric, in Markdown.
std::string page_reference();

}  // namespace whence::results
