"use strict";

// A review being read: its words, the probability after each of them, the hidden state, and a slider through it all.

const PUSH = 0.02; // a smaller change of the probability is not marked
const STRONG = 0.3; // a change this large has the full colour
const SEPARATOR = contents.tokenizer === "char" ? "" : " "; // between two tokens
const joined = (words) => words.join(SEPARATOR);

// Shows the words from `first` to `last`, the rest as unread. `probability` is before the first of them and after each.
function wordsView(onChoose) {
  const before = element("span", { className: "unread" }), after = element("span", { className: "unread" });
  const box = element("div", { className: "words", tabIndex: 0, role: "group" }, before, after);
  const nodes = [];
  if (onChoose) {
    box.addEventListener("click", (event) => {
      const position = nodes.indexOf(event.target);
      if (position >= 0) onChoose(position + 1);
    });
  }

  function show({ words, known, first = 0, last = words.length, probability }) {
    before.textContent = first ? joined(words.slice(0, first)) + SEPARATOR : "";
    after.textContent = joined(words.slice(last));
    while (nodes.length > last - first) {
      const node = nodes.pop();
      node.nextSibling.remove();
      node.remove();
    }
    while (nodes.length < last - first) {
      const node = document.createElement("b");
      after.before(node, SEPARATOR);
      nodes.push(node);
    }
    nodes.forEach((node, i) => {
      const push = probability ? probability[i + 1] - probability[i] : 0; // NaN while it is not known
      const direction = push > PUSH ? "up" : push < -PUSH ? "down" : "";
      const kind = `${direction}${known[first + i] ? "" : " unknown"}`;
      const strength = direction ? Math.min(1, Math.abs(push) / STRONG) * 0.5 : 0;
      const ground = direction ? `rgba(var(--${direction}), ${strength.toFixed(2)})` : "";
      if (node.textContent !== words[first + i]) node.textContent = words[first + i];
      if (node.kind !== kind) node.className = node.kind = kind;
      if (node.ground !== ground) node.style.background = node.ground = ground;
    });
  }

  let here = null;
  function mark(position) {
    const now = nodes[position - 1] || null;
    if (now === here) return; // the reader may have scrolled on
    if (here) here.classList.remove("here");
    here = now;
    if (!here) return;
    here.classList.add("here");
    if (here.offsetTop < box.scrollTop || here.offsetTop + here.offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = here.offsetTop - box.clientHeight / 2;
    }
  }
  return { box, show, mark };
}

// A bar for each class, of many the most probable ones first; `look` is called with the class of the bar that is pressed.
function classBars(look) {
  const rows = NAMES.map((name, label) => {
    const parts = [element("span", {}, t(...name)), element("span", {}, element("i")), element("span")];
    const row = element("button", { type: "button", className: "bar" }, parts);
    row.addEventListener("click", () => look(label));
    return row;
  });
  const hidden = element("details", { hidden: rows.length <= FEW }, element("summary", {}, t("All classes", "全部类别")));
  const box = element("div", { className: "bars" }, hidden, rows);

  function show(probabilities, looked) {
    const order = Array.from(probabilities.keys());
    if (rows.length > FEW) order.sort((a, b) => probabilities[b] - probabilities[a]);
    order.forEach((label, place) => {
      const row = rows[label];
      row.style.order = place; // a row that moved in the page would lose the focus
      row.classList.toggle("rest", place >= FEW && label !== looked);
      row.setAttribute("aria-pressed", String(label === looked));
      row.querySelector("i").style.width = row.lastChild.textContent = percent(probabilities[label]);
    });
  }
  return { box, show };
}

function heatMap() {
  const canvas = element("canvas", { className: "states", role: "img" });
  const box = element("figure", {}, element("figcaption", {}, t(
    "Hidden state: one column per word, one row per unit",
    "隐藏状态：每列对应一个单词，每行对应一个单元",
  )), canvas, element("p", { className: "quiet" }, t(
    "White is 0, blue is positive (darkest at 1), orange is negative (darkest at −1).",
    "白色为 0，蓝色为正（越深越接近 1），橙色为负（越深越接近 −1）。",
  )));
  onLanguage(() => canvas.setAttribute("aria-label", inLanguage([
    "Heat map of the hidden state; the slider announces the largest values at each word",
    "隐藏状态热力图；移动滑块会读出每个单词处绝对值最大的几个数",
  ])));

  function show(states, width, plot) {
    const columns = states.length / width;
    canvas.width = Math.max(1, columns);
    canvas.height = width;
    canvas.style.height = `${Math.min(320, width * 5)}px`;
    canvas.style.marginLeft = `${plot.bbox.left / devicePixelRatio}px`; // below the line, word by word
    canvas.style.width = `${plot.bbox.width / devicePixelRatio}px`;
    if (!columns) return;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, width);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < width; row++) {
        const value = Math.max(-1, Math.min(1, states[column * width + row])), strength = Math.abs(value);
        const [r, g, b] = value > 0 ? [20, 90, 180] : [190, 80, 0];
        const at = 4 * (row * columns + column);
        image.data[at] = 255 + (r - 255) * strength;
        image.data[at + 1] = 255 + (g - 255) * strength;
        image.data[at + 2] = 255 + (b - 255) * strength;
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }
  return { box, show };
}

