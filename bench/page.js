// node bench/page.js RUN/live.json: how long a report's page takes for one image, decoded and classified, with the WebAssembly product and without;
// median and range of 40 after 5 for warming up.
"use strict";
const fs = require("fs"), path = require("path");
const WhenceNetwork = require(path.join(__dirname, "../web/network.js"));
const bytesOf = text => Uint8Array.from(Buffer.from(text, "base64"));
const run = JSON.parse(fs.readFileSync(process.argv[2])), bytes = bytesOf(run.weights);
for (const [way, module_] of [["WebAssembly", WhenceNetwork.compile(bytesOf(run.kernel))], ["JavaScript", null]]) {
  const decode = WhenceNetwork.build(run.decoder, bytes, module_), classify = run.classifier && WhenceNetwork.build(run.classifier, bytes, module_);
  const code = Float32Array.from(run.samples[0].code), times = [];
  for (let i = 0; i < 45; ++i) {
    const begun = performance.now();
    const [image] = decode(code);
    if (classify) classify(image);
    if (i >= 5) times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  console.log(`${way}: median ${times[20].toFixed(1)} ms, ${times[0].toFixed(1)} to ${times[39].toFixed(1)} ms`);
}
