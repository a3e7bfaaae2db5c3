"use strict";

// The trained network in the browser: text to ids as `imdb_rnn.text` does it, ids to states and
// probabilities as `imdb_rnn.engine` does it. Weights come as float32, sums are float64.
//
// `openNetwork(stored)` takes what `imdb_rnn.reporting.report.stored_network` makes (or, with their vocabulary,
// `stored_small_networks`), and returns
//   encode(text)       words, which of them are known, their ids, and the first and last word that the network reads
//   predict(ids, isTraced = true)   probabilities: of two classes that of the second, else of each; states of the last layer, width
//                      numbers for each id; and trace: the probabilities after each id, one after another, if the network
//                      is causal (later words do not change earlier states), else null
//   steps(ids)         of a single layer that reads forwards: what each step computes, one after another: inputs and products,
//                      the two sums of STEPS; gates; cells, the LSTM's cell states; and states
//   tokenize(text)     the words alone
//   places(text, words)   where each word stands in the text: [from, to]; of one that is not found the two are equal
//   readout(label)     the weight of each of the states' numbers in the logit of a label; of two labels of the second
function openNetwork(stored) {
  const PADDING = 0, START = 1, OOV = 2, RANK_OFFSET = 3;
  const { units, vocab_size: vocabSize, maxlen } = stored;

  function bytes(base64) {
    const text = atob(base64), array = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
    return array.buffer;
  }
  const numbers = new Float32Array(bytes(stored.weights));
  let used = 0;
  const take = (count) => numbers.subarray(used, (used += count));

  const columns = stored.gates * units;
  const numDirections = stored.bidirectional ? 2 : 1;
  const vectors = stored.embeddings
    ? Float32Array.from(new Int16Array(bytes(stored.embeddings)), (integer) => integer * stored.scale)
    : take((RANK_OFFSET + 1 + stored.vocabulary.length) * stored.embedding_dim);
  const layers = [];
  for (let layer = 0; layer < stored.layers; layer++) {
    const inputs = layer ? numDirections * units : stored.embedding_dim;
    layers.push(Array.from({ length: numDirections }, () => ({
      inputs,
      kernel: take(inputs * columns),
      recurrent: take(units * columns),
      bias: take(columns),
      recurrentBias: stored.recurrent_bias ? take(columns) : null,
      table: new Map(), // of the first layer: the input of a step, by word
    })));
  }
  const poolings = stored.pooling.split("+");
  const width = numDirections * units;
  const count = stored.num_logits; // of each review
  const head = take(poolings.length * width * count), bias = take(count);
  const ngramScores = take(stored.ngram_count * count);
  const ngramCodes = new BigInt64Array(bytes(stored.ngram_codes));

  const ranks = new Map(stored.vocabulary.map((word, place) => [word, place + 1]));

  // Python's str.split() and the characters that become spaces; JavaScript's \s is another set.
  const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~\t\n\u2026]/g;
  const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
  const DECOMPOSED = new RegExp(
    "[a-z\u00e0-\u024f\u03ac-\u03ce\u0430-\u0481\u048a-\u04ff\u1e00-\u1fbc\u3041-\u3096\u309d-\u30fe]?" +
      "[\u0300-\u036f\u3099\u309a\uff61-\uff9f\ufb00-\ufb06]+",
    "g",
  );

  const splitChinese = stored.jieba ? openJieba(stored.jieba) : null;

  function lower(text) {
    return text
      .toLowerCase()
      .replace(/[\u2018\u2019\u201b\u00b4\u2032]/g, "'")
      .replace(/[\u201c-\u201f]/g, '"')
      .replace(/[\u2010-\u2015]/g, "-")
      .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
      .replace(DECOMPOSED, (letters) => letters.normalize("NFKC"));
  }

  function tokenize(text) {
    if (stored.tokenizer === "char") return [...lower(text)].filter((letter) => !SPACE.test(letter));
    const words = lower(text).replace(PUNCTUATION, " ").split(SPACE).filter((word) => word);
    return splitChinese ? words.flatMap(splitChinese) : words;
  }

  const lowered = new Map(); // characters that stay one
  function lowerEach(letter) {
    if (!lowered.has(letter)) lowered.set(letter, lower(letter).length === 1 ? lower(letter) : letter);
    return lowered.get(letter);
  }

  function places(text, words) {
    const same = text.replace(/[^]/g, lowerEach); // as long as the text
    let end = 0;
    return words.map((word) => {
      const from = same.indexOf(word, end);
      if (from < 0) return [end, end];
      end = from + word.length;
      return [from, end];
    });
  }

  function readout(label) {
    return Float64Array.from({ length: width }, (_, j) =>
      poolings.reduce((sum, _pooling, number) => sum + head[(number * width + j) * count + label], 0));
  }

  function encode(text) {
    const words = tokenize(text);
    const all = [START, ...words.map((word) => (ranks.has(word) ? ranks.get(word) + RANK_OFFSET : OOV))];
    const cut = Math.max(0, all.length - maxlen);
    const ids = stored.truncating === "pre" ? all.slice(cut) : all.slice(0, maxlen);
    const first = stored.truncating === "pre" ? Math.max(0, cut - 1) : 0; // the start token is the first to go
    return {
      words,
      known: all.slice(1).map((id) => id !== OOV),
      ids,
      first,
      last: first + ids.length - (ids[0] === START ? 1 : 0),
    };
  }

  function times(vector, from, matrix, rows, out) {
    for (let i = 0; i < rows; i++) {
      const value = vector[from + i];
      if (value === 0) continue;
      for (let j = 0, k = i * columns; j < columns; j++, k++) out[j] += value * matrix[k];
    }
  }

  const step = STEPS[stored.cell];

  function inputOf(direction, vector, from) {
    const input = Float64Array.from(direction.bias);
    times(vector, from, direction.kernel, direction.inputs, input);
    return input;
  }

  // The states of one direction after each of `count` steps. `note` is called with what each step computed.
  function run(direction, inputAt, count, backwards, note) {
    const states = new Float64Array(count * units);
    const h = new Float64Array(units), c = new Float64Array(units);
    const product = new Float64Array(columns), gates = new Float64Array(columns);
    for (let n = 0; n < count; n++) {
      const t = backwards ? count - 1 - n : n;
      if (direction.recurrentBias) product.set(direction.recurrentBias);
      else product.fill(0);
      times(h, 0, direction.recurrent, units, product);
      step(units, inputAt(t), product, h, c, gates);
      if (note) note(t, { inputs: inputAt(t), products: product, gates, cells: c, states: h });
      states.set(h, t * units);
    }
    return states;
  }

  function allStates(ids, note) {
    let states = null;
    layers.forEach((layer, number) => {
      const below = states;
      const ofDirections = layer.map((direction, d) => {
        const inputAt = (t) => {
          if (number) return inputOf(direction, below, t * width);
          if (!direction.table.has(ids[t])) {
            direction.table.set(ids[t], inputOf(direction, vectors, ids[t] * direction.inputs));
          }
          return direction.table.get(ids[t]);
        };
        return run(direction, inputAt, ids.length, d === 1, note);
      });
      states = new Float64Array(ids.length * width);
      ofDirections.forEach((some, d) => {
        for (let t = 0; t < ids.length; t++) {
          states.set(some.subarray(t * units, (t + 1) * units), t * width + d * units);
        }
      });
    });
    return states;
  }

  function indexOfNgram(code) {
    let low = 0, high = ngramCodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ngramCodes[middle] < code) low = middle + 1;
      else high = middle;
    }
    return ngramCodes[low] === code ? low : -1;
  }

  // For each id the sums of the weights of the n-grams that end with it and did not occur before.
  function ngramSums(ids) {
    const added = new Float64Array(ids.length * count), seen = new Set();
    for (let t = 0; t < ids.length; t++) {
      let code = 0n, power = 1n;
      for (let back = 0; back < stored.ngrams && back <= t && ids[t - back] !== PADDING; back++) {
        code += BigInt(ids[t - back]) * power;
        power *= BigInt(vocabSize);
        const at = indexOfNgram(code);
        if (at >= 0 && !seen.has(at)) {
          seen.add(at);
          for (let k = 0; k < count; k++) added[t * count + k] += ngramScores[at * count + k];
        }
      }
    }
    return added;
  }

  function padded(ids) {
    if (stored.mask_padding) return ids;
    const filling = new Array(maxlen - ids.length).fill(PADDING);
    return stored.padding === "pre" ? [...filling, ...ids] : [...ids, ...filling];
  }

  function ofLogits(logits) {
    if (count === 1) return [sigmoid(logits[0])];
    const highest = Math.max(...logits), powers = Array.from(logits, (logit) => Math.exp(logit - highest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  // The probabilities after each step, from the states; if the network is not causal, only the last ones are right.
  function probabilitiesOf(ids, states, from) {
    const after = new Float64Array(ids.length * count), sums = stored.ngrams ? ngramSums(ids) : null;
    const highest = new Float64Array(width).fill(-Infinity), total = new Float64Array(width);
    const last = (t, j) => (j < units ? states[t * width + j] : states[j]); // backwards the first word is read last
    const pools = {
      last: (t, j) => last(t, j),
      max: (t, j) => highest[j],
      mean: (t, j) => total[j] / (t + 1),
    };
    const score = Float64Array.from(bias), logits = new Float64Array(count);
    for (let t = 0; t < ids.length; t++) {
      for (let j = 0; j < width; j++) {
        const state = states[t * width + j];
        total[j] += state;
        if (state > highest[j]) highest[j] = state;
      }
      for (let k = 0; sums && k < count; k++) score[k] += sums[t * count + k];
      if (t < from) continue;
      logits.set(score);
      poolings.forEach((pooling, number) => {
        for (let j = 0; j < width; j++) {
          const feature = pools[pooling](t, j), row = (number * width + j) * count;
          for (let k = 0; k < count; k++) logits[k] += feature * head[row + k];
        }
      });
      after.set(ofLogits(logits), t * count);
    }
    return after;
  }

  const isCausal = numDirections === 1 && stored.mask_padding;

  function predict(ids, isTraced = true) {
    const whole = padded(ids);
    const states = allStates(whole);
    const begin = stored.mask_padding || stored.padding === "post" ? 0 : whole.length - ids.length;
    const hasTrace = isCausal && isTraced;
    const after = probabilitiesOf(whole, states, hasTrace ? 0 : whole.length - 1);
    return {
      probabilities: whole.length ? after.subarray((whole.length - 1) * count) : ofLogits(bias),
      states: states.subarray(begin * width, (begin + ids.length) * width),
      width,
      trace: hasTrace ? after : null,
    };
  }

  function steps(ids) {
    const found = {};
    for (const name of ["inputs", "products", "gates"]) found[name] = new Float64Array(ids.length * columns);
    for (const name of ["cells", "states"]) found[name] = new Float64Array(ids.length * units);
    allStates(ids, (t, values) => {
      for (const [name, value] of Object.entries(values)) found[name].set(value, t * value.length);
    });
    return found;
  }

  return { encode, predict, steps, tokenize, places, readout };
}
