// The page of `whence explore`: the test images as a grid that filters, and searches for the chosen one, which the program carries out.
"use strict";

const WhenceExplore = (() => {
  const $ = id => document.getElementById(id);
  const {element, bytesOf, paint, paintMap} = WhenceParts;
  const percent = share => `${(100 * share).toFixed(1)} %`;

  async function ask(path, body) {
    const answer = await fetch(path, body && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    if (path.startsWith("api/pixels") && answer.ok) return new Uint8Array(await answer.arrayBuffer());
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  }

  let all = null, rows = [], pixels = null, first = 0, total = 0, chosen = null, asked = 0;
  const perPage = 60, filters = ["label", "answer", "right", "differ", "least", "most", "order"];
  const subject = () => all.subjects[Number($("subject").value)];
  const named = (number, of = subject()) => of.classes[number];

  function options(select, entries, kept) {
    select.replaceChildren(...entries.map(([value, text]) => element("option", {value}, text)));
    if (kept !== undefined && entries.some(entry => entry[0] === kept)) select.value = kept;
  }

  function choices() {
    const own = subject(), classes = [["", "any"], ...own.classes.map((name, i) => [String(i), name])];
    options($("other"), [["", "nothing"], ...own.comparable.map(i => [String(i), all.subjects[i].name])], $("other").value);
    options($("label"), classes, $("label").value);
    options($("answer"), classes, $("answer").value);
    const beside = $("other").value !== "";
    $("differ-label").classList.toggle("hidden", !beside);
    if (!beside) $("differ").value = "";
    $("subtitle").textContent = `${own.name}: ${own.images} test images, ${percent(own.accuracy)} right` +
      (own.opaque ? "; an opaque classifier, for which methods that need layers do not work" : "") +
      (beside ? `. Beside it ${all.subjects[Number($("other").value)].name}, ${percent(all.subjects[Number($("other").value)].accuracy)} right` : "");
  }

  function question() {
    const parameters = new URLSearchParams({subject: $("subject").value, first, count: perPage});
    for (const name of filters) if ($(name).value !== "") parameters.set(name, $(name).value);
    if ($("other").value !== "") parameters.set("other", $("other").value);
    return parameters;
  }

  async function show() {
    const mine = ++asked;
    try {
      const found = await ask(`api/grid?${question()}`);
      const bytes = found.rows.length ? await ask(`api/pixels?subject=${$("subject").value}&rows=${found.rows.map(r => r.row).join(",")}`) : null;
      if (mine !== asked) return;  // a later question was faster
      ({rows, total} = found);
      pixels = bytes;
      draw();
    } catch (error) { if (mine === asked) { $("count").textContent = error.message; } }
  }

  function draw() {
    const own = subject(), size = own.shape.reduce((a, b) => a * b, 1), other = $("other").value;
    $("count").textContent = total === 0 ? "No image fits." : `${total} images; ${first + 1} to ${first + rows.length} are shown.`;
    $("back").disabled = first === 0;
    $("on").disabled = first + rows.length >= total;
    $("grid").replaceChildren(...rows.map((row, i) => {
      const canvas = element("canvas", {"aria-hidden": "true"});
      paint(canvas, pixels, own.shape, 255, i * size);
      const wrong = row.label !== row.answer, text = `${wrong ? "✗ " : ""}${named(row.answer)} · ${(100 * row.confidence).toFixed(0)}\u00a0%`;
      const lines = [canvas, element("span", {}, text)];
      let spoken = `image ${row.row}, class ${named(row.label)}, answer ${named(row.answer)}, ${percent(row.confidence)}, ${wrong ? "wrong" : "right"}`;
      if (other !== "") {
        lines.push(element("span", {}, `${row.other === row.answer ? "" : "≠ "}${named(row.other)} · ${(100 * row.other_confidence).toFixed(0)}\u00a0%`));
        spoken += `, beside: ${named(row.other)}`;
      }
      return element("button", {type: "button", class: wrong ? "tile wrong" : "tile", role: "option", "aria-selected": String(chosen === row.row),
        "aria-label": spoken, title: spoken, tabindex: i === 0 ? "0" : "-1", onclick: () => choose(i)}, ...lines);
    }));
  }

  function move(event) {
    const tiles = [...$("grid").children], at = tiles.indexOf(document.activeElement);
    if (at < 0) return;
    const top = tiles[0].offsetTop, columns = Math.max(1, tiles.filter(tile => tile.offsetTop === top).length);
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns}[event.key];
    if (step === undefined || !tiles[at + step]) return;
    event.preventDefault();
    tiles[at].tabIndex = -1;
    tiles[at + step].tabIndex = 0;
    tiles[at + step].focus();
  }

  function imageFigure(entry, own) {
    const canvas = element("canvas", {role: "img", "aria-label": entry.title}), best = entry.probabilities.indexOf(Math.max(...entry.probabilities));
    paint(canvas, bytesOf(entry.image), own.shape, 255);
    return element("figure", {}, canvas, element("figcaption", {}, `${entry.title}: ${named(best, own)}, ${percent(entry.probabilities[best])}`));
  }

  /** Starts a search and follows it in `place`; `done` shows its result. */
  async function follow(place, request, done) {
    let id = null, stopped = false;
    const bar = element("progress", {"aria-label": "progress"}), said = element("span", {class: "note", "aria-live": "polite"}, "waits");
    place.replaceChildren(element("div", {class: "row"}, bar, said, element("button", {type: "button", onclick: () => { stopped = true; if (id) ask("api/stop", {id}); }}, "Stop")));
    const failed = text => place.replaceChildren(element("p", {class: "error", role: "alert"}, text));
    try {
      id = (await ask("api/search", request)).search;
      if (stopped) await ask("api/stop", {id});
      for (;;) {
        const state = await ask(`api/search?id=${id}`);
        if (!place.isConnected) { await ask("api/stop", {id}); return; }  // another image was chosen
        if (state.state === "done") return done(state.result);
        if (state.state === "failed") return failed(state.error);
        if (state.state === "stopped") return place.replaceChildren(element("p", {class: "note"}, "Stopped."));
        if (state.total > 0) { bar.max = state.total; bar.value = state.step; }
        said.textContent = state.stage ?? "waits for other searches";
        await new Promise(resolve => setTimeout(resolve, 200));
      }
    } catch (error) { failed(error.message); }
  }

  function choose(i) {
    const row = rows[i], own = subject(), number = Number($("subject").value), size = own.shape.reduce((a, b) => a * b, 1);
    chosen = row.row;
    [...$("grid").children].forEach((tile, at) => tile.setAttribute("aria-selected", String(at === i)));
    const image = element("canvas", {role: "img", "aria-label": `test image ${row.row}`}), map = element("canvas", {"aria-hidden": "true"});
    paint(image, pixels, own.shape, 255, i * size);
    const opacity = element("input", {type: "range", min: 0, max: 1, step: 0.05, value: 0.8, oninput: () => { map.style.opacity = opacity.value; }});
    map.style.opacity = opacity.value;
    const method = element("select", {}, ...all.methods.map(each => element("option", {value: each.name, title: each.meaning}, each.title)));
    method.value = "integrated_gradients";
    const to = title => element("select", {"aria-label": `to, ${title}`}, element("option", {value: "-1"}, "the nearest"), ...own.classes.map((name, k) => element("option", {value: k}, name)));
    const target = element("select", {}, element("option", {value: "-1"}, "the answer"), ...own.classes.map((name, k) => element("option", {value: k}, name)));
    const mapPlace = element("div"), part = (title, what, meaning, obstacle) => {
      if (obstacle) return [element("h3", {}, title), element("p", {class: "note"}, `Not here: ${obstacle}.`)];
      const place = element("div"), wanted = to(title);
      const go = () => follow(place, {subject: number, row: row.row, what, to: Number(wanted.value)}, result => {
        const text = what === "counterfactual"
          ? result.already ? "The reconstruction is of this class already." : result.found ? `alpha moves by ${result.distance.toFixed(2)} standard deviations.` : "No counterfactual was found."
          : `${result.ending} after ${result.iterations} iterations.`;
        place.replaceChildren(element("p", {}, text), element("div", {class: "images"}, ...result.images.map(entry => imageFigure(entry, own))));
      });
      return [element("h3", {}, title), element("p", {class: "note"}, meaning),
        element("div", {class: "row"}, element("label", {}, "to ", wanted), element("button", {type: "button", "aria-label": `Search: ${title}`, onclick: go}, "Search")), place];
    };
    const attribute = () => follow(mapPlace, {subject: number, row: row.row, what: "attribution", method: method.value, to: Number(target.value)}, result => {
      const values = new Float32Array(bytesOf(result.map).buffer), largest = paintMap(map, values, own.shape);
      const off = result.completeness_error === undefined ? "" : ` Completeness is missed by ${result.completeness_error.toExponential(1)}.`;
      mapPlace.replaceChildren(element("p", {class: "note"}, `${result.title} for ${named(result.target, own)}: red speaks for it, blue against it; the deepest colour is ${largest.toPrecision(2)}. Its score is ${result.score.toFixed(2)}.${off}`));
    });
    const wrong = row.label !== row.answer;
    $("detail").replaceChildren(
      element("h2", {}, `Test image ${row.row}`),
      element("p", {}, `Class ${named(row.label, own)}. The classifier says ${named(row.answer, own)} with ${percent(row.confidence)}, which is ${wrong ? "wrong" : "right"}.` +
        (row.other === undefined ? "" : ` ${all.subjects[Number($("other").value)].name} says ${named(row.other, own)} with ${percent(row.other_confidence)}.`)),
      element("div", {class: "big"}, image, map),
      element("h3", {}, "Which pixels speak for it"),
      element("div", {class: "row"}, element("label", {}, "method ", method), element("label", {}, "class ", target), element("button", {type: "button", onclick: attribute}, "Show")),
      element("div", {class: "row"}, element("label", {}, "opacity ", opacity)), mapPlace,
      ...part("The smallest change of the causes", "counterfactual", "The smallest move of the causal factors that changes the answer.", own.counterfactual),
      ...part("As another class", "morph", "What the image would be as another class.", own.morph),
      ...(own.report ? [element("p", {class: "row"}, element("a", {href: `report?subject=${number}`, target: "_blank", rel: "noopener"}, "The report of this run, with sliders"))] : []));
  }

  async function start() {
    try { all = await ask("api/subjects"); } catch (error) { $("subtitle").textContent = `The program does not answer: ${error.message}`; return; }
    options($("subject"), all.subjects.map((each, i) => [String(i), each.name]));
    choices();
    const changed = () => { first = 0; choices(); show(); };
    $("subject").addEventListener("change", () => { chosen = null; $("detail").replaceChildren(element("p", {}, "Choose an image.")); changed(); });
    for (const name of ["other", ...filters]) $(name).addEventListener("change", changed);
    $("filters").addEventListener("submit", event => { event.preventDefault(); changed(); });
    $("back").addEventListener("click", () => { first = Math.max(0, first - perPage); show(); });
    $("on").addEventListener("click", () => { first += perPage; show(); });
    $("grid").addEventListener("keydown", move);
    const link = new URLSearchParams(location.search);  // ?label=3&right=no, a question as a link
    for (const name of ["subject", "other", ...filters]) if (link.has(name)) $(name).value = link.get(name);
    choices();
    await show();
    if (link.has("choose") && rows[Number(link.get("choose"))]) choose(Number(link.get("choose")));
  }

  return {start};
})();

WhenceExplore.start();
