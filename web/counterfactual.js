// The search of `whence counterfactual` in a page: the smallest move of the causal factors after which the classifier gives another answer. Along fixed
// rays outwards, shell by shell, then the best ray is turned towards the boundary's normal for as long as that shortens the move. The page
// has no gradients: it takes differences.
"use strict";

const WhenceCounterfactual = (() => {
  const tolerance = 1e-3, clear = 1e-4, difference = 1e-2, turns = 12, shares = [1, 0.5, 0.25, 0.125];
  const length = v => Math.hypot(...v);
  const unit = v => { const l = Math.max(1e-30, length(v)); return v.map(x => x / l); };
  const times = (v, factor) => v.map(x => x * factor);

  /** K = 1: both ways. K = 2: even angles. More: the axes and random directions, always the same, each with its opposite. */
  function directions(causal) {
    if (causal === 1) return [[1], [-1]];
    if (causal === 2) return Array.from({length: 16}, (_, i) => [Math.cos(i * Math.PI / 8), Math.sin(i * Math.PI / 8)]);
    let state = 1;
    const uniform = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return (state + 1) / 2 ** 32; };
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const half = Array.from({length: 8 * causal}, (_, i) =>
      i < causal ? Array.from({length: causal}, (_, k) => Number(k === i)) : unit(Array.from({length: causal}, normal)));
    return [...half, ...half.map(v => times(v, -1))];
  }

  /** Yields after every image that it looks at; returns {move, distance, to}, or null where there is none up to `radius`. `logits(code)`; `to`: the class
      asked for, or -1 for any but the one before. */
  function* search(logits, code, causal, to = -1, radius = 4) {
    const outputs = move => { const at = Float32Array.from(code); move.forEach((d, k) => { at[k] += d; }); return Array.from(logits(at)); };
    const first = outputs(Array(causal).fill(0)), from = first.indexOf(Math.max(...first));
    yield;
    if (from === to) return {move: Array(causal).fill(0), distance: 0, to};
    const targets = first.map((_, i) => i).filter(i => to < 0 ? i !== from : i === to);
    /** By how much the new class leads, in logits. */
    function* margin(move) {
      const values = outputs(move);
      yield;
      return Math.max(...targets.map(t => values[t] - Math.max(...values.filter((_, i) => i !== t)))) - clear;
    }
    function* gradient(move) {
      const slopes = [];
      for (let k = 0; k < causal; ++k) {
        const shifted = by => move.map((d, i) => i === k ? d + by : d);
        slopes.push((yield* margin(shifted(difference))) - (yield* margin(shifted(-difference))));
      }
      return unit(slopes);
    }
    /** Where between the two lengths the answer changes. */
    function* bisect(direction, below, above) {
      while (above - below > tolerance) {
        const middle = (below + above) / 2;
        if ((yield* margin(times(direction, middle))) > 0) above = middle; else below = middle;
      }
      return above;
    }
    const alpha = Array.from(code).slice(0, causal), limit = Math.max(radius, length(alpha));
    const wayOut = direction => {
      const along = alpha.reduce((sum, a, k) => sum + a * direction[k], 0);
      return Math.sqrt(along ** 2 + Math.max(0, limit ** 2 - length(alpha) ** 2)) - along;
    };

    const step = causal === 1 ? 0.1 : 0.25;
    let best = null, open = directions(causal);
    if (causal > 1) open.push(yield* gradient(Array(causal).fill(0)));
    for (let inner = 0; open.length > 0 && best === null; inner += step) {
      for (const direction of open) {
        const outer = Math.min(wayOut(direction), inner + step);
        if (!((yield* margin(times(direction, outer))) > 0)) continue;
        const distance = yield* bisect(direction, inner, outer);
        if (best === null || distance < best.distance) best = {direction, distance};
      }
      open = open.filter(direction => wayOut(direction) > inner + step);
    }
    if (best === null) return null;
    for (let turn = 0; causal > 1 && turn < turns; ++turn) {
      const shorter = best.distance - tolerance, normal = yield* gradient(times(best.direction, best.distance));
      let better = null;
      for (const share of shares) {
        const direction = unit(best.direction.map((d, k) => (1 - share) * d + share * normal[k]));
        if (shorter <= 0 || shorter > wayOut(direction)) continue;
        const lead = yield* margin(times(direction, shorter));
        if (lead > 0 && (better === null || lead > better.lead)) better = {direction, lead};
      }
      if (better === null) break;
      best = {direction: better.direction, distance: yield* bisect(better.direction, 0, shorter)};
    }
    const move = times(best.direction, best.distance), after = outputs(move);
    return {move, distance: best.distance, to: after.indexOf(Math.max(...after))};
  }

  return {search};
})();

if (typeof module !== "undefined") module.exports = WhenceCounterfactual;