const colourKey = () => element("p", { className: "quiet" }, t(
  `Blue with a solid underline: the word raised the probability of ${isPair ? "a positive review" : "the class"}. Orange ` +
    "with a wavy underline: it lowered it. The stronger the colour, the larger the change. Dashed frame: the word is not " +
    "in the vocabulary.",
  `蓝色加实线：这个词提高了${isPair ? "好评" : "该类别"}的概率；橙色加波浪线：降低了${isPair ? "好评" : "该类别"}的概率；` +
    "颜色越深，变化越大。虚线框：这个词不在词表里。",
));

// Words, the line of the probability, a slider through the words; and, for `withStates`, the hidden state.
// `show` takes words, known, first, last; `readings`, a list of {label, probability, of} before the first word and after
// each, `of` the name of the class; and, for the hidden state, `states` and `width`. `ofPair`: there are two classes, with a `threshold`.
function readingView({ names, ofPair = isPair, threshold = contents.threshold, withStates = false }) {
  let shown = null, position = 0, playing = null, plot = null;
  const words = wordsView((chosen) => go(chosen));
  const slider = element("input", { type: "range", min: 0, max: 0, value: 0 });
  const status = element("p", { className: "status" }); // the slider says it aloud
  const play = element("button", { type: "button" });
  const heat = withStates ? heatMap() : null;
  const line = chart({
    title: ofPair ? ["Probability that the review is positive, after each word", "每读完一个词，网络认为评论是好评的概率"]
      : ["Probability of the class after each word", "每读完一个词，该类别的概率"],
    labels: [["words read", "已读单词数"], ["probability", "概率"]],
    x: [0], lines: [...names.map((label) => ({ label, values: [null] })),
      ...(ofPair ? [{ label: [`threshold ${threshold}`, `判定阈值 ${threshold}`], values: [threshold], quiet: true }] : [])],
    fixed: { y: [0, 1], x: (u, low, high) => [0, Math.max(high, 1)], wholeX: true }, height: 240, withTable: false,
    onDraw: (u) => {
      plot = u;
      if (!shown) return;
      if (heat) heat.show(shown.states, shown.width, plot);
      point();
    },
  });
  const box = element("div", { className: "reading" }, words.box, names.length === 1 ? colourKey() : [],
    element("div", { className: "controls" }, play, slider, status), line.figure, heat ? heat.box : []);

  const namePlay = () => { play.textContent = inLanguage(playing ? ["Stop", "停止"] : ["Play", "播放"]); };
  onLanguage(() => {
    slider.setAttribute("aria-label", inLanguage(["words read", "已读单词数"]));
    words.box.setAttribute("aria-label", inLanguage(["the review", "评论"]));
    namePlay();
    if (shown) writeStatus();
  });

  function writeStatus() {
    const first = shown.first || 0, word = shown.words[first + position - 1];
    const parts = [];
    if (position) {
      const unknown = shown.known[first + position - 1] ? "" : inLanguage([" (unknown word)", "（未知词）"]);
      parts.push(inLanguage([
        `word ${position} of ${total()}: “${word}”${unknown}`, `第 ${position} 个词（共 ${total()} 个）：“${word}”${unknown}`,
      ]));
    } else {
      parts.push(inLanguage(["before the first word", "读第一个词之前"]));
    }
    shown.readings.forEach(({ label, probability, of }) => {
      const now = probability[position];
      if (now === null || now === undefined || Number.isNaN(now)) return;
      const name = shown.readings.length > 1 ? `${inLanguage(label)} ` : "";
      const push = position ? 100 * (now - probability[position - 1]) : NaN, by = signed(push, 1);
      const change = Number.isFinite(push) ? inLanguage([`, ${by} points`, `，${by} 个百分点`]) : "";
      parts.push(`${name}${inLanguage(said(now, of))}${change}`);
    });
    if (heat && position) {
      const column = shown.states.length / shown.width - (total() - position) - 1;
      const state = shown.states.subarray(column * shown.width, (column + 1) * shown.width);
      const largest = Array.from(state.keys()).sort((a, b) => Math.abs(state[b]) - Math.abs(state[a])).slice(0, 3);
      const text = largest.map((unit) => `#${unit + 1} ${signed(state[unit], 2)}`).join(" ");
      parts.push(inLanguage([`largest values of the state: ${text}`, `状态中绝对值最大的数：${text}`]));
    }
    status.textContent = parts.join(" · ");
    slider.setAttribute("aria-valuetext", status.textContent);
  }

  const total = () => (shown.last ?? shown.words.length) - (shown.first || 0);

  function point() {
    words.mark(position);
    if (plot) plot.setCursor({ left: plot.valToPos(position, "x"), top: 0 }, false);
    writeStatus();
  }

  function go(to) {
    position = Math.max(0, Math.min(total(), to));
    slider.value = position;
    point();
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    namePlay();
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  play.addEventListener("click", () => {
    if (playing) {
      stop();
      return;
    }
    if (position >= total()) go(0);
    playing = setInterval(() => {
      go(position + 1);
      if (position >= total()) stop();
    }, 140);
    namePlay();
  });

  // `again`: the same words, of which more is known now, so that the reader's position stays.
  function show(reading, again = false) {
    shown = reading;
    const count = total();
    words.show({ ...reading, probability: reading.readings.length === 1 ? reading.readings[0].probability : null });
    slider.max = count;
    line.show(Array.from({ length: count + 1 }, (_, i) => i),
      [...reading.readings.map(({ probability }) => Array.from(probability, (p) => (Number.isNaN(p) ? null : p))),
        ...(ofPair ? [new Array(count + 1).fill(threshold)] : [])]);
    go(again ? position : count);
  }
  return { box, show, stop };
}
