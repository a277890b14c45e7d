// The bench of a report: sliders for the latent factors, the image that the decoder makes of them, and what the classifier says of it.
"use strict";

const WhenceBench = (() => {
  const {element, paint, canvas, captioned, button, pixelsOf, thumbnails, answers} = WhenceParts;
  const range = 4;  // of a slider, and how far out a counterfactual is looked for

  /** A picture file in the form of the run's images: scaled to cover them, its middle kept, as (C, H, W) floats. */
  async function picture(file, [channels, height, width]) {
    const bitmap = await createImageBitmap(file), scale = Math.max(width / bitmap.width, height / bitmap.height);
    const drawn = element("canvas", {width, height}), context = drawn.getContext("2d");
    context.imageSmoothingQuality = "high";
    const w = bitmap.width * scale, h = bitmap.height * scale;
    context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
    const {data} = context.getImageData(0, 0, width, height), area = width * height, values = new Float32Array(channels * area);
    for (let i = 0; i < area; ++i)
      if (channels === 3) for (let c = 0; c < 3; ++c) values[c * area + i] = data[4 * i + c] / 255;
      else values[i] = (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
    return values;
  }

  /** Images over two factors. `codeNow()` has the values of the others; `choose(changes)` takes those of the image that is clicked. */
  function planeOf(run, models, codeNow, choose) {
    const [, height, width] = run.image, cells = 9, valueAt = i => -3 + 6 * i / (cells - 1);
    const place = element("div", {class: "plane", hidden: ""});
    const options = () => run.factors.map((f, i) => element("option", {value: i}, f.name));
    const across = element("select", {"aria-label": "factor across", onchange: draw}, ...options());
    const down = element("select", {"aria-label": "factor upwards", onchange: draw}, ...options());
    down.value = String(Math.min(1, run.factors.length - 1));
    const grid = element("canvas", {width: cells * (width + 4), height: cells * (height + 4), role: "img", "aria-label": "images over two factors; click to choose one", onclick: event => {
      const box = grid.getBoundingClientRect(), at = (p, whole) => Math.min(cells - 1, Math.floor(p / whole * cells));
      choose([[across.value, valueAt(at(event.clientX - box.left, box.width))], [down.value, -valueAt(at(event.clientY - box.top, box.height))]]);
    }});
    let drawing = 0;
    function draw() {
      const mine = ++drawing, context = grid.getContext("2d"), tile = element("canvas"), at = codeNow().slice();
      let cell = 0;
      const some = () => {
        if (mine !== drawing) return;
        for (const end = performance.now() + 12; cell < cells * cells && performance.now() < end; ++cell) {
          const column = cell % cells, row = Math.floor(cell / cells);
          at[across.value] = valueAt(column);
          at[down.value] = -valueAt(row);
          const image = models.decode(at);
          paint(tile, image, run.image);
          const said = models.classify(image);
          context.fillStyle = said ? run.colours[said.indexOf(Math.max(...said)) % run.colours.length] : "#888";
          context.fillRect(column * (width + 4), row * (height + 4), width + 4, height + 4);
          context.drawImage(tile, column * (width + 4) + 2, row * (height + 4) + 2);
        }
        if (cell < cells * cells) requestAnimationFrame(some);
      };
      some();
    }
    place.append(element("p", {}, "Across: ", across, " upwards: ", down, ". Borders are the classifier's answer; both go from −3 to 3. Click an image to take its values."), grid);
    /** After any change but a move in the plane itself: it shows what the other factors' values give. */
    const redraw = () => { if (!place.hidden) draw(); };
    return {place, redraw, toggle: () => { place.hidden = !place.hidden; redraw(); }};
  }

  /** A button that finds the smallest change of the causal factors, frame by frame, and moves them there. `take(code)` shows each code on the way. */
  function changeOf(run, models, codeNow, take, say) {
    const causal = run.factors.filter(factor => factor.causal).length;
    const to = element("select", {"aria-label": "the answer that the smallest change leads to"}, element("option", {value: -1}, "another answer"), ...run.classes.map((name, i) => element("option", {value: i}, name)));
    let going = 0;
    function move(from, onto, mine) {
      const begun = performance.now(), step = now => {
        if (mine !== going) return;
        const share = Math.min(1, (now - begun) / 600);
        take(from.map((value, i) => value + share * (onto[i] - value)));
        if (share < 1) requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    }
    function ended(found, from, mine) {
      const wanted = run.classes[to.value] ?? "another answer";
      if (found === null) return say(`No move of ${causal === 1 ? run.factors[0].name : "the causal factors"} within ${range} standard deviations leads to ${wanted}.`);
      if (found.distance === 0) return say(`The classifier says ${wanted} already.`);
      const moves = found.move.map((d, k) => `${run.factors[k].name} by ${d < 0 ? "−" : "+"}${Math.abs(d).toFixed(2)}`).join(", ");
      say(`The smallest change that was found makes it ${run.classes[found.to]}: ${moves} (${found.distance.toFixed(2)} standard deviations).`);
      const onto = from.slice();
      found.move.forEach((d, k) => { onto[k] += d; });
      move(from, onto, mine);
    }
    function go() {
      const from = codeNow().slice(), mine = ++going;  // the first ends what moves, an earlier search too
      const search = WhenceCounterfactual.search(code => models.logits(models.decode(code)), from, causal, Number(to.value), range);
      let looked = 0;
      const some = () => {
        if (mine !== going) return;
        for (const end = performance.now() + 12; performance.now() < end; ++looked) {
          const next = search.next();
          if (next.done) return ended(next.value, from, mine);
        }
        say(`Searching: ${looked} images so far.`);
        requestAnimationFrame(some);
      };
      some();
    }
    return {place: element("span", {class: "change"}, button("Smallest change", go), element("label", {}, " to ", to)), stop: () => { ++going; }};
  }

  function start(root, run, {models, difference}) {
    const shape = run.image, count = run.factors.length;
    let sample = 0, original = null, start = null, code = null, playing = null;

    const before = canvas("the original image", shape), after = canvas("the image that the decoder makes of the factors", shape);
    const said = models.classifier && answers(run.classes, run.colours);
    const sliders = run.factors.map((factor, i) => {
      const input = element("input", {type: "range", min: -range, max: range, step: 0.05, "aria-label": factor.name, oninput: () => { stop(); set(i, Number(input.value)); }, onchange: () => plane.redraw()});
      const value = element("output");
      const play = element("button", {type: "button", title: `Move ${factor.name} to and fro`, "aria-label": `play ${factor.name}`, "aria-pressed": "false", onclick: () => toggle(i)}, "▶");
      const row = element("label", {class: factor.causal ? "factor causal" : "factor"}, element("span", {class: "name"}, factor.name), input, value);
      return {input, value, play, row: element("div", {class: "factor-row"}, row, play)};
    });
    const note = element("p", {class: "note", "aria-live": "polite"}), say = text => { note.textContent = text; };

    function show() {
      const image = models.decode(code);
      paint(after, image, shape);
      sliders.forEach(({input, value}, i) => {
        input.value = code[i];
        value.textContent = code[i].toFixed(2);
        value.title = `the image's own value is ${start[i].toFixed(2)}`;
      });
      if (said) said.show(models.classify(image));
    }
    function set(i, value) { code[i] = value; show(); }
    function choose(i) {
      stop();
      sample = i;
      original = pixelsOf(run.samples[i].image);
      start = Float32Array.from(run.samples[i].code);
      code = start.slice();
      tests.press(i);
      paint(before, original, shape);
      show();
      plane.redraw();
    }
    function showPlaying(i, moves) {
      sliders[i].play.textContent = moves ? "⏸" : "▶";
      sliders[i].play.setAttribute("aria-pressed", moves);  // its name stays, for those who do not see the sign
    }
    function stop() {
      if (change) change.stop();
      if (playing) cancelAnimationFrame(playing.frame);
      if (playing) showPlaying(playing.factor, false);
      playing = null;
    }
    function toggle(i) {
      const same = playing && playing.factor === i;
      stop();
      if (same) return plane.redraw();
      const begun = performance.now(), phase = Math.asin(Math.max(-1, Math.min(1, code[i] / 3)));
      const step = now => { set(i, 3 * Math.sin(phase + (now - begun) / 1000)); playing.frame = requestAnimationFrame(step); };
      playing = {factor: i, frame: requestAnimationFrame(step)};
      showPlaying(i, true);
    }

    const plane = planeOf(run, models, () => code, changes => {
      for (const [i, value] of changes) code[i] = value;
      stop(); show();
    });
    const change = models.classifier && run.factors.some(factor => factor.causal)
      ? changeOf(run, models, () => { stop(); return code; }, moved => { code = moved; show(); plane.redraw(); }, say) : null;
    const own = element("input", {type: "file", accept: "image/*", onchange: async () => {
      if (!own.files.length) return;
      try {
        original = await picture(own.files[0], shape);
        start = models.encode(original);
        code = start.slice();
        stop(); paint(before, original, shape); show(); plane.redraw();
        say("Your picture was scaled to the size of the run's images; it stays on this computer.");
      } catch (error) { say("This file cannot be read as a picture."); }
    }});
    const tools = element("div", {class: "tools"}, ...(change ? [change.place] : []),
      button("Back to the image", () => { stop(); code = start.slice(); show(); plane.redraw(); }),
      button("Plane of two factors", plane.toggle),
      button("Copy link", async () => {
        // Not location.hash: the page would take it for a link that somebody opens.
        history.replaceState(null, "", `#try=${sample};${[...code].map(v => v.toFixed(2)).join(",")}`);
        try { await navigator.clipboard.writeText(location.href); say("The link is copied; it opens this page with these values."); }
        catch (error) { say("The link stands in the address bar."); }
      }),
      button("Download image", () => element("a", {href: after.toDataURL("image/png"), download: "whence.png"}).click()));
    if (models.encoder) tools.append(element("label", {class: "own"}, "Your own picture: ", own));
    const tests = thumbnails(models.encoder ? "test images" : "draws", run.samples, shape, i => { say(""); choose(i); });

    root.replaceChildren(tests.row,
      element("div", {class: "bench"},
        element("div", {class: "images"}, captioned(before, models.encoder ? "test image" : "a draw"), captioned(after, "decoded from the factors")),
        element("div", {class: "factors"}, ...sliders.map(s => s.row)),
        ...(said ? [said.place] : [])),
      tools, plane.place, note);
    /** Takes the values of a link, if the page's address has some. */
    function follow() {
      const link = /^#try=(\d+);([-\d.,]+)$/.exec(location.hash);
      if (!link || Number(link[1]) >= run.samples.length) return;
      choose(Number(link[1]));
      const values = link[2].split(",").map(Number);
      if (values.length === count && values.every(Number.isFinite)) { code = Float32Array.from(values); show(); plane.redraw(); }
    }
    choose(0);
    follow();
    addEventListener("hashchange", follow);  // a link that is opened in a page that is open already
    const right = difference <= run.tolerance;
    root.append(element("p", {class: right ? "checked" : "checked wrong"}, right
      ? `This page computes what whence computed: checked on ${run.checks.length} stored codes, largest difference ${difference.toExponential(0)}. ${run.remark}`
      : `This page does not compute what whence computed (largest difference ${difference.toPrecision(2)}); do not trust the images above.`));
    root.dataset.difference = difference;
  }

  return {start};
})();
