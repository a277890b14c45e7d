// node check_counterfactuals.js FILE network.js counterfactual.js: searches in the networks of FILE as a report's page does, and compares with what whence found.
// Exit code 1 where a move does not change the answer, or is longer than FILE allows, or more
// of them are not found.
"use strict";
const fs = require("fs");
const [, , file, script, searching] = process.argv;
const WhenceNetwork = require(script), {search} = require(searching);
let wrong = 0;
for (const test of JSON.parse(fs.readFileSync(file))) {
  const bytes = Uint8Array.from(test.weights);
  const [decode, classify] = [test.decoder, test.classifier].map(network => WhenceNetwork.build(network, bytes, null));
  const logits = code => classify(decode(code)[0])[0];
  let misses = 0;
  const best = values => values.indexOf(Math.max(...values));
  test.codes.forEach((code, i) => {
    const steps = search(logits, Float32Array.from(code), test.causal, test.to);
    let next = steps.next();
    while (!next.done) next = steps.next();
    const found = next.value, expected = test.distances[i];
    let said;
    if (found === null) said = expected === null || misses++ < test.misses ? null : `nothing, and whence ${expected}`;
    else {
      const moved = Float32Array.from(code, (value, k) => value + (found.move[k] ?? 0)), answer = best(Array.from(logits(moved)));
      const asked = test.to < 0 ? answer !== best(Array.from(logits(Float32Array.from(code)))) : answer === test.to;
      if (!asked || answer !== found.to) said = `a move to ${answer}, which it calls ${found.to}`;
      else if (expected === null) said = null;  // a search may find what another one misses
      else if (found.distance > expected * (1 + test.longer) + 2e-3) said = `${found.distance}, and whence ${expected}`;
      else said = null;
    }
    if (said !== null) { ++wrong; console.log(`WRONG ${test.name}, code ${i}: ${said}`); }
  });
}
process.exit(wrong ? 1 : 0);
