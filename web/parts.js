// What every page of whence draws with: elements, images, maps over them, a classifier's answer.
"use strict";

const WhenceParts = (() => {
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value); else made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /** Bytes of a base64 text. */
  function bytesOf(text) {
    const binary = atob(text), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  /** Draws (C, H, W) values from `at` on; `white` is the brightest. */
  function paint(canvas, values, [channels, height, width], white = 1, at = 0) {
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d"), pixels = context.createImageData(width, height), area = height * width;
    for (let i = 0; i < area; ++i) {
      for (let c = 0; c < 3; ++c)
        pixels.data[4 * i + c] = 255 / white * Math.min(white, Math.max(0, values[at + (channels === 3 ? c * area + i : i)]));
      pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
  }

  /** A map (H, W) to lay over the image: red speaks for the class, blue against it; two hues that colour-blind people tell apart. Returns the
      largest size of a value, which is opaque. */
  function paintMap(canvas, values, [, height, width]) {
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
    let largest = 1e-30;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    values.forEach((value, i) => {
      const colour = value > 0 ? [213, 60, 0] : [0, 90, 200];
      for (let c = 0; c < 3; ++c) pixels.data[4 * i + c] = colour[c];
      pixels.data[4 * i + 3] = 255 * Math.abs(value) / largest;
    });
    context.putImageData(pixels, 0, 0);
    return largest;
  }

  /** A canvas for images of this shape, about 196 pixels wide. */
  function canvas(label, [, height, width]) {
    return element("canvas", {width, height, role: "img", "aria-label": label, style: `width:${width * Math.max(1, Math.round(196 / width))}px`});
  }

  const captioned = (picture, ...caption) => element("figure", {}, picture, element("figcaption", {}, ...caption));
  const button = (text, onclick, attributes = {}) => element("button", {type: "button", onclick, ...attributes}, text);
  const pixelsOf = text => Float32Array.from(bytesOf(text), byte => byte / 255);

  /** A row of test images; `choose` is called with the number of the one that is pressed. */
  function thumbnails(name, samples, shape, choose) {
    const row = element("div", {class: "thumbnails", role: "group", "aria-label": name}, ...samples.map((sample, i) => {
      const small = element("canvas", {"aria-hidden": "true"});
      paint(small, pixelsOf(sample.image), shape);
      return element("button", {type: "button", title: `an image of class ${sample.label}`, "aria-label": `${name}: ${i + 1}, class ${sample.label}`, onclick: () => choose(i)}, small);
    }));
    return {row, press: chosen => [...row.children].forEach((each, i) => each.setAttribute("aria-pressed", i === chosen))};
  }

  /** What the classifier says: a sentence, and a bar for each class. */
  function answers(classes, colours) {
    const said = element("p", {class: "said", "aria-live": "polite"});
    const bars = classes.map((name, i) => {
      const bar = element("span", {class: "bar", style: `--colour:${colours[i % colours.length]}`}), value = element("span", {class: "value"});
      return {row: element("div", {class: "answer-row"}, element("span", {class: "name"}, name), element("span", {class: "track"}, bar), value), bar, value};
    });
    function show(probabilities) {
      const best = probabilities.indexOf(Math.max(...probabilities));
      probabilities.forEach((p, i) => {
        bars[i].bar.style.width = `${100 * p}%`;
        bars[i].value.textContent = `${(100 * p).toFixed(1)} %`;
        bars[i].row.classList.toggle("chosen", i === best);
      });
      const text = `The classifier says: ${classes[best]}`;
      if (said.textContent !== text) said.textContent = text;  // what does not change is not read aloud again
    }
    return {place: element("div", {class: "answers"}, said, ...bars.map(each => each.row)), show};
  }

  return {element, bytesOf, paint, paintMap, canvas, captioned, button, pixelsOf, thumbnails, answers};
})();
