"use strict";

// A review being read: its words, the probability after each of them, the hidden state, and a slider through it all.

const PUSH = 0.1; // a smaller change of the log-odds is not marked
const CLEAR = 0.3; // a change this large is underlined
const STRONG = 1.5; // a change this large has the full colour, of this opacity:
const STRONGEST = 0.55;
const SEPARATOR = contents.tokenizer === "char" ? "" : " "; // between two tokens
const joined = (words) => words.join(SEPARATOR);

// The rounded probabilities of a stored review do not tell those beyond apart.
function logOdds(probability) {
  const share = Math.min(1 - 1e-5, Math.max(1e-5, probability));
  return Math.log(share / (1 - share));
}

// Shows the words from `first` to `last`, the rest as unread. `probability` is before the first of them and after each.
// `typed`: how the text is written {before, words, gaps, after}. `struck`: the places of the words that are struck out.
// `scroller` returns what scrolls, if not the box itself.
function wordsView(onChoose, scroller) {
  const before = element("span", { className: "unread" }), after = element("span", { className: "unread" });
  const box = element("div", { className: "words", tabIndex: 0, role: "group" }, before, after);
  const nodes = [];
  if (onChoose) {
    box.addEventListener("click", (event) => {
      const position = nodes.indexOf(event.target);
      if (position >= 0) onChoose(position + 1);
    });
  }

  // The word under the pointer, from 1, though it may be covered; 0: none.
  const positionAt = ({ clientX, clientY }) =>
    1 + nodes.indexOf(document.elementsFromPoint(clientX, clientY).find((it) => nodes.includes(it)));

  function show({ words, known, first = 0, last = words.length, probability, typed, struck }) {
    before.textContent = typed ? typed.before : first ? joined(words.slice(0, first)) + SEPARATOR : "";
    after.textContent = typed ? typed.after : joined(words.slice(last));
    while (nodes.length > last - first) {
      const node = nodes.pop();
      node.nextSibling.remove();
      node.remove();
    }
    while (nodes.length < last - first) {
      const node = document.createElement("b");
      after.before(node, document.createTextNode(""));
      nodes.push(node);
    }
    nodes.forEach((node, i) => {
      const push = probability ? logOdds(probability[i + 1]) - logOdds(probability[i]) : 0; // NaN while it is not known
      const direction = push > PUSH ? "up" : push < -PUSH ? "down" : "";
      const kind = struck?.has(first + i) ? "struck"
        : `${direction}${Math.abs(push) > CLEAR ? " clear" : ""}${known[first + i] ? "" : " unknown"}`;
      const strength = direction ? Math.min(1, Math.abs(push) / STRONG) * STRONGEST : 0;
      const ground = direction ? `rgba(var(--${direction}), ${strength.toFixed(2)})` : "";
      const word = typed ? typed.words[i] : words[first + i], gap = typed ? typed.gaps[i] : SEPARATOR;
      if (node.textContent !== word) node.textContent = word;
      if (node.nextSibling.data !== gap) node.nextSibling.data = gap;
      if (node.kind !== kind) node.className = node.kind = kind;
      if (node.ground !== ground) node.style.background = node.ground = ground;
    });
  }

  let here = null;
  function mark(position, isFollowed) {
    const now = nodes[position - 1] || null;
    if (now === here) return; // the reader may have scrolled on
    if (here) here.classList.remove("here");
    here = now;
    if (!here) return;
    here.classList.add("here");
    if (!isFollowed) return;
    const frame = scroller ? scroller() : box;
    if (here.offsetTop < frame.scrollTop || here.offsetTop + here.offsetHeight > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = here.offsetTop - frame.clientHeight / 2;
    }
  }
  return { box, show, mark, positionAt };
}

// Colours a canvas, a pixel for each column and row: `pixelAt` gives its colour and how strong it is, from 0 to 1.
function paint(canvas, columns, rows, pixelAt) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += 4) {
      const [colour, strength] = pixelAt(column, row);
      image.data.set(colour, at);
      image.data[at + 3] = 255 * strength;
    }
  }
  context.putImageData(image, 0, 0);
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

