// The report: one self-contained HTML file that opens with the answer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace whence::report {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string caption;
  bool is_answer = false;  ///< what the page is opened for: never folded
};
/// A figure as written by report/figures.h; the SVG is embedded, the PNG linked beside it for copying.
struct FigureRef {
  std::filesystem::path stem;
  std::string caption;
};
/// Paragraphs are plain text (escaped); **bold** is the only markup.
struct Section {
  std::string id, title;
  std::vector<std::string> paragraphs;
  std::vector<Table> tables;
  std::vector<FigureRef> figures;
  bool folded = false;    ///< closed when the page opens (details, machine facts)
  std::string live = {};  ///< JSON for web/live.js, what answers back in the page; empty: nothing
};
/// One number of the first screen.
struct Headline {
  std::string value, label, note;  ///< "1.06 nats", "moves the classifier", "of 1.099 possible, +- 0.004"
  enum class Mood { good, neutral, bad } mood = Mood::neutral;
};
struct Page {
  std::string title, subtitle;
  std::string answer;  ///< one to three sentences: what moves the classifier, what does not, how sure
  std::vector<Headline> headlines;
  std::vector<FigureRef> lead;  ///< at most two figures beside the answer, on the first screen
  std::vector<Section> sections;
};

/// Readable without network and without JavaScript, in print, in dark and light.
void write_page(const Page& page, const std::filesystem::path& file);

}  // namespace whence::report
