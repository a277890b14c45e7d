#include "experiment/display.h"

#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;

/// What `use` makes a display of some style print.
template <class Use>
std::string printed(DisplayStyle style, Use use) {
  std::FILE* file = std::tmpfile();
  Display display(style, file);
  use(display);
  display.finish();
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

const Progress kProgress{"explanation", 1200, 8000, {{"C", 1.0312}, {"SSE", 15.2}}};

TEST(Display, ATerminalGetsOneLineThatRenewsItself) {
  const std::string text = printed(DisplayStyle::terminal, [](Display& display) {
    display.show(kProgress);
    display.note("explanation: done");
  });
  EXPECT_EQ(text, "\r\033[Kexplanation  1200/8000  15 %  C 1.031  SSE 15.2\r\033[Kexplanation: done\n");
}

TEST(Display, OtherStreamsGetPlainLinesAndSeldom) {
  const std::string text = printed(DisplayStyle::lines, [](Display& display) {
    for (int i = 0; i < 100; ++i) display.show(kProgress);
    display.note("explanation: done");
  });
  EXPECT_EQ(text, "explanation: done\n");
}

TEST(Display, SilentSaysNothing) {
  EXPECT_EQ(printed(DisplayStyle::silent,
                    [](Display& display) {
                      display.show(kProgress);
                      display.note("x");
                    }),
            "");
}

TEST(Display, RateAndTimeLeftBeginAnewWithTheNextTraining) {
  const std::string text = printed(DisplayStyle::terminal, [](Display& display) {
    display.show({"explanation", 0, 8000, {}});
    display.show({"explanation", 8000, 8000, {}});
    ::usleep(1'200'000);
    display.show({"explanation", 1, 2000, {}});
    ::usleep(200'000);
    display.show({"explanation", 11, 2000, {}});
  });
  const std::string last = text.substr(text.rfind("11/2000"));
  EXPECT_TRUE(contains(last, " steps/s")) << last;  // 10 steps in 0.2 s, not in 1.4 s
  EXPECT_GT(std::stod(last.substr(last.find("%") + 1)), 20) << last;
}

TEST(Display, RateAndTimeLeftCountFromWhereItResumed) {
  const std::string text = printed(DisplayStyle::terminal, [](Display& display) {
    display.show({"explanation", 7000, 8000, {}});
    ::usleep(200'000);
    display.show({"explanation", 7010, 8000, {}});
  });
  EXPECT_TRUE(contains(text, "7010/8000  87 %"));
  EXPECT_TRUE(contains(text, " steps/s  0:"));  // 10 steps in 0.2 s: some 20 s are left
}

TEST(Display, ABarStandsWhereThereAreNoReadings) {
  const Progress half{"x.gz", 4000, 8000, {}, "kB"};
  const auto show = [&](Display& display) { display.show(half); };
  EXPECT_EQ(printed(DisplayStyle::terminal, show), "\r\033[K[==========          ] x.gz  4000/8000  50 %\n");
  const std::string later = printed(DisplayStyle::terminal, [&](Display& display) {
    display.show(half);
    ::usleep(120'000);
    display.show({"x.gz", 4100, 8000, {}, "kB"});
  });
  EXPECT_TRUE(contains(later, " kB/s  0:"));
}

TEST(Display, ClockTimes) {
  EXPECT_EQ(clock_time(0), "0:00");
  EXPECT_EQ(clock_time(418), "6:58");
  EXPECT_EQ(clock_time(3723.4), "1:02:03");
}

}  // namespace
}  // namespace whence::experiment