// What each unit of the state adds to the logit: its value times its weight.
function heatMap() {
  const side = sideOf(NAMES);
  const canvas = element("canvas", { className: "states", role: "img" });
  const isSum = model.pooling === "last" && !model.bidirectional && !model.ngrams;
  const box = element("figure", {}, element("figcaption", {}, t(
    "The hidden state: words across, units down", "隐藏状态：横向是单词，纵向是单元",
  )), canvas, element("p", { className: "quiet" }, t(
    "Each cell is a unit's value times its weight in the answer: blue speaks for " +
      `${side[0]}, orange against it. The unit with the highest weight is at the top.` +
      (isSum ? ` A column's sum and the bias are the ${isPair ? "log-odds" : "logit of the class"} after that word.` : ""),
    `每格是一个单元的值乘以它在输出里的权重：蓝色支持${side[1]}，橙色反对。权重最大的单元在最上面。` +
      (isSum ? `一列之和加上偏置，就是读完这个词之后${isPair ? "的对数几率" : "该类别的 logit"}。` : ""),
  )));
  onLanguage(() => canvas.setAttribute("aria-label", inLanguage([
    "Heat map of what each unit of the hidden state adds to the answer, word by word",
    "热力图：隐藏状态的每个单元逐词给答案加了多少",
  ])));

  let drawn = {};
  function show({ states, width, readout }, plot) {
    if (drawn.states === states && drawn.plot === plot) return; // more is known of the line alone
    drawn = { states, plot };
    const columns = states.length / width, order = [...readout.keys()].sort((a, b) => readout[b] - readout[a]);
    const largest = Math.max(...readout.map(Math.abs));
    const [up, down] = ["--up", "--down"].map((name) => color(name).split(",").map(Number));
    canvas.style.height = `${Math.min(320, width * 6)}px`;
    canvas.style.marginLeft = `${plot.bbox.left / devicePixelRatio}px`; // below the line, word by word
    canvas.style.width = `${plot.bbox.width / devicePixelRatio}px`;
    paint(canvas, Math.max(1, columns), width, (column, row) => {
      const value = columns ? states[column * width + order[row]] * readout[order[row]] / largest : 0;
      return [value < 0 ? down : up, Math.min(1, Math.abs(value)) ** 0.7]; // so that small ones are seen
    });
  }
  return { box, show };
}

function colourKey() {
  const side = sideOf(NAMES);
  const sample = (kind, ...pair) => t(...pair.map((text) => element("b", { className: kind }, text)));
  return element("p", { className: "key quiet" },
    sample("up clear", `spoke for ${side[0]} here`, `在这里支持${side[1]}`), " ",
    sample("down clear", "spoke against it", "反对"), " ", sample("unknown", "not in the vocabulary", "不在词表里"), " ",
    t("The stronger the colour, the larger the change of the log-odds, log(p / (1 − p)).",
      "颜色越深，对数几率 log(p / (1 − p)) 变化越大。"));
}

