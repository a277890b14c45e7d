#include "whence/run/interruptible.h"

#include "whence/core/interrupt.h"

namespace whence::run {
namespace {

class Interruptible : public models::Classifier {
 public:
  explicit Interruptible(std::unique_ptr<models::Classifier> classifier)
      : classifier_(std::move(classifier)) {}

  at::Tensor logits(const at::Tensor& x) const override {
    throw_if_interrupted();
    return classifier_->logits(x);
  }
  std::int64_t classes() const override { return classifier_->classes(); }
  const nn::Network* network() const override { return classifier_->network(); }

 private:
  std::unique_ptr<models::Classifier> classifier_;
};

}  // namespace

std::unique_ptr<models::Classifier> interruptible(std::unique_ptr<models::Classifier> classifier) {
  return std::make_unique<Interruptible>(std::move(classifier));
}

}  // namespace whence::run
