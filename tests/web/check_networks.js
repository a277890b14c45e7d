// node check_networks.js FILE network.js gemm.wasm: runs the networks of FILE as a report's page does, with the WebAssembly product and without, and
// prints the largest difference from the outputs in FILE; exit code 1 where one is larger than FILE allows.
"use strict";
const fs = require("fs");
const [, , file, script, kernel] = process.argv;
const WhenceNetwork = require(script);
const module_ = WhenceNetwork.compile(fs.readFileSync(kernel));
let wrong = 0;
for (const test of JSON.parse(fs.readFileSync(file))) {
  for (const [way, compiled] of [["WebAssembly", module_], ["JavaScript", null]]) {
    const run = WhenceNetwork.build(test.network, Uint8Array.from(test.weights), compiled);
    run(test.input.map(v => -v));  // nothing of an earlier image may stay
    const outputs = run(test.input);
    let largest = outputs.length === test.outputs.length ? 0 : Infinity;
    test.outputs.forEach((expected, k) => {
      if (expected.length !== outputs[k].length) largest = Infinity;
      expected.forEach((value, i) => { largest = Math.max(largest, Math.abs(value - outputs[k][i])); });
    });
    const off = !(largest <= test.tolerance);
    wrong += off;
    console.log(`${off ? "WRONG" : "right"} ${test.name} ${way} ${largest}`);
  }
}
process.exit(wrong ? 1 : 0);