// Words, the line of the probability, a slider through the words; and, for `withStates`, the hidden state.
// `show` takes words, known, first, last; `readings`, a list of {label, probability, of} before the first word and after
// each, `of` the name of the class; for the hidden state `states`, `width` and the `readout` of the network. Where words can
// be struck out, `struck` says which are; `strike` does it to one word or puts it back, `other` tells the probability then.
// `classes`: their names; two have a `threshold`. `surface`: a view of words that stands elsewhere; its reader types.
function readingView({ names, classes = NAMES, threshold = contents.threshold, surface = null }) {
  const ofPair = classes.length === 2, side = sideOf(classes);
  let shown = null, position = 0, playing = null, plot = null, isFollowed = false;
  const others = new Map(); // what `other` said, by position
  const words = surface || wordsView((chosen) => go(chosen));
  const slider = element("input", { type: "range", min: 0, max: 0, value: 0 });
  const status = element("p", { className: "status" }); // the slider says it aloud
  const play = element("button", { type: "button" }), strike = element("button", { type: "button" });
  const heat = surface ? heatMap() : null;
  const line = chart({
    title: [`Probability of ${side[0]} after each word`,
      ofPair ? `每读完一个词，网络认为评论是${side[1]}的概率` : `每读完一个词，${side[1]}的概率`],
    labels: [["words read", "已读单词数"], ["probability", "概率"]],
    x: [0], lines: [...names.map((label) => ({ label, values: [null] })),
      ...(ofPair ? [{ label: [`threshold ${threshold}`, `判定阈值 ${threshold}`], values: [threshold], quiet: true }] : [])],
    fixed: { y: [0, 1], x: (u, low, high) => [0, Math.max(high, 1)], wholeX: true }, height: 240,
    onDraw: (u) => {
      plot = u;
      if (!shown) return;
      if (heat) heat.show(shown, plot);
      point();
    },
    onCursor: ({ cursor }) => go(cursor.idx ?? position),
  });
  const figures = element("div", {}, line.figure, heat ? heat.box : []);
  const box = element("div", {}, surface ? [] : words.box,
    element("div", { className: "controls" }, play, slider, surface ? strike : [], status), surface ? colourKey() : figures);

  const namePlay = () => { play.textContent = inLanguage(playing ? ["Stop", "停止"] : ["Play", "播放"]); };
  onLanguage(() => {
    slider.setAttribute("aria-label", inLanguage(["words read", "已读单词数"]));
    words.box.setAttribute("aria-label", inLanguage(["the review", "评论"]));
    namePlay();
    if (shown) writeStatus();
  });

  function writeStatus() {
    const first = shown.first || 0, word = shown.words[first + position - 1];
    const isStruck = Boolean(shown.struck?.has(first + position - 1));
    strike.textContent = inLanguage(isStruck ? ["Put back", "放回"] : ["Strike out", "划掉"]);
    strike.disabled = !position;
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
    if (shown.other && position && isFollowed) { // it takes a while, too long for every keystroke
      if (!others.has(position)) others.set(position, shown.other(position));
      const [en, zh] = said(others.get(position), shown.readings[0].of);
      parts.push(inLanguage(isStruck ? [`struck out; the review with this word: ${en}`, `已划掉；放回这个词，整篇：${zh}`]
        : [`the review without this word: ${en}`, `去掉这个词，整篇：${zh}`]));
    }
    status.textContent = parts.join(" · ");
    slider.setAttribute("aria-valuetext", status.textContent);
  }

  const total = () => (shown.last ?? shown.words.length) - (shown.first || 0);

  function point() {
    words.mark(position, isFollowed);
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

  function move(to) {
    words.mark(0);
    isFollowed = true;
    go(to);
  }

  slider.addEventListener("input", () => move(Number(slider.value)));
  function strikeOut(at) {
    if (!at) return;
    shown.strike(at);
    move(at);
  }
  strike.addEventListener("click", () => strikeOut(position));
  slider.addEventListener("keydown", ({ key }) => {
    if (surface && (key === "Delete" || key === "Backspace")) strikeOut(position);
  });
  play.addEventListener("click", () => {
    if (playing) {
      stop();
      return;
    }
    if (position >= total()) move(0);
    playing = setInterval(() => {
      move(position + 1);
      if (position >= total()) stop();
    }, 140);
    namePlay();
  });

  // `again`: the same words, of which more is known now, so that the reader's position stays.
  function show(reading, again = false) {
    shown = reading;
    isFollowed = again && isFollowed;
    if (!again) others.clear();
    if (!again && !surface) words.box.scrollTop = 0;
    const count = total();
    words.show({ ...reading, probability: reading.readings.length === 1 ? reading.readings[0].probability : null });
    slider.max = count;
    line.show(Array.from({ length: count + 1 }, (_, i) => i),
      [...reading.readings.map(({ probability }) => Array.from(probability, (p) => (Number.isNaN(p) ? null : p))),
        ...(ofPair ? [new Array(count + 1).fill(threshold)] : [])]);
    go(again ? position : count);
  }
  return { box, figures, show, stop, move, strike: strikeOut };
}
