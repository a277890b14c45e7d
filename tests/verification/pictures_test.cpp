// Pictures as Python's Pillow reads, scales and greys them.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/python.h"
#include "whence/data/idx.h"
#include "whence/data/pictures.h"

namespace whence::data {
namespace {

std::int64_t difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kLong) - b.to(at::kLong)).abs().max().item<std::int64_t>();
}

class Pillow : public testing::Test {
 protected:
  void SetUp() override {
    WHENCE_REQUIRE_PYTHON(python, "PIL, numpy");
    const test::ProgramResult run =
        test::run_python(python, "verification/make_pictures.py", {folder_.path().string()});
    ASSERT_EQ(run.exit_code, 0) << run.output;
  }
  at::Tensor picture(const std::string& name) { return read_picture(folder_ / name); }
  at::Tensor truth(const std::string& name) { return read_idx(folder_ / (name + ".idx")); }

  test::TemporaryFolder folder_;
};

TEST_F(Pillow, ReadsTheSamePng) {
  for (const char* name :
       {"grey.png", "rgb.png", "bits.png", "palette.png", "palette256.png", "deep.png", "gamma.png"}) {
    EXPECT_TRUE(at::equal(picture(name), truth(name))) << name;
  }
}

TEST_F(Pillow, ReadsTheSameJpeg) {
  for (const char* name :
       {"grey.jpg", "rgb.jpg", "subsampled.jpg", "progressive.jpg", "cmyk.jpg", "extraneous.jpg"}) {
    ASSERT_EQ(picture(name).sizes(), truth(name).sizes()) << name;
    EXPECT_LE(difference(picture(name), truth(name)), 1) << name;
  }
}

TEST_F(Pillow, ScalesAndGreysAlike) {
  const at::Tensor photo = picture("photo.png").unsqueeze(0);
  EXPECT_LE(difference(to_form(photo, {{10, 13}})[0], truth("small")), 1);
  EXPECT_LE(difference(to_form(photo, {{80, 104}})[0], truth("large")), 1);
  EXPECT_LE(difference(to_form(picture("rgb.png").unsqueeze(0), {{}, Colours::grey})[0], truth("luminance")),
            1);
}

}  // namespace
}  // namespace whence::data
