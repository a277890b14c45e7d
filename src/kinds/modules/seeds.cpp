// Whether other seeds find the same modules.
#include "experiment/seeds.h"

#include "kinds/modules/modules.h"
#include "kinds/modules/study.h"

namespace whence::kinds {

void report_modules_seeds(const experiment::SeedSpread& spread, report::Page& page) {
  const std::vector<experiment::SeedRun>& runs = spread.runs();
  std::vector<modularity::Modules> found;
  for (const experiment::SeedRun& run : runs) found.push_back(load_modules(run.folder / kModulesFile));
  report::Table table{{"seeds", "modules", "cosine of their templates"}, {}, ""};
  std::vector<report::FigureRef> figures;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    figures.push_back({runs[i].folder / "figures/modules-maps",
                       fmt::format("Seed {}: templates and maps of channels.", runs[i].seed)});
    for (std::size_t j = i + 1; j < runs.size(); ++j)
      table.rows.push_back({fmt::format("{} and {}", runs[i].seed, runs[j].seed),
                            fmt::format("{} and {}", found[i].rank(), found[j].rank()),
                            fmt::format("{:.3f}", modularity::agreement(found[i], found[j]).cosine)});
  }
  page.sections.push_back(
      {"modules",
       "Agreement between seeds: modules",
       {"Templates of two trainings, matched for the largest sum of cosines; a module without a counterpart "
        "counts as 0. Channels of two trainings have nothing to do with each other, so that their labels "
        "cannot be compared. Give modules.rank for equal numbers of modules."},
       {table},
       figures});
}

}  // namespace whence::kinds
