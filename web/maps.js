// Attribution maps over their images: the method and how much the map covers are chosen.
"use strict";

const WhenceMaps = (() => {
  const {element, bytesOf, paint, paintMap, canvas, captioned, pixelsOf, thumbnails} = WhenceParts;

  function start(root, data) {
    const images = data.samples.map(each => pixelsOf(each.image));
    const before = canvas("the image", data.image), below = canvas("the image below the map", data.image), map = element("canvas", {"aria-hidden": "true"});
    const said = element("p", {class: "said", "aria-live": "polite"}), meaning = element("p", {class: "note"});
    const method = element("select", {"aria-label": "method", onchange: show}, ...data.methods.map((each, i) => element("option", {value: i}, each.title)));
    const opacity = element("input", {type: "range", min: 0, max: 1, step: 0.05, value: 0.8, "aria-label": "opacity of the map", oninput: () => { map.style.opacity = opacity.value; }});
    let sample = 0;
    const choice = thumbnails("explained images", data.samples, data.image, i => { sample = i; show(); });

    function show() {
      const own = data.methods[method.value], {label, target} = data.samples[sample];
      choice.press(sample);
      paint(before, images[sample], data.image);
      paint(below, images[sample], data.image);
      const bytes = new Int8Array(bytesOf(own.maps[sample]).buffer), largest = own.largest[sample];
      paintMap(map, Float32Array.from(bytes, byte => byte / 127 * largest), data.image);
      map.style.opacity = opacity.value;
      said.textContent = largest === 0 ? `The map of ${own.title} is empty for this image.`
        : `The map of ${own.title}: red speaks for ${target}, blue against it; the deepest colour is ${largest.toPrecision(2)}.`;
      meaning.textContent = `${label ? `The image is of class ${label}. ` : ""}${own.meaning}`;
    }

    method.value = Math.max(0, data.methods.findIndex(each => each.name === data.chosen));
    root.replaceChildren(choice.row,
      element("div", {class: "bench"},
        element("div", {class: "images"}, captioned(before, "image"), captioned(element("div", {class: "over"}, below, map), "image and map")),
        element("div", {class: "controls"}, element("label", {}, "Method ", method), element("label", {}, "Opacity ", opacity), said, meaning)));
    show();
  }

  return {start};
})();
