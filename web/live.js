// The part of a report that answers back: sliders for the latent factors, the image that the decoder makes of them, and what the classifier
// says of it. Everything is computed in the page (network.js); nothing is fetched or sent.
"use strict";

const WhenceLive = (() => {
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value); else made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  /** Draws (C, H, W) floats in [0, 1]. */
  function paint(canvas, values, [channels, height, width]) {
    const context = canvas.getContext("2d"), pixels = context.createImageData(width, height), area = height * width;
    for (let i = 0; i < area; ++i) {
      for (let c = 0; c < 3; ++c) pixels.data[4 * i + c] = 255 * Math.min(1, Math.max(0, values[channels === 3 ? c * area + i : i]));
      pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
  }

  /** A picture file in the form of the run's images: scaled to cover them, its middle kept, as (C, H, W) floats. */
  async function picture(file, [channels, height, width]) {
    const bitmap = await createImageBitmap(file), scale = Math.max(width / bitmap.width, height / bitmap.height);
    const canvas = element("canvas", {width, height}), context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    const w = bitmap.width * scale, h = bitmap.height * scale;
    context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
    const {data} = context.getImageData(0, 0, width, height), area = width * height, values = new Float32Array(channels * area);
    for (let i = 0; i < area; ++i)
      if (channels === 3) for (let c = 0; c < 3; ++c) values[c * area + i] = data[4 * i + c] / 255;
      else values[i] = (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
    return values;
  }

  class Models {
    constructor(run, plain) {
      const bytes = WhenceNetwork.bytesOf(run.weights);
      const module = plain ? null : WhenceNetwork.compile(WhenceNetwork.bytesOf(run.kernel));
      const built = network => network && WhenceNetwork.build(network, bytes, module);
      this.decoder = built(run.decoder);
      this.encoder = built(run.encoder);
      this.classifier = built(run.classifier);
    }
    decode(code) { return this.decoder(code)[0]; }
    encode(image) { return Float32Array.from(this.encoder(image)[0]); }
    classify(image) { return this.classifier && WhenceNetwork.softmax(this.classifier(image)[0]); }
  }

  /** The largest difference from what whence computed for the stored codes. */
  function difference(run, models) {
    let largest = 0;
    for (const check of run.checks) {
      const stored = new Float32Array(WhenceNetwork.bytesOf(check.image).buffer), image = models.decode(Float32Array.from(check.code));
      for (let i = 0; i < stored.length; ++i) largest = Math.max(largest, Math.abs(stored[i] - image[i]));
      const answers = models.classify(image);
      if (answers) answers.forEach((p, i) => { largest = Math.max(largest, Math.abs(p - check.probabilities[i])); });
    }
    return largest;
  }

  function start(root, run) {
    let models;
    try { models = new Models(run, false); } catch (error) { models = new Models(run, true); }
    const shape = run.image, [, height, width] = shape, count = run.factors.length;
    const zoom = Math.max(1, Math.round(196 / width));
    const range = 4;
    let sample = 0, original = null, start = null, code = null, playing = null;

    const canvas = label => element("canvas", {width, height, role: "img", "aria-label": label, style: `width:${width * zoom}px`});
    const before = canvas("the original image"), after = canvas("the image that the decoder makes of the factors");
    const bars = run.classes.map((name, i) => {
      const bar = element("span", {class: "bar", style: `--colour:${run.colours[i % run.colours.length]}`}), value = element("span", {class: "value"});
      return {row: element("div", {class: "answer-row"}, element("span", {class: "name"}, name), element("span", {class: "track"}, bar), value), bar, value};
    });
    const said = element("p", {class: "said", "aria-live": "polite"});
    const sliders = run.factors.map((factor, i) => {
      const input = element("input", {type: "range", min: -range, max: range, step: 0.05, "aria-label": factor.name, oninput: () => { stop(); set(i, Number(input.value)); }, onchange: redrawPlane});
      const value = element("output");
      const play = element("button", {type: "button", title: `Move ${factor.name} to and fro`, "aria-label": `play ${factor.name}`, "aria-pressed": "false", onclick: () => toggle(i)}, "▶");
      const row = element("label", {class: factor.causal ? "factor causal" : "factor"}, element("span", {class: "name"}, factor.name), input, value);
      return {input, value, play, row: element("div", {class: "factor-row"}, row, play)};
    });
    const thumbnails = element("div", {class: "thumbnails", role: "group", "aria-label": "test images"});
    const note = element("p", {class: "note"});

    function show() {
      const image = models.decode(code);
      paint(after, image, shape);
      sliders.forEach(({input, value}, i) => {
        input.value = code[i];
        value.textContent = code[i].toFixed(2);
        value.title = `the image's own value is ${start[i].toFixed(2)}`;
      });
      const answers = models.classify(image);
      if (!answers) return;
      let best = 0;
      answers.forEach((p, i) => {
        bars[i].bar.style.width = `${100 * p}%`;
        bars[i].value.textContent = `${(100 * p).toFixed(1)} %`;
        if (p > answers[best]) best = i;
      });
      bars.forEach(({row}, i) => row.classList.toggle("chosen", i === best));
      const text = `The classifier says: ${run.classes[best]}`;
      if (said.textContent !== text) said.textContent = text;
    }
    function set(i, value) { code[i] = value; show(); }
    function choose(i) {
      stop();
      sample = i;
      original = run.samples[i].pixels;
      start = Float32Array.from(run.samples[i].code);
      code = start.slice();
      [...thumbnails.children].forEach((t, j) => t.setAttribute("aria-pressed", j === i));
      paint(before, original, shape);
      show();
      redrawPlane();
    }
    function showPlaying(i, moves) {
      sliders[i].play.textContent = moves ? "⏸" : "▶";
      sliders[i].play.setAttribute("aria-pressed", moves);  // its name stays, for those who do not see the sign
    }
    function stop() {
      if (playing) cancelAnimationFrame(playing.frame);
      if (playing) showPlaying(playing.factor, false);
      playing = null;
    }
    function toggle(i) {
      const same = playing && playing.factor === i;
      stop();
      if (same) return redrawPlane();
      const begun = performance.now(), phase = Math.asin(Math.max(-1, Math.min(1, code[i] / 3)));
      const step = now => { set(i, 3 * Math.sin(phase + (now - begun) / 1000)); playing.frame = requestAnimationFrame(step); };
      playing = {factor: i, frame: requestAnimationFrame(step)};
      showPlaying(i, true);
    }

    // Two factors as a plane.
    const cells = 9, plane = element("div", {class: "plane", hidden: ""});
    const options = () => run.factors.map((f, i) => element("option", {value: i}, f.name));
    const across = element("select", {"aria-label": "factor across", onchange: drawPlane}, ...options());
    const down = element("select", {"aria-label": "factor upwards", onchange: drawPlane}, ...options());
    down.value = String(Math.min(1, count - 1));
    const grid = element("canvas", {width: cells * (width + 4), height: cells * (height + 4), role: "img", "aria-label": "images over two factors; click to choose one", onclick: event => {
      const box = grid.getBoundingClientRect(), at = (p, whole) => Math.min(cells - 1, Math.floor(p / whole * cells));
      code[across.value] = valueAt(at(event.clientX - box.left, box.width));
      code[down.value] = -valueAt(at(event.clientY - box.top, box.height));
      stop(); show();
    }});
    const valueAt = i => -3 + 6 * i / (cells - 1);
    let drawing = 0;
    function drawPlane() {
      const mine = ++drawing, context = grid.getContext("2d"), tile = element("canvas", {width, height}), at = code.slice();
      let cell = 0;
      const some = () => {
        if (mine !== drawing) return;
        for (const end = performance.now() + 12; cell < cells * cells && performance.now() < end; ++cell) {
          const column = cell % cells, row = Math.floor(cell / cells);
          at[across.value] = valueAt(column);
          at[down.value] = -valueAt(row);
          const image = models.decode(at);
          paint(tile, image, shape);
          const answers = models.classify(image);
          context.fillStyle = answers ? run.colours[answers.indexOf(Math.max(...answers)) % run.colours.length] : "#888";
          context.fillRect(column * (width + 4), row * (height + 4), width + 4, height + 4);
          context.drawImage(tile, column * (width + 4) + 2, row * (height + 4) + 2);
        }
        if (cell < cells * cells) requestAnimationFrame(some);
      };
      some();
    }
    /** After any change but a move in the plane itself: it shows what the other factors' values give. */
    function redrawPlane() { if (!plane.hidden) drawPlane(); }
    plane.append(element("p", {}, "Across: ", across, " upwards: ", down, ". Borders are the classifier's answer; both go from −3 to 3. Click an image to take its values."), grid);

    const button = (text, onclick) => element("button", {type: "button", onclick}, text);
    const own = element("input", {type: "file", accept: "image/*", onchange: async () => {
      if (!own.files.length) return;
      try {
        original = await picture(own.files[0], shape);
        start = models.encode(original);
        code = start.slice();
        stop(); paint(before, original, shape); show(); redrawPlane();
        note.textContent = "Your picture was scaled to the size of the run's images; it stays on this computer.";
      } catch (error) { note.textContent = "This file cannot be read as a picture."; }
    }});
    const tools = element("div", {class: "tools"},
      button("Back to the image", () => { stop(); code = start.slice(); show(); redrawPlane(); }),
      button("Plane of two factors", () => { plane.hidden = !plane.hidden; redrawPlane(); }),
      button("Copy link", async () => {
        // Not location.hash: the page would take it for a link that somebody opens.
        history.replaceState(null, "", `#try=${sample};${[...code].map(v => v.toFixed(2)).join(",")}`);
        try { await navigator.clipboard.writeText(location.href); note.textContent = "The link is copied; it opens this page with these values."; }
        catch (error) { note.textContent = "The link stands in the address bar."; }
      }),
      button("Download image", () => element("a", {href: after.toDataURL("image/png"), download: "whence.png"}).click()));
    if (models.encoder) tools.append(element("label", {class: "own"}, "Your own picture: ", own));

    for (const [i, each] of run.samples.entries()) {
      each.pixels = Float32Array.from(WhenceNetwork.bytesOf(each.image), v => v / 255);
      const small = element("canvas", {width, height, "aria-hidden": "true"});
      paint(small, each.pixels, shape);
      thumbnails.append(element("button", {type: "button", title: `a test image of class ${each.label}`, "aria-label": `test image ${i + 1}, class ${each.label}`, onclick: () => { note.textContent = ""; choose(i); }}, small));
    }
    root.replaceChildren(thumbnails,
      element("div", {class: "bench"},
        element("div", {class: "images"}, element("figure", {}, before, element("figcaption", {}, "test image")), element("figure", {}, after, element("figcaption", {}, "decoded from the factors"))),
        element("div", {class: "factors"}, ...sliders.map(s => s.row)),
        element("div", {class: "answers"}, said, ...(models.classifier ? bars.map(b => b.row) : []))),
      tools, plane, note);
    /** Takes the values of a link, if the page's address has some. */
    function follow() {
      const link = /^#try=(\d+);([-\d.,]+)$/.exec(location.hash);
      if (!link || Number(link[1]) >= run.samples.length) return;
      choose(Number(link[1]));
      const values = link[2].split(",").map(Number);
      if (values.length === count && values.every(Number.isFinite)) { code = Float32Array.from(values); show(); redrawPlane(); }
    }
    choose(0);
    follow();
    addEventListener("hashchange", follow);  // a link that is opened in a page that is open already
    const off = difference(run, models), right = off <= run.tolerance;
    root.append(element("p", {class: right ? "checked" : "checked wrong"}, right
      ? `This page computes what whence computed: checked on ${run.checks.length} stored codes, largest difference ${off.toExponential(0)}. ${run.remark}`
      : `This page does not compute what whence computed (largest difference ${off.toPrecision(2)}); do not trust the images above.`));
    root.dataset.difference = off;
  }

  return {start, Models, difference};
})();

if (typeof document !== "undefined")
  for (const root of document.querySelectorAll("[data-live]")) WhenceLive.start(root, JSON.parse(document.getElementById(root.dataset.live).textContent));
if (typeof module !== "undefined") module.exports = WhenceLive;
