// Runs the networks that a whence report carries: layers as data, one image at a time, in float32. Every product of matrices goes through
// one function, in WebAssembly (gemm.c) where the browser has it, in JavaScript otherwise. Shapes are those of one sample.
"use strict";

const WhenceNetwork = (() => {
  const size = shape => shape.reduce((a, b) => a * b, 1);

  /** The number whose IEEE half-precision bits these are. */
  function fromHalf(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  /** A stored tensor as floats: floats, halves, or bytes with one scale for each row. */
  function floatsOf(tensor, bytes) {
    const count = size(tensor.shape), values = new Float32Array(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (tensor.type === "f16") {
      for (let i = 0; i < count; ++i) values[i] = fromHalf(view.getUint16(tensor.at + 2 * i, true));
      return values;
    }
    if (tensor.type === "f32") {
      for (let i = 0; i < count; ++i) values[i] = view.getFloat32(tensor.at + 4 * i, true);
      return values;
    }
    const row = count / tensor.shape[0], scales = tensor.at + count;
    for (let i = 0; i < count; ++i)
      values[i] = view.getInt8(tensor.at + i) * view.getFloat32(scales + 4 * Math.floor(i / row), true);
    return values;
  }

  /** (rows, columns) -> (columns, rows) */
  function transposed(values, rows, columns) {
    const out = new Float32Array(values.length);
    for (let i = 0; i < rows; ++i) for (let j = 0; j < columns; ++j) out[j * rows + i] = values[i * columns + j];
    return out;
  }

  /** All arrays of one network lie in one memory, which WebAssembly shares: first they are asked for, then laid out. */
  class Arena {
    constructor() { this.asked = []; this.bytes = 2048; }  // below: gemm's stack
    ask(count) {
      const array = {at: this.bytes, count, values: null};
      this.bytes += Math.ceil(count / 4) * 16;
      this.asked.push(array);
      return array;
    }
    hold(values) {
      const array = this.ask(values.length);
      array.initial = values;
      return array;
    }
    layOut(buffer) {
      for (const array of this.asked) {
        array.values = new Float32Array(buffer, array.at, array.count);
        if (array.initial) { array.values.set(array.initial); delete array.initial; }
      }
    }
  }

  /** c (m, n) = a (m, k) b (k, n), as gemm.c. */
  function plainGemm(a, b, c, m, n, k) {
    c = c.subarray(0, m * n).fill(0);
    for (let i = 0; i < m; ++i)
      for (let p = 0; p < k; ++p) {
        const factor = a[i * k + p];
        if (factor === 0) continue;
        for (let j = 0, from = p * n, to = i * n; j < n; ++j) c[to + j] += factor * b[from + j];
      }
  }

  function addBias(out, bias, channels, area) {
    if (bias) for (let c = 0; c < channels; ++c) for (let i = c * area; i < (c + 1) * area; ++i) out[i] += bias[c];
  }

  /** Rows (channel, y, x of the kernel), columns (y, x of the output): what each weight is multiplied with. */
  function patches(x, [channels, height, width], l, [, high, wide], first, to) {
    const [kh, kw] = l.kernel, [sh, sw] = l.stride, [ph, pw] = l.padding, [dh, dw] = l.dilation;
    let at = 0;
    for (let c = first; c < first + channels; ++c)
      for (let ky = 0; ky < kh; ++ky)
        for (let kx = 0; kx < kw; ++kx)
          for (let oy = 0; oy < high; ++oy) {
            const iy = oy * sh - ph + ky * dh;
            for (let ox = 0; ox < wide; ++ox) {
              const ix = ox * sw - pw + kx * dw;
              to[at++] = iy >= 0 && iy < height && ix >= 0 && ix < width ? x[(c * height + iy) * width + ix] : 0;
            }
          }
  }

  /** The reverse: adds each patch where it came from. */
  function scatter(from, [channels, high, wide], l, [, height, width], out) {
    const [kh, kw] = l.kernel, [sh, sw] = l.stride, [ph, pw] = l.padding;
    let at = 0;
    for (let c = 0; c < channels; ++c)
      for (let ky = 0; ky < kh; ++ky)
        for (let kx = 0; kx < kw; ++kx)
          for (let iy = 0; iy < height; ++iy) {
            const oy = iy * sh - ph + ky;
            for (let ix = 0; ix < width; ++ix, ++at) {
              const ox = ix * sw - pw + kx;
              if (oy >= 0 && oy < high && ox >= 0 && ox < wide) out[(c * high + oy) * wide + ox] += from[at];
            }
          }
  }

  function pool(x, [channels, height, width], l, [, high, wide], out, largest) {
    const [kh, kw] = l.kernel, [sh, sw] = l.stride, [ph, pw] = l.padding;
    for (let c = 0, at = 0; c < channels; ++c)
      for (let oy = 0; oy < high; ++oy)
        for (let ox = 0; ox < wide; ++ox, ++at) {
          let best = -Infinity, sum = 0;
          for (let ky = 0; ky < kh; ++ky)
            for (let kx = 0; kx < kw; ++kx) {
              const iy = oy * sh - ph + ky, ix = ox * sw - pw + kx;
              if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
              const value = x[(c * height + iy) * width + ix];
              best = Math.max(best, value);
              sum += value;
            }
          out[at] = largest ? best : sum / (kh * kw);  // PyTorch counts the padding
        }
  }

  function softmax(x, out, logarithm) {
    let most = -Infinity, sum = 0;
    for (const value of x) most = Math.max(most, value);
    for (const value of x) sum += Math.exp(value - most);
    for (let i = 0; i < x.length; ++i) out[i] = logarithm ? x[i] - most - Math.log(sum) : Math.exp(x[i] - most) / sum;
  }

  const each = f => () => (x, out) => { for (let i = 0; i < out.length; ++i) out[i] = f(x[i]); };
  const same = () => (x, out) => out.set(x);

  /** Operation -> (layer, its inputs' shapes, help) -> function(first input, output, [inputs, output] with their places in memory). */
  const operations = {
    Relu: each(v => Math.max(v, 0)),
    LeakyRelu: l => (x, out) => { for (let i = 0; i < out.length; ++i) out[i] = x[i] < 0 ? l.slope * x[i] : x[i]; },
    Sigmoid: each(v => 1 / (1 + Math.exp(-v))),
    Tanh: each(Math.tanh),
    Silu: each(v => v / (1 + Math.exp(-v))),
    Hardsigmoid: each(v => Math.min(Math.max(v + 3, 0), 6) / 6),
    Hardswish: each(v => v * Math.min(Math.max(v + 3, 0), 6) / 6),
    Hardtanh: l => (x, out) => { for (let i = 0; i < out.length; ++i) out[i] = Math.min(Math.max(x[i], l.low), l.high); },
    Gate: (l, [shape, gate]) => (x, out, [[, {values}]]) => {  // one value for each channel, or each value
      const area = size(shape) / size(gate);
      for (let i = 0; i < out.length; ++i) out[i] = x[i] * values[Math.floor(i / area)];
    },
    Dropout: same, Dropout2d: same, Flatten: same, Reshape: same,
    Softmax: () => (x, out) => softmax(x, out, false),
    LogSoftmax: () => (x, out) => softmax(x, out, true),
    Add: () => (x, out, [all]) => {
      out.fill(0);
      for (const {values} of all) for (let i = 0; i < out.length; ++i) out[i] += values[i];
    },
    Concat: () => (x, out, [all]) => {
      let at = 0;
      for (const {values} of all) { out.set(values, at); at += values.length; }
    },
    ScaleShift: (l, [shape], {weight}) => {
      const scale = weight(l.scale), shift = weight(l.shift), area = size(shape.slice(1));
      return (x, out) => { for (let i = 0; i < out.length; ++i) out[i] = scale.values[Math.floor(i / area)] * x[i] + shift.values[Math.floor(i / area)]; };
    },
    GlobalAvgPool2d: (l, [shape]) => (x, out) => {
      const area = shape[1] * shape[2];
      for (let c = 0; c < out.length; ++c) { let sum = 0; for (let i = 0; i < area; ++i) sum += x[c * area + i]; out[c] = sum / area; }
    },
    MaxPool2d: (l, [shape]) => (x, out) => pool(x, shape, l, l.shape, out, true),
    AvgPool2d: (l, [shape]) => (x, out) => pool(x, shape, l, l.shape, out, false),
    ZeroPad2d: (l, [[channels, height, width]]) => (x, out) => {
      const [, high, wide] = l.shape;
      out.fill(0);
      for (let c = 0; c < channels; ++c)
        for (let y = 0; y < height; ++y)
          for (let i = 0; i < width; ++i) {
            const oy = y + l.top, ox = i + l.left;
            if (oy >= 0 && oy < high && ox >= 0 && ox < wide) out[(c * high + oy) * wide + ox] = x[(c * height + y) * width + i];
          }
    },
    UpsampleNearest2d: (l, [[channels, height, width]]) => (x, out) => {
      const [, high, wide] = l.shape, f = l.factor;
      for (let c = 0, at = 0; c < channels; ++c)
        for (let y = 0; y < high; ++y)
          for (let i = 0; i < wide; ++i, ++at) out[at] = x[(c * height + Math.floor(y / f)) * width + Math.floor(i / f)];
    },
    Linear: (l, [shape], {weight, gemm, plain}) => {
      const [features, width] = l.weight.shape, rows = size(shape) / width;
      const w = weight(l.weight, values => transposed(values, features, width)), bias = l.bias && plain(l.bias);
      return (x, out, [xs, outs]) => {
        gemm(xs[0], w, outs, rows, features, width);
        if (bias) for (let i = 0; i < out.length; ++i) out[i] += bias[i % features];
      };
    },
    Conv2d: (l, [shape], {weight, gemm, plain, scratch}) => {
      const [channels, high, wide] = l.shape, groups = l.groups, inside = shape[0] / groups, made = channels / groups;
      const k = inside * l.kernel[0] * l.kernel[1], area = high * wide;
      const w = weight(l.weight), bias = l.bias && plain(l.bias), columns = scratch(k * area);
      return (x, out, [, outs]) => {
        for (let g = 0; g < groups; ++g) {
          patches(x, [inside, shape[1], shape[2]], l, l.shape, g * inside, columns.values);
          gemm(w, columns, outs, made, area, k, g * made * k, g * made * area);
        }
        addBias(out, bias, channels, area);
      };
    },
    ConvTranspose2d: (l, [shape], {weight, gemm, plain, scratch}) => {
      const [channels, high, wide] = l.shape, inside = shape[0], area = shape[1] * shape[2];
      const rows = channels * l.kernel[0] * l.kernel[1];
      const w = weight(l.weight, values => transposed(values, inside, rows)), bias = l.bias && plain(l.bias);
      const columns = scratch(rows * area);
      return (x, out, [xs]) => {
        gemm(w, xs[0], columns, rows, area, inside);
        out.fill(0);
        scatter(columns.values, [channels, high, wide], l, shape, out);
        addBias(out, bias, channels, high * wide);
      };
    },
  };

  /** A network that is ready to run. `module`: gemm.wasm compiled, or null for plain JavaScript. */
  function build(description, bytes, module) {
    const arena = new Arena(), scratches = [];
    let product = null;
    const help = {
      weight: (tensor, change = values => values) => arena.hold(change(floatsOf(tensor, bytes))),
      plain: tensor => floatsOf(tensor, bytes),
      scratch: count => { const s = {count}; scratches.push(s); return s; },
      gemm: (a, b, c, m, n, k, fromA = 0, fromC = 0) => product(a, b, c, m, n, k, fromA, fromC),
    };
    const layers = description.layers.map(l => ({l, out: arena.ask(size(l.shape))}));
    for (const layer of layers) {
      if (layer.l.op === "Input") continue;
      if (!operations[layer.l.op]) throw new Error(`this page does not know the operation ${layer.l.op}`);
      layer.from = layer.l.inputs.map(i => layers[i].out);
      layer.run = operations[layer.l.op](layer.l, layer.l.inputs.map(i => layers[i].l.shape), help);
    }
    const shared = arena.ask(Math.max(1, ...scratches.map(s => s.count)));
    if (module) {
      const pages = Math.ceil(arena.bytes / 65536) + 1;
      const memory = new WebAssembly.Memory({initial: pages});
      const {gemm} = new WebAssembly.Instance(module, {env: {memory}}).exports;
      arena.layOut(memory.buffer);
      product = (a, b, c, m, n, k, fromA, fromC) => gemm(a.at + 4 * fromA, b.at, c.at + 4 * fromC, m, n, k);
    } else {
      arena.layOut(new ArrayBuffer(arena.bytes));
      product = (a, b, c, m, n, k, fromA, fromC) => plainGemm(a.values.subarray(fromA), b.values, c.values.subarray(fromC), m, n, k);
    }
    for (const s of scratches) { s.at = shared.at; s.values = shared.values; }
    /** The outputs for one input, an array for each; valid until the next call. `intervention`: {layer: {number}, with}, which is given what that layer
        puts out, and may change it before the next layers see it. */
    return (input, intervention) => {
      layers[0].out.values.set(input);
      layers.forEach((layer, number) => {
        if (layer.run) layer.run(layer.from[0].values, layer.out.values, [layer.from, layer.out]);
        if (intervention && number === intervention.layer.number) intervention.with(layer.out.values);
      });
      return description.outputs.map(i => layers[i].out.values);
    };
  }

  const compile = bytes => typeof WebAssembly === "undefined" ? null : new WebAssembly.Module(bytes);
  return {build, compile, softmax: x => { const out = new Float32Array(x.length); softmax(x, out, false); return out; }};
})();

if (typeof module !== "undefined") module.exports = WhenceNetwork;
