// What the kind "gce" adds to a recipe.
#include "kinds/gce/gce.h"

namespace whence::kinds {
namespace {

using namespace config;
using gce::Training;
using Causal = gce::CausalOptions;
using Flow = flow::FlowOptions;

constexpr std::int64_t kMany = 1'000'000'000;
constexpr double kLarge = 1e9;
constexpr auto kEffect = &Training::effect;
constexpr auto kFlow = &EvaluationOptions::flow;

config::Section explanation_section() {
  return {
      "explanation",
      "Training maximises causal_weight C - leak_penalty I(beta; Y) - answer_weight KL(answers) - "
      "manifold_weight departure - lambda (SSE + kl_weight KL). C: the information flow from the alphas to "
      "the "
      "classifier's answer Y, in nats ([estimators.md](estimators.md)); SSE: the squared error of a "
      "reconstruction, "
      "summed over pixels; KL: the divergence of its code from N(0, I), in nats; departure: the squared "
      "error between "
      "what is drawn and what the pretrained autoencoder makes of it. All are means over images or draws.",
      {{"causal", Integer{at(&Training::causal), 1, 1024}, "latents",
        "K, the number of causal factors alpha."},
       {"noncausal", Integer{at(&Training::noncausal), 0, 1024}, "latents",
        "L, the number of other factors beta."},
       {"lambda", Number{at(&Training::lambda), 0, kLarge}, "",
        "Weight of SSE + KL against the causal term C. A larger one gives better images and less flow."},
       {"kl_weight", Number{at(&Training::kl_weight), 0, kLarge}, "",
        "Weight of the KL against SSE (beta of Higgins et al. 2017); 1, as published. Below 1 codes hold "
        "more "
        "of their images, and draws of N(0, I) are less like codes: use latents = \"posterior\" then."},
       {"causal_weight", Number{at(&Training::causal_weight), 0, kLarge}, "",
        "Weight of the causal term C; 0 (and no other weight than lambda) trains a plain variational "
        "autoencoder, a start for others."},
       {"leak_penalty", Number{at(&Training::leak_penalty), 0, kLarge}, "",
        "Weight of the leak I(beta; Y), which is subtracted from the objective."},
       {"answer_weight", Number{at(&Training::answer_weight), 0, kLarge}, "",
        "Weight of the Kullback-Leibler divergence, in nats, from the classifier's answer to an image to its "
        "answer to the image's reconstruction, which is subtracted from the objective. Reconstructions then "
        "keep the classifier's answer. 0, as published: SSE alone decides."},
       {"manifold_weight", Number{at(&Training::manifold_weight), 0, kLarge}, "",
        "Weight of the squared error between generated images and their reconstruction by the pretrained "
        "autoencoder, which is subtracted from the objective. The autoencoder cannot reconstruct patterns "
        "that no image has. Needs explanation.pretraining. 0, as published: the classifier alone decides."},
       {"objective",
        choice(at(kEffect, &Causal::objective), names_to(gce::Objective::independent_conditional)), "",
        "The causal term (O'Shaughnessy et al. 2020, section 3.3). The independent ones also average over "
        "the other alphas and need more draws: with 16 x 2 crossed ones and no correction C ended at 0.57 in "
        "training where 0.38 were measured (Fashion-MNIST 0/3/4, K = 2)."},
       {"inference", choice(at(kEffect, &Causal::inference), names_to(gce::Inference::variational)), "",
        "How training estimates p(y | alpha): by averages over the draws of beta, or by a small network that "
        "is trained as well (the variational bound; nested sampling with 1 draw of beta is then enough)."},
       {"latents", choice(at(kEffect, &Causal::latents), names_to(gce::Latents::posterior)), "",
        "The latents of the causal term: draws of the prior N(0, I), as published, or codes of the step's "
        "images, each image's alphas with the betas of others. Codes keep generated images near the data."},
       {"sampling",
        choice(at(kEffect, &Causal::estimator, &flow::Estimator::sampling),
               names_to(flow::Sampling::crossed)),
        "",
        "Whether each draw of alpha has its own draws of beta (nested, as published) or all share them "
        "(crossed)."},
       {"outer_draws",
        choice(at(kEffect, &Causal::estimator, &flow::Estimator::outer_draws),
               names_to(flow::Placement::stratified)),
        "",
        "How the draws of alpha are spread: independent, as published; in pairs a, -a; scrambled Sobol "
        "points; or one from each cell of equal probability (least noise)."},
       {"correction",
        choice(at(kEffect, &Causal::estimator, &flow::Estimator::correction),
               names_to(flow::Correction::jackknife)),
        "", "Bias correction of the causal term in training."},
       {"alpha_samples", Integer{at(kEffect, &Causal::alpha_samples), 2, 100'000}, "draws",
        "Draws of alpha in a step; with explanation.latents = \"posterior\" there is one for each image "
        "instead."},
       {"beta_samples", Integer{at(kEffect, &Causal::beta_samples), 1, 100'000}, "draws",
        "Draws of beta for each draw of alpha; averages need at least 2."},
       {"pretraining", Integer{at(&Training::pretraining), 0, kMany}, "",
        "Steps of training the autoencoder alone, first. The K latents with the largest information flow "
        "then become alpha. For deep networks, which otherwise have hardly any meaningful latents when the "
        "causal term starts."},
       {"steps", Integer{at(&Training::steps), 0, kMany}, "",
        "Steps of training; 0 leaves this kind of explanation out."},
       {"batch", Integer{at(&Training::batch), 1, 65'536}, "images", "Images of one step."},
       {"learning_rate", Number{at(&Training::learning_rate), 0, 100, true}, "",
        "Adam's learning rate; the largest of the schedule."},
       {"schedule", choice(at(&Training::schedule), names_to(gce::Schedule::one_cycle)), "",
        "How the learning rate changes over the steps."},
       {"warmup", Number{at(&Training::warmup), 0, 1}, "share of the steps",
        "When a one-cycle schedule reaches its largest learning rate."},
       {"beta1", Number{at(&Training::beta1), 0, 0.999999}, "", "Adam's decay of the mean gradient."},
       {"beta2", Number{at(&Training::beta2), 0, 0.999999}, "",
        "Adam's decay of the mean squared gradient."}}};
}

config::Section evaluation_section() {
  return {
      "evaluation",
      "How the explanation is judged.",
      {{"flow_samples", Pair{at(kFlow, &Flow::outer), at(kFlow, &Flow::inner), 2, 100'000}, "draws",
        "Draws of the factors and, for each, of the rest, that measure the information flow."},
       {"flow_sampling",
        choice(at(kFlow, &Flow::estimator, &flow::Estimator::sampling), names_to(flow::Sampling::crossed)),
        "", "As explanation.sampling, for the measurement."},
       {"flow_outer_draws",
        choice(at(kFlow, &Flow::estimator, &flow::Estimator::outer_draws),
               names_to(flow::Placement::stratified)),
        "", "As explanation.outer_draws, for the measurement."},
       {"flow_correction",
        choice(at(kFlow, &Flow::estimator, &flow::Estimator::correction),
               names_to(flow::Correction::jackknife)),
        "", "Bias correction of the measurement."},
       {"factor_draws", choice(at(kFlow, &Flow::factors), names_to(flow::FactorDraws::shared)), "",
        "Whether each single factor has flow_samples draws of its own, or all share the same ones. Shared "
        "draws cost as much as one factor; use them for dozens of latents."},
       {"ablation_images", Integer{at(&EvaluationOptions::ablation_images), 0, kMany}, "images",
        "Test images, drawn at random, on which each factor is replaced by noise; 0 takes all. With n of "
        "them an accuracy a is known to sqrt(a (1 - a) / n)."}}};
}

config::Section figures_section() {
  return {"figures",
          "The figures.",
          {{"sweep_rows", Integer{at(&FigureOptions::sweep_rows), 1, 64}, "images",
            "Test images in a sweep, spread over the classes."},
           {"sweep_range", Number{at(&FigureOptions::sweep_range), 0, 100, true}, "standard deviations",
            "A sweep adds values from -range to range to one latent."},
           {"sweep_steps", Integer{at(&FigureOptions::sweep_steps), 2, 64}, "images", "Values of a sweep."},
           {"strip_rows", Integer{at(&FigureOptions::strip_rows), 1, 64}, "images",
            "Test images in a high-resolution strip."},
           {"strip_steps", Integer{at(&FigureOptions::strip_steps), 2, 200}, "images", "Values of a strip."},
           {"others", Integer{at(&FigureOptions::others), 0, 1000}, "factors",
            "Non-causal factors that figures show, those with the largest flow; 0 shows all."},
           {"probabilities", Toggle{at(&FigureOptions::probabilities)}, "",
            "Prints the predicted class's probability under each image."}}};
}

}  // namespace

Schema gce_sections() {
  return {explanation_section(),
          evaluation_section(),
          {"trust",
           "Checks of the explanation.",
           {{"randomized", Integer{at(&TrustOptions::randomized), 0, 1000}, "classifiers",
             "Classifiers with random weights in the check; 0: no check."},
            {"other_run", Path{at(&TrustOptions::other_run)}, "",
             "Another run on the same data, for example with another seed, to compare the factors with."}}},
          figures_section()};
}

}  // namespace whence::kinds
