"use strict";

// Three small networks, one of each cell, read what is in the box to try; one of them is looked into, word by word.

const LEFT = 44, RIGHT = 92, TOP = 10, CURVE = 190; // pixels around and of the curves
const NARROWEST = 14; // pixels of a column below which the words do not stand under the curves
const GLIDE = 350, REST = 1100; // milliseconds of the curves from one epoch to the next, and between the epochs when played
const AFTER = 30; // milliseconds after a keystroke

// What is drawn of each cell, below each other. A gate has its place among the gates; a state is weighted by the answer.
const STRIPS = {
  simple_rnn: [],
  gru: [
    { symbol: "z", gate: 0, name: ["update gate", "更新门"], what: ["how much of the old state stays", "旧状态保留多少"] },
    { symbol: "r", gate: 1, name: ["reset gate", "重置门"], what: ["how much of it the candidate sees", "候选值能看到多少旧状态"] },
  ],
  lstm: [
    { symbol: "f", gate: 1, name: ["forget gate", "遗忘门"], what: ["how much of the cell state is kept", "细胞状态保留多少"] },
    { symbol: "i", gate: 0, name: ["input gate", "输入门"], what: ["how much of the candidate is added to it", "候选值写入多少"] },
    { symbol: "c", state: "cells", name: ["cell state", "细胞状态"], what: ["what is remembered", "记住的内容"] },
    { symbol: "o", gate: 3, name: ["output gate", "输出门"], what: ["how much of the cell state comes out", "细胞状态输出多少"] },
  ],
};
const STATE = { symbol: "h", state: "states", name: ["hidden state", "隐藏状态"], what: ["what the answer is computed from", "由它算出答案"] };

// What there is to see.
const LOOK = {
  simple_rnn: [
    "A SimpleRNN has no gates: every word rewrites the whole state, so what was read before fades or is drowned.",
    "SimpleRNN 没有门：每个词都会改写整个状态，前面读到的内容因此逐渐淡去或被淹没。",
  ],
  gru: [
    "Look at the update gate: where its colour is strong, the old state stays; where it pales, the word rewrites it.",
    "看更新门：颜色深的地方，旧状态保留下来；颜色变浅的地方，这个词改写了状态。",
  ],
  lstm: [
    "Look at the cell state: words that matter add to it, and between them it almost stands still.",
    "看细胞状态：有分量的词往里面添内容，在它们之间，细胞状态几乎不变。",
  ],
};

const plain = (value) => signed(value, 2).replace("+", "");
const factor = (value) => (value < 0 ? `(${plain(value)})` : plain(value));
const variable = (name, index) => [element("var", {}, name), index ? element("sub", {}, index) : []];

