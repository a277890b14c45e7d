// Hybrids in the page: the first image with the channels of some modules from the second (Besserve et al. 2020).
"use strict";

const WhenceSwap = (() => {
  const {element, bytesOf, paint, canvas, captioned, button, thumbnails, answers} = WhenceParts;

  /** The image of `first` whose layer has these channels from `second`. */
  function hybrid(models, layer, first, second, channels) {
    let donor = null;
    models.decoder(second, {layer, with: values => { donor = values.slice(); }});
    return models.decoder(first, {layer, with: values => {
      const size = values.length / layer.channels;
      for (const channel of channels) values.set(donor.subarray(channel * size, (channel + 1) * size), channel * size);
    }})[0];
  }

  /** The largest difference from the hybrid that whence made. */
  function difference(data, run, models) {
    const {first, second, module, image} = data.check, stored = new Float32Array(bytesOf(image).buffer);
    const made = hybrid(models, data.layer, ...[first, second].map(i => Float32Array.from(run.samples[i].code)), data.modules[module].channels);
    return made.reduce((largest, value, i) => Math.max(largest, Math.abs(value - stored[i])), 0);
  }

  function start(root, data, {run, models}) {
    const codes = run.samples.map(each => Float32Array.from(each.code)), taken = new Set([0]);
    let pair = [0, run.samples.length - 1];
    const canvases = ["the first image", "the hybrid", "the second image"].map(label => canvas(label, run.image));
    const choices = ["first image", "second image"].map((name, side) => thumbnails(name, run.samples, run.image, i => { pair[side] = i; show(); }));
    const said = models.classifier && answers(run.classes, run.colours), [, height, width] = run.image;
    const buttons = data.modules.map((each, i) => {
      const template = element("canvas", {"aria-hidden": "true"});
      paint(template, bytesOf(each.template), [1, height, width], 255);
      const made = button("", () => { if (!taken.delete(i)) taken.add(i); show(); }, {"aria-label": `module ${i + 1}, ${each.channels.length} channels`});
      made.replaceChildren(template, element("span", {}, `module ${i + 1}`));
      return made;
    });

    function show() {
      choices.forEach((choice, side) => choice.press(pair[side]));
      buttons.forEach((each, i) => each.setAttribute("aria-pressed", taken.has(i)));
      const [first, second] = pair.map(i => codes[i]), channels = [...taken].flatMap(i => data.modules[i].channels);
      paint(canvases[0], models.decode(first), run.image);
      paint(canvases[2], models.decode(second), run.image);
      const image = hybrid(models, data.layer, first, second, channels);
      paint(canvases[1], image, run.image);
      if (said) said.show(models.classify(image));
    }

    root.replaceChildren(element("p", {class: "note"}, "First image"), choices[0].row, element("p", {class: "note"}, "Second image"), choices[1].row,
      element("div", {class: "bench swap"},
        element("div", {class: "images"}, captioned(canvases[0], "first"), captioned(canvases[1], "with these modules of the second"), captioned(canvases[2], "second")),
        element("div", {class: "modules", role: "group", "aria-label": "modules that come from the second image"}, ...buttons),
        ...(said ? [said.place] : [])));
    show();
    const off = difference(data, run, models), right = off <= run.tolerance;
    root.append(element("p", {class: right ? "checked" : "checked wrong"}, right
      ? `Bright parts of a module's picture are where its channels act. Checked on a hybrid of whence: largest difference ${off.toExponential(0)}.`
      : `This page does not make the hybrids that whence makes (largest difference ${off.toPrecision(2)}); do not trust them.`));
    root.dataset.difference = off;
  }

  return {start, difference};
})();
