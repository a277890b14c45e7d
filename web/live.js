// The parts of a report that answer back. Each is an element with data-live, the name of a script of JSON that says which part it is (widget) and
// what it works on. Everything is computed in the page; nothing is fetched or sent.
"use strict";

const WhenceLive = (() => {
  class Models {
    constructor(run, plain) {
      const bytes = WhenceParts.bytesOf(run.weights);
      const module = plain ? null : WhenceNetwork.compile(WhenceParts.bytesOf(run.kernel));
      const built = network => network && WhenceNetwork.build(network, bytes, module);
      this.decoder = built(run.decoder);
      this.encoder = built(run.encoder);
      this.classifier = built(run.classifier);
    }
    decode(code) { return this.decoder(code)[0]; }
    encode(image) { return Float32Array.from(this.encoder(image)[0]); }
    logits(image) { return this.classifier(image)[0]; }
    classify(image) { return this.classifier && WhenceNetwork.softmax(this.logits(image)); }
  }

  /** The largest difference from what whence computed for the stored codes. */
  function differenceOf(run, models) {
    let largest = 0;
    for (const check of run.checks) {
      const stored = new Float32Array(WhenceParts.bytesOf(check.image).buffer), image = models.decode(Float32Array.from(check.code));
      for (let i = 0; i < stored.length; ++i) largest = Math.max(largest, Math.abs(stored[i] - image[i]));
      const answers = models.classify(image);
      if (answers) answers.forEach((p, i) => { largest = Math.max(largest, Math.abs(p - check.probabilities[i])); });
    }
    return largest;
  }

  const data = id => JSON.parse(document.getElementById(id).textContent), known = new Map();
  /** A run's networks, which several parts of the page share. */
  function networks(id, run = data(id)) {
    if (!known.has(id)) {
      let models;
      try { models = new Models(run, false); } catch (error) { models = new Models(run, true); }
      known.set(id, {run, models, difference: differenceOf(run, models)});
    }
    return known.get(id);
  }

  const widgets = {
    bench: (root, own, id) => WhenceBench.start(root, own, networks(id, own)),
    maps: (root, own) => WhenceMaps.start(root, own),
    swap: (root, own) => WhenceSwap.start(root, own, networks(own.networks)),
  };
  function start() {
    for (const root of document.querySelectorAll("[data-live]")) {
      const id = root.dataset.live, own = data(id);
      widgets[own.widget ?? "bench"](root, own, id);
    }
  }

  return {start, networks};
})();

WhenceLive.start();