// The lines of one step of one unit: [name, symbol, how it comes about, value]. `gate` is the value of a gate by its place
// among the gates, `sums` what it is computed from; `old` and `now` are the states before and after the step.
const EQUATIONS = {
  simple_rnn: ({ sums, now }) => [
    [["hidden state", "隐藏状态"], "h", ["tanh(", ...sums(0), ")"], now.states],
  ],
  gru: ({ sums, gate, old, now }) => [
    [["update gate", "更新门"], "z", ["σ(", ...sums(0), ")"], gate(0)],
    [["reset gate", "重置门"], "r", ["σ(", ...sums(1), ")"], gate(1)],
    [["candidate", "候选值"], "g", ["tanh(", ...sums(2, [variable("r"), "·"]), ")"], gate(2)],
    [["hidden state", "隐藏状态"], "h", [variable("z"), "·", variable("h", "t−1"), " + (1 − ", variable("z"), ")·", variable("g"),
      ` = ${plain(gate(0))}·${factor(old.states)} + ${plain(1 - gate(0))}·${factor(gate(2))}`], now.states],
  ],
  lstm: ({ sums, gate, old, now }) => [
    [["forget gate", "遗忘门"], "f", ["σ(", ...sums(1), ")"], gate(1)],
    [["input gate", "输入门"], "i", ["σ(", ...sums(0), ")"], gate(0)],
    [["candidate", "候选值"], "g", ["tanh(", ...sums(2), ")"], gate(2)],
    [["cell state", "细胞状态"], "c", [variable("f"), "·", variable("c", "t−1"), " + ", variable("i"), "·", variable("g"),
      ` = ${plain(gate(1))}·${factor(old.cells)} + ${plain(gate(0))}·${factor(gate(2))}`], now.cells],
    [["output gate", "输出门"], "o", ["σ(", ...sums(3), ")"], gate(3)],
    [["hidden state", "隐藏状态"], "h", [variable("o"), "·tanh(", variable("c"),
      `) = ${plain(gate(3))}·tanh(${plain(now.cells)})`], now.states],
  ],
};

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The curves of the probability, named at their ends, and the words below them. `show` takes words, series, a list of
// probabilities before the first word and after each, and the chosen one of them; `mark` a word, from 1.
function curves(names) {
  const lines = names.map((_, i) => svg("polyline", { class: `curve series-${i + 1}` }));
  const labels = names.map((_, i) => svg("text", { class: `series-${i + 1}` }));
  const grid = svg("g", { class: "grid" }), words = svg("g", { class: "axis" }), here = svg("rect", { class: "here", y: TOP });
  const drawing = svg("svg", { role: "img" }, here, grid, ...lines, ...labels, words);
  let shown = null, width = 0, drawn = null, gliding = 0;

  const column = () => (width - LEFT - RIGHT) / Math.max(1, shown.words.length);
  const y = (probability) => TOP + CURVE * (1 - probability);

  function drawLines(series) {
    drawn = series;
    series.forEach((values, i) => {
      const x = (t) => LEFT + Math.max(0, t - 0.5) * column(); // a word's probability stands above its middle
      lines[i].setAttribute("points", Array.from(values, (p, t) => `${x(t).toFixed(1)},${y(p).toFixed(1)}`).join(" "));
    });
    const order = names.map((_, i) => i).sort((a, b) => series[b].at(-1) - series[a].at(-1));
    const at = order.map((i) => y(series[i].at(-1)));
    for (let k = 1; k < at.length; k++) at[k] = Math.max(at[k], at[k - 1] + 17); // names do not cover each other
    const over = Math.max(0, at.at(-1) - (TOP + CURVE));
    order.forEach((i, k) => {
      labels[i].setAttribute("x", LEFT + Math.max(0.5, shown.words.length - 0.5) * column() + 7);
      labels[i].setAttribute("y", at[k] - over + 4);
    });
  }

  function drawFrame() {
    const unit = column(), isNamed = unit >= NARROWEST, longest = Math.max(0, ...shown.words.map((word) => word.length));
    const height = TOP + CURVE + 12 + (isNamed ? Math.min(14, longest) * 5.6 + 6 : 0);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    grid.replaceChildren(...[0, 0.5, 1].flatMap((share) => [
      svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share) }),
      svg("text", { x: LEFT - 7, y: y(share) + 4, "text-anchor": "end" }, `${100 * share}%`),
    ]));
    words.replaceChildren(...(isNamed ? shown.words : []).map((word, i) => {
      const x = LEFT + (i + 0.5) * unit + 4, below = TOP + CURVE + 16;
      const short = word.length > 14 ? `${word.slice(0, 13)}…` : word;
      return svg("text", { transform: `translate(${x} ${below}) rotate(-50)`, "text-anchor": "end" }, short);
    }));
    labels.forEach((label, i) => { label.textContent = inLanguage(names[i]); });
    here.setAttribute("width", Math.max(2, unit));
    here.setAttribute("height", CURVE);
  }

  function draw() {
    cancelAnimationFrame(gliding);
    if (!shown || !width) return;
    drawFrame();
    drawLines(shown.series);
  }

  function show(reading, isGliding) {
    const from = drawn;
    shown = reading;
    lines.forEach((line, i) => line.classList.toggle("chosen", i === reading.chosen));
    labels.forEach((label, i) => label.classList.toggle("chosen", i === reading.chosen));
    draw();
    const isSame = from?.[0].length === shown.series[0].length;
    if (!width || !isGliding || !isSame || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const begun = performance.now();
    function glide() {
      const share = Math.min(1, (performance.now() - begun) / GLIDE), eased = share * share * (3 - 2 * share);
      drawLines(shown.series.map((values, i) => values.map((p, t) => from[i][t] + eased * (p - from[i][t]))));
      if (share < 1) gliding = requestAnimationFrame(glide);
    }
    glide();
  }

  function mark(position) {
    here.setAttribute("x", LEFT + (position - 1) * column());
    here.setAttribute("visibility", position ? "visible" : "hidden");
    Array.from(words.children, (word, i) => word.classList.toggle("chosen", i === position - 1));
  }

  function resize(to) {
    width = to;
    draw();
  }
  return { drawing, show, mark, resize, column };
}

// One strip: a column for each word, a row for each unit.
function strip({ name, what, symbol }, choose) {
  const canvas = element("canvas", { className: "units", role: "img" }), value = element("span");
  const cross = element("i"), row = element("i", { className: "row" });
  const frame = element("div", { className: "strip" }, canvas, cross, row, value);
  const box = element("figure", {}, element("figcaption", {}, element("b", {}, t(...name)), " ", variable(symbol),
    t(`: ${what[0]}`, `：${what[1]}`)), frame);
  onLanguage(() => canvas.setAttribute("aria-label", inLanguage([`${name[0]}, each unit and word`, `${name[1]}，逐单元逐词`])));
  const placeOf = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };
  canvas.addEventListener("pointermove", (event) => choose(...placeOf(event), false));
  canvas.addEventListener("click", (event) => choose(...placeOf(event), true));

  // `colours` are of positive and of negative numbers. The values of a state are from −1 to 1, of a gate from 0 to 1.
  function show(columns, order, valueAt, isState, colours) {
    paint(canvas, columns, order.length, (column, row) => {
      const share = valueAt(column, order[row]), strength = isState ? Math.min(1, Math.abs(share)) ** 0.7 : share ** 2;
      return [colours[Number(share < 0)], strength]; // so that differences are seen
    });
  }

  function mark(position, columns, at, rows, number) {
    cross.hidden = row.hidden = !position;
    cross.style.left = `${(100 * (position - 1)) / columns}%`;
    cross.style.width = `${100 / columns}%`;
    row.style.top = `${(100 * at) / rows}%`;
    row.style.height = `${100 / rows}%`;
    value.textContent = position ? `${symbol} = ${plain(number)}` : "";
  }
  return { box, show, mark };
}

// Whether the network of this run is shown next to the small ones: it has gates, reads the same words as they do, and was
// tested on the same reviews in the same way.
function isComparable(network, small) {
  const { source, bundled } = contents.parameters.data;
  if (source !== "bundled" || bundled.test_fraction !== 0.2 || contents.threshold !== 0.5) return false;
  const same = ["maxlen", "truncating", "tokenizer", "num_logits", "layers", "bidirectional", "pooling", "ngrams",
    "mask_padding"];
  return network.cell !== "simple_rnn" && same.every((name) => network[name] === small[name]);
}

function showCells() {
  const stored = contents.cells.networks, opened = new Map();
  const cells = [...new Set(stored.map(({ cell }) => cell))], epochs = [...new Set(stored.map(({ epoch }) => epoch))];
  let epoch = epochs.at(-1);
  function open(one) {
    if (!opened.has(one)) opened.set(one, openNetwork({ vocabulary: contents.cells.vocabulary, ...one }));
    return opened.get(one);
  }
  // Who reads; `one` and `accuracy` are of the epoch.
  const readers = cells.map((cell) => {
    const one = () => stored.find((other) => other.cell === cell && other.epoch === epoch);
    return { key: cell, cell, name: [LAYERS[cell], LAYERS[cell]], one, accuracy: () => one().test_accuracy };
  });
  if (isComparable(contents.network, stored[0])) {
    const { cell } = contents.network, one = () => contents.network, accuracy = () => contents.metrics.test.accuracy;
    readers.push({ key: "own", cell, name: ["this run", "本次训练"], one, accuracy });
  }

  let text = "", chosen = readers[cells.length - 1], position = 0, unit = null; // null: the unit that moves most
  let now = null, isStale = true, isSeen = true, waiting = null, playing = null, isMoved = false;

  const play = element("button", { type: "button" });
  const lastEpoch = epochs.length - 1;
  const slider = element("input", { type: "range", min: 0, max: lastEpoch, value: lastEpoch, id: "cells-epoch" });
  const epochNow = element("span", { className: "epoch" });
  const buttons = readers.map((reader, i) => {
    const button = element("button", { type: "button", className: `series-${i + 1}` });
    button.dataset.cell = reader.key;
    button.addEventListener("click", () => {
      chosen = reader;
      unit = null;
      refresh();
    });
    return button;
  });
  const words = wordsView((at) => go(at));
  words.box.addEventListener("mouseover", (event) => {
    const at = Array.from(words.box.querySelectorAll("b")).indexOf(event.target);
    if (at >= 0) go(at + 1);
  });
  const chart = curves(readers.map(({ name }) => name));
  const wordSlider = element("input", { type: "range", min: 1, max: 1, value: 1, className: "at-plot" });
  const strips = element("div"), look = element("p"), title = element("div"), units = element("select"), equation = element("div");
  const plot = element("figure", {}, element("figcaption", {}, t(
    "Probability that the review is positive, after each word", "每读完一个词，各网络认为是好评的概率",
  )), chart.drawing);
  const left = element("div", {}, plot, wordSlider, strips);
  const right = element("div", { className: "step" }, title, units, equation);
  const inside = element("div", { className: "cells-inside" }, left, right);
  const { units: count } = stored[0], known = number(contents.cells.vocabulary.length);
  byId("cells-text").append(...t(
    `Three small networks, ${count} units each, learnt from the same film reviews. They read the text in the box above as ` +
      "you type. Drag the slider to see them before training and after each epoch.",
    `三个小网络，各有 ${count} 个单元，学的是同一批影评。你在上面的框里输入，它们就跟着读。拖动滑块，可以看到它们在训练之前和各轮训练之后怎么判断。`,
  ));
  byId("cells-body").append(
    element("div", { className: "controls" }, play, slider, epochNow),
    element("div", { className: "cells-choice", role: "group" }, buttons),
    words.box,
    inside,
  );
  let colours = null;

  // --- what is read

  function read() {
    const network = open(chosen.one()), encoded = network.encode(text), { ids } = encoded;
    const count = encoded.last - encoded.first, start = ids.length - count; // the start token, unless it was cut off
    const readings = readers.map(({ one }) => {
      const reader = open(one()), { trace } = reader.predict(reader.encode(text).ids);
      const after = (read) => (read ? trace[read - 1] : reader.predict([]).probabilities[0]);
      return Array.from({ length: count + 1 }, (_, i) => after(i + start));
    });
    const weights = network.readout(0);
    const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]);
    const places = network.places(text, encoded.words);
    return { encoded, ids, count, start, readings, weights, order, typed: asTyped(text, places, encoded) };
  }

  // The value of a unit after a word, from 1; 0: before the first, `name` is of what `steps` gives.
  function valueOf(name, at, index) {
    const step = at + now.start - 1, { [name]: values, size } = now.steps;
    return step < 0 ? 0 : values[step * (values.length / size) + index];
  }
  const contribution = (at, j) => now.weights[j] * valueOf("states", at, j);
  const probabilities = () => now.readings[readers.indexOf(chosen)];

  function greatest(count, size) {
    let best = 0;
    for (let i = 1; i < count; i++) if (size(i) > size(best)) best = i;
    return best;
  }
  const change = (j) => contribution(position, j) - contribution(position - 1, j);
  const mostMoved = () => greatest(now.order.length, (j) => Math.abs(change(j)));
  function strongestWord() {
    const p = probabilities().map(logOdds);
    return now.count ? 1 + greatest(now.count, (i) => Math.abs(p[i + 1] - p[i])) : 0;
  }

  // --- what is shown

  function refresh(isGliding = false) {
    isStale = !isSeen;
    if (isStale) return;
    now = read();
    const { encoded, count, readings, typed } = now;
    if (!isMoved || position > count) position = strongestWord();
    chart.show({ words: typed.words, series: readings, chosen: readers.indexOf(chosen) }, isGliding);
    words.show({ ...encoded, probability: probabilities(), typed });
    words.mark(0);
    words.box.hidden = inside.hidden = !count;
    wordSlider.max = count;
    write();
    clearTimeout(waiting);
    waiting = setTimeout(lookInside, 0);
  }

  function lookInside() {
    now.steps = { ...open(chosen.one()).steps(now.ids), size: now.ids.length };
    if (now.count) {
      showStrips();
      listUnits();
    }
    point();
    byId("cells").dataset.done = text.length;
  }

  function pick(x, y, isPressed) {
    go(1 + Math.floor(x * now.count));
    if (!isPressed) return;
    unit = now.order[Math.max(0, Math.min(now.order.length - 1, Math.floor(y * now.order.length)))];
    point();
  }
  const stripsOf = new Map(readers.map((reader) =>
    [reader, [...STRIPS[reader.cell], STATE].map((one) => [one, strip(one, pick)])]));
  strips.after(element("p", { className: "quiet" }, t(
    "A row is a unit; the one with the highest weight in the answer is at the top. Gates: the stronger the colour, the nearer " +
      "to 1. States times the weight: blue speaks for a positive review, orange against it. Click a row to follow its unit. " +
      `These networks know the ${known} most frequent words.`,
    "每行一个单元，在答案里权重最大的在最上面。门：颜色越浓，越接近 1。状态乘以权重：蓝色支持好评，橙色反对。点一行，就一直看这个单元。" +
      `这几个网络认识最常见的 ${known} 个词。`,
  )));

  // The value of a strip after a word.
  const stripValue = (one, at, j) =>
    (one.state ? valueOf(one.state, at, j) : valueOf("gates", at, one.gate * now.order.length + j));

  function showStrips() {
    const largest = Math.max(...now.weights.map(Math.abs)), names = ["--up", "--down", "--gate"];
    colours ??= names.map((name) => color(name).split(",").map(Number));
    const boxes = stripsOf.get(chosen).map(([, { box }]) => box);
    if (strips.lastChild !== boxes.at(-1)) strips.replaceChildren(look, ...boxes);
    look.replaceChildren(...t(...LOOK[chosen.cell]));
    look.style.visibility = chosen.one().epoch === 0 ? "hidden" : ""; // before training there is nothing to see
    for (const [one, { show }] of stripsOf.get(chosen)) {
      const share = (i, j) => stripValue(one, i + 1, j) * (one.state ? now.weights[j] / largest : 1);
      show(now.count, now.order, share, Boolean(one.state), one.state ? colours : [colours[2]]);
    }
  }

  function listUnits() {
    units.replaceChildren(
      element("option", { value: "" }, inLanguage(["the unit that moves most", "变化最大的单元"])),
      ...now.order.map((each) => element("option", { value: each }, inLanguage([`unit ${each + 1}`, `单元 ${each + 1}`]))),
    );
    units.setAttribute("aria-label", inLanguage(["unit", "单元"]));
  }

  function write() {
    if (!now) return;
    epochNow.textContent = inLanguage(epoch ? [`after epoch ${epoch}`, `第 ${epoch} 轮之后`] : ["before training", "训练之前"]);
    slider.setAttribute("aria-label", inLanguage(["epoch", "轮次"]));
    slider.setAttribute("aria-valuetext", epochNow.textContent);
    play.textContent = inLanguage(playing ? ["Stop", "停止"] : ["Watch it learn", "看它学习"]);
    wordSlider.setAttribute("aria-label", inLanguage(["word", "单词"]));
    words.box.setAttribute("aria-label", inLanguage(["the review", "评论"]));
    buttons.forEach((button, i) => {
      const p = now.readings[i].at(-1), accuracy = readers[i].accuracy();
      button.dataset.probability = p;
      button.setAttribute("aria-pressed", String(readers[i] === chosen));
      button.replaceChildren(
        element("b", {}, inLanguage(readers[i].name)),
        element("span", {}, inLanguage(sure(p, SENTIMENT))),
        element("small", {}, inLanguage([`test accuracy ${accuracy.toFixed(3)}`, `测试准确率 ${accuracy.toFixed(3)}`])),
      );
    });
    const ends = readers.map(({ name }, i) => `${inLanguage(name)}: ${percent(now.readings[i].at(-1))}`);
    chart.drawing.setAttribute("aria-label", ends.join(", "));
  }

  function point() {
    if (!now.steps) return; // not yet
    chart.mark(position);
    words.mark(position, isMoved);
    const j = position ? unit ?? mostMoved() : 0;
    for (const [one, { mark }] of stripsOf.get(chosen)) {
      mark(position, now.count, now.order.indexOf(j), now.order.length, stripValue(one, position, j));
    }
    wordSlider.value = position;
    units.value = unit ?? "";
    if (position) writeEquation(j);
  }

  function writeEquation(j) {
    const { encoded, weights } = now, width = weights.length, word = encoded.words[encoded.first + position - 1];
    const states = (at) => ({ states: valueOf("states", at, j), cells: valueOf("cells", at, j) });
    const gate = (place) => valueOf("gates", position, place * width + j);
    const sums = (place, before = []) => {
      const [word, memory] = ["inputs", "products"].map((name) => valueOf(name, position, place * width + j));
      return [
        element("span", { className: "of-word" }, plain(word)), plain(memory).startsWith("−") ? " − " : " + ", before,
        element("span", { className: "of-memory" }, plain(Math.abs(memory))),
      ];
    };
    const rows = EQUATIONS[chosen.cell]({ sums, gate, old: states(position - 1), now: states(position) });
    rows.push([["to the log-odds", "加到对数几率"], "v",
      [variable("v"), "·", variable("h"), ` = ${plain(weights[j])}·${factor(states(position).states)}`], contribution(position, j)]);
    const lines = rows.map(([name, symbol, how, value]) => {
      const line = element("div", {}, element("span", { className: "quiet" }, t(...name)), element("p", {},
        symbol === "v" ? [] : [variable(symbol), " = "], how, " = ", element("strong", {}, plain(value))));
      line.dataset.symbol = symbol;
      return line;
    });
    const [before, after] = [position - 1, position].map((at) => logOdds(probabilities()[at]));
    const memory = chosen.one().recurrent_bias ? "h·U + b′" : "h·U", isKnown = encoded.known[encoded.first + position - 1];
    wordSlider.setAttribute("aria-valuetext", `${word}, ${percent(probabilities()[position])}`);
    title.replaceChildren(
      element("h3", {}, t(`${LAYERS[chosen.cell]} reads “${word}”`, `${LAYERS[chosen.cell]} 读到“${word}”`)),
      element("p", { className: "quiet" }, t(
        `word ${position} of ${now.count}${isKnown ? "" : ", not in the vocabulary"}, unit ${j + 1} of ${width}`,
        `第 ${position} 个词（共 ${now.count} 个）${isKnown ? "" : "，不在词表里"}，第 ${j + 1} 个单元（共 ${width} 个）`,
      )),
    );
    equation.replaceChildren(
      ...lines,
      element("p", { className: "quiet" }, t("In brackets ", "括号里是"),
        element("span", { className: "of-word" }, t("what the word brings", "这个词带来的")), t(", x·W + b, and ", "（x·W + b）和"),
        element("span", { className: "of-memory" }, t("what the old state brings", "旧状态带来的")), t(`, ${memory}.`, `（${memory}）。`)),
      element("p", { className: "sum" }, t(
        `All ${width} units and the bias: log-odds ${plain(before)} → ${plain(after)}, that is ${percent(probabilities()[position])} positive.`,
        `${width} 个单元加偏置：对数几率 ${plain(before)} → ${plain(after)}，即好评概率 ${percent(probabilities()[position])}。`,
      )),
    );
  }

  // --- what the reader does

  function go(to) {
    if (!now || !now.count) return;
    const place = Math.max(1, Math.min(now.count, to)), isSame = isMoved && place === position;
    position = place;
    isMoved = true;
    if (isSame) return;
    point();
  }

  function turn(to) {
    epoch = epochs[to];
    slider.value = to;
    refresh(true);
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    write();
  }

  play.addEventListener("click", () => {
    if (playing) {
      stop();
      return;
    }
    playing = setInterval(() => {
      const next = epochs.indexOf(epoch) + 1;
      if (next <= lastEpoch) turn(next);
      if (next >= lastEpoch) stop();
    }, REST);
    if (epoch === epochs.at(-1)) turn(0);
    write();
  });
  slider.addEventListener("input", () => {
    if (playing) stop();
    turn(Number(slider.value));
  });
  wordSlider.addEventListener("input", () => go(Number(wordSlider.value)));
  units.addEventListener("change", () => {
    unit = units.value === "" ? null : Number(units.value);
    point();
  });
  chart.drawing.addEventListener("pointermove", (event) => {
    const x = event.clientX - chart.drawing.getBoundingClientRect().left - LEFT;
    if (x > 0 && x < chart.column() * now.count) go(1 + Math.floor(x / chart.column()));
  });

  readAlong = (written) => {
    text = written;
    isMoved = false;
    isStale = true;
    clearTimeout(waiting);
    if (isSeen) waiting = setTimeout(refresh, AFTER); // the answer above is shown first
  };
  new IntersectionObserver(([{ isIntersecting }]) => {
    isSeen = isIntersecting;
    if (isSeen && isStale) refresh();
  }, { rootMargin: "100px" }).observe(byId("cells"));
  addEventListener("beforeprint", () => {
    const seen = isSeen;
    isSeen = true;
    refresh();
    lookInside();
    isSeen = seen;
  });
  new ResizeObserver(() => {
    chart.resize(plot.clientWidth);
    if (now) chart.mark(position);
  }).observe(plot);
  onLanguage(() => {
    if (!now) return;
    colours = null; // another theme
    chart.resize(plot.clientWidth); // with names in another language
    write();
    if (now.steps) lookInside();
  });
  text = byId("text").value;
  refresh();
}
