"use strict";

const contents = JSON.parse(document.getElementById("contents-of-the-page").textContent);
const pageBytes = new Blob([document.documentElement.outerHTML]).size;
const html = document.documentElement;
const byId = (id) => document.getElementById(id);

// Text ---------------------------------------------------------------------------------------------------------------

// Every text is a pair, [English, Chinese]. Both stand in the page and the style sheet shows one; what cannot hold
// elements (labels, canvases) is written anew by `onLanguage`.
const inLanguage = ([en, zh]) => (html.lang === "zh" ? closeUp(zh) : en);
const closeUp = (zh) => zh.replaceAll("\u00a0%", "%"); // no space in Chinese

function t(en, zh) {
  return [element("span", { lang: "en" }, en), element("span", { lang: "zh" }, closeUp(zh))];
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity));
  return made;
}

const listeners = [];
function onLanguage(write) {
  listeners.push(write);
  write();
}

function setLanguage(language) {
  html.lang = language;
  listeners.forEach((write) => write());
}

const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const points = (push) => `${push < 0 ? "−" : "+"}${(100 * Math.abs(push)).toFixed(1)}`;
const number = (value) => value.toLocaleString("en-US");
const NAMES = { 0: ["negative", "负面"], 1: ["positive", "正面"] };
const labelled = (label) => t(...NAMES[label]);

// Tables -------------------------------------------------------------------------------------------------------------

function fillTable(table, rows, head) {
  if (head) table.append(element("thead", {}, element("tr", {}, head.map((of) => element("th", { scope: "col" }, of)))));
  const body = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), rest.map((of) => element("td", {}, of))));
  table.append(element("tbody", {}, body));
  return table;
}

function flat(values, above = "") {
  return Object.entries(values).flatMap(([key, value]) =>
    value !== null && typeof value === "object" ? flat(value, `${above}${key}.`) : [[above + key, String(value)]]);
}

// Charts -------------------------------------------------------------------------------------------------------------

const DASHES = [[], [8, 5], [2, 4], [12, 4, 2, 4], [5, 3]];
const color = (name) => getComputedStyle(html).getPropertyValue(name).trim();

// Draws lines over `x`: `lines` are {label, values}, `labels` of the axes and `title` pairs. `fixed` has ranges and
// scales. Gives the figure, and a function that draws other numbers.
function chart({ title, x, lines, labels, fixed = {}, height = 260, withTable = true, onDraw }) {
  const place = element("div", { role: "img" });
  const figure = element("figure", {}, element("figcaption", {}, t(...title)), place);
  let drawn = null;

  function options(width) {
    const axis = (label, more) => ({
      label: inLanguage(label), stroke: color("--text"), font: "12px system-ui", labelFont: "12px system-ui",
      grid: { stroke: color("--line"), width: 0.5 }, ticks: { stroke: color("--line") }, labelSize: 22, ...more,
    });
    const shown = (u, value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(4))));
    return {
      width, height,
      scales: {
        x: { time: false, range: fixed.x, distr: fixed.logX ? 3 : 1 },
        y: { range: fixed.y, distr: fixed.logY ? 3 : 1 },
      },
      axes: [axis(labels[0], { size: 32 }), axis(labels[1], { size: 52 })],
      series: [
        { label: inLanguage(labels[0]), value: shown },
        ...lines.map((line, place) => ({
          label: inLanguage(line.label), value: shown, spanGaps: Boolean(line.spanGaps),
          stroke: color(line.quiet ? "--quiet" : `--series-${(place % 5) + 1}`),
          width: line.quiet ? 1 : 2, dash: line.quiet ? [3, 3] : DASHES[place % 5], points: { show: Boolean(line.points) || x.length === 1 },
        })),
      ],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { ready: [markLines], draw: onDraw ? [onDraw] : [] },
    };
  }

  // The legend shows each line as it is drawn, dashes too.
  function markLines(u) {
    u.root.querySelectorAll(".u-marker").forEach((marker, place) => {
      if (!place) return; // of x
      const { stroke, width, dash } = u.series[place];
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const values = { x1: 0, y1: 4, x2: 34, y2: 4, stroke: stroke(u), "stroke-width": width, "stroke-dasharray": dash.join(" ") };
      for (const [name, value] of Object.entries(values)) line.setAttribute(name, value);
      svg.append(line);
      marker.replaceChildren(svg);
    });
  }

  function draw() {
    const width = place.clientWidth;
    if (!width) return;
    if (drawn) drawn.destroy();
    drawn = new uPlot(options(width), [x, ...lines.map((line) => line.values)], place);
    const ends = lines.filter((line) => !line.quiet).map((line) => {
      const found = line.values.filter((value) => value !== null && value !== undefined).map((value) => String(Number(value.toPrecision(3))));
      return inLanguage([`${line.label[0]} from ${found[0]} to ${found.at(-1)}`, `${line.label[1]}从 ${found[0]} 到 ${found.at(-1)}`]);
    });
    place.setAttribute("aria-label", `${inLanguage(title)}: ${ends.join("; ")}`);
  }

  if (withTable) {
    const details = element("details", {}, element("summary", {}, t("Numbers", "数值")));
    details.addEventListener("toggle", () => {
      if (details.children.length > 1) return;
      const rows = x.map((of, i) => [String(of), ...lines.map((line) => String(line.values[i] ?? ""))]);
      const head = [labels[0], ...lines.map((line) => line.label)].map((pair) => t(...pair));
      details.append(element("div", { tabIndex: 0 }, fillTable(element("table"), rows, head)));
    });
    figure.append(details);
  }

  listeners.push(draw);
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    draw();
  }).observe(place);

  function show(newX, values) {
    x = newX;
    lines.forEach((line, i) => { line.values = values[i]; });
    if (drawn) drawn.setData([x, ...values]);
  }
  return { figure, show };
}

// A review being read ------------------------------------------------------------------------------------------------

const PUSH = 0.02; // a smaller push on the probability is not marked
const STRONG = 0.3; // a push this large has the full colour

// Shows the words from `first` to `last`, the rest as unread. `probability` is before the first of them and after each.
function wordsView(onChoose) {
  const before = element("span", { className: "unread" }), after = element("span", { className: "unread" });
  const box = element("div", { className: "words long", tabIndex: 0, role: "group" }, before, after);
  const nodes = [];
  if (onChoose) {
    box.addEventListener("click", (event) => {
      const place = nodes.indexOf(event.target);
      if (place >= 0) onChoose(place + 1);
    });
  }

  function show({ words, known, first = 0, last = words.length, probability }) {
    before.textContent = first ? words.slice(0, first).join(" ") + " " : "";
    after.textContent = words.slice(last).join(" ");
    while (nodes.length > last - first) {
      const node = nodes.pop();
      node.nextSibling.remove();
      node.remove();
    }
    while (nodes.length < last - first) {
      const node = document.createElement("b");
      after.before(node, " ");
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
  function mark(place) {
    const now = nodes[place - 1] || null;
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

function heatMap() {
  const canvas = element("canvas", { className: "states", role: "img" });
  const box = element("figure", {}, element("figcaption", {}, t(
    "Hidden state: a column for each word, a row for each of its numbers",
    "隐藏状态：每列一个单词，每行是状态中的一个数",
  )), canvas, element("p", { className: "quiet" }, t(
    "White is 0, blue is above (dark: near 1), orange below (dark: near −1).",
    "白色为 0，蓝色为正（越深越接近 1），橙色为负（越深越接近 −1）。",
  )));
  onLanguage(() => canvas.setAttribute("aria-label", inLanguage([
    "Heat map of the hidden state; the slider tells its largest numbers at each word",
    "隐藏状态热力图；移动滑块可以听到每个单词处最大的几个数",
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

// Words, the line of the probability, a slider through the words; and, for `withStates`, the hidden state.
// `show` takes words, known, first, last; `readings`, a list of {label, probability} before the first word and after
// each; and, for the hidden state, `states` and `width`.
function readingView({ names, withStates = false }) {
  let shown = null, place = 0, playing = null, plot = null;
  const words = wordsView((chosen) => go(chosen));
  const slider = element("input", { type: "range", min: 0, max: 0, value: 0 });
  const told = element("p", { className: "told" }); // the slider says it aloud
  const play = element("button", { type: "button" });
  const heat = withStates ? heatMap() : null;
  const line = chart({
    title: ["Probability that the review is positive, after each word", "读完每个词后，影评为正面的概率"],
    labels: [["words read", "已读单词数"], ["probability", "概率"]],
    x: [0], lines: [...names.map((label) => ({ label, values: [null] })),
      { label: ["undecided", "无法判断"], values: [0.5], quiet: true }],
    fixed: { y: [0, 1], x: (u, low, high) => [0, Math.max(high, 1)] }, height: 240, withTable: false,
    onDraw: (u) => {
      plot = u;
      if (!shown) return;
      if (heat) heat.show(shown.states, shown.width, plot);
      point();
    },
  });
  const box = element("div", { className: "reading" }, words.box,
    element("div", { className: "controls" }, play, slider, told), line.figure, heat ? heat.box : []);

  onLanguage(() => {
    slider.setAttribute("aria-label", inLanguage(["words read", "已读单词数"]));
    words.box.setAttribute("aria-label", inLanguage(["the review", "影评"]));
    play.textContent = inLanguage(playing ? ["Stop", "停止"] : ["Read along", "逐词播放"]);
    if (shown) tell();
  });

  function tell() {
    const first = shown.first || 0, word = shown.words[first + place - 1];
    const parts = [];
    if (place) {
      const unknown = shown.known[first + place - 1] ? "" : inLanguage([" (unknown to the network)", "（网络不认识）"]);
      parts.push(inLanguage([`word ${place} of ${total()}: “${word}”${unknown}`, `第 ${place} / ${total()} 个词：“${word}”${unknown}`]));
    } else {
      parts.push(inLanguage(["before the first word", "第一个词之前"]));
    }
    shown.readings.forEach(({ label, probability }) => {
      const now = probability[place];
      if (now === null || now === undefined || Number.isNaN(now)) return;
      const name = shown.readings.length > 1 ? `${inLanguage(label)} ` : "";
      const by = place ? points(now - probability[place - 1]) : "";
      const push = Number.isFinite(probability[place - 1]) ? inLanguage([`, ${by} points`, `，${by} 个百分点`]) : "";
      parts.push(`${name}${inLanguage([`${percent(now)} positive`, `正面概率 ${percent(now)}`])}${push}`);
    });
    if (heat && place) {
      const column = shown.states.length / shown.width - (total() - place) - 1;
      const numbers = Array.from(shown.states.subarray(column * shown.width, (column + 1) * shown.width), (value, unit) => [unit + 1, value]);
      const largest = numbers.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 3);
      const text = largest.map(([unit, value]) => `#${unit} ${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`).join(" ");
      parts.push(inLanguage([`largest numbers of the state: ${text}`, `状态中最大的几个数：${text}`]));
    }
    told.textContent = parts.join(" · ");
    slider.setAttribute("aria-valuetext", told.textContent);
  }

  const total = () => (shown.last ?? shown.words.length) - (shown.first || 0);

  function point() {
    words.mark(place);
    if (plot) plot.setCursor({ left: plot.valToPos(place, "x"), top: 0 }, false);
    tell();
  }

  function go(to) {
    place = Math.max(0, Math.min(total(), to));
    slider.value = place;
    point();
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    play.textContent = inLanguage(["Read along", "逐词播放"]);
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  play.addEventListener("click", () => {
    if (playing) {
      stop();
      return;
    }
    if (place >= total()) go(0);
    playing = setInterval(() => {
      go(place + 1);
      if (place >= total()) stop();
    }, 140);
    play.textContent = inLanguage(["Stop", "停止"]);
  });

  // `again`: the same words, of which more is known now, so that the reader's place stays.
  function show(reading, again = false) {
    shown = reading;
    const count = total();
    words.show({ ...reading, probability: reading.readings.length === 1 ? reading.readings[0].probability : null });
    slider.max = count;
    line.show(Array.from({ length: count + 1 }, (_, i) => i),
      [...reading.readings.map((of) => Array.from(of.probability, (p) => (Number.isNaN(p) ? null : p))),
        new Array(count + 1).fill(0.5)]);
    go(again ? place : count);
  }
  return { box, show, stop };
}

// Buttons of which one is pressed, each with what it shows.
function choices(box, labels, choose) {
  const buttons = labels.map((label, i) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, `${i + 1} `, label);
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      choose(i);
    });
    return button;
  });
  box.append(...buttons);
  if (buttons.length) buttons[0].click();
}

// Sections -----------------------------------------------------------------------------------------------------------

const model = contents.parameters.model;
const NETWORK = ["network", "网络"];

function showHead() {
  const test = contents.metrics.test;
  const reviews = contents.confusion.reduce((sum, cell) => sum + cell.reviews, 0);
  byId("summary").append(...t(
    `${model.bidirectional ? "bidirectional " : ""}${model.cell}, ${model.units} units, ${number(contents.weights)} weights: ` +
      `${percent(test.accuracy)} of ${number(reviews)} test reviews judged right.`,
    `${model.bidirectional ? "双向 " : ""}${model.cell}，${model.units} 个单元，${number(contents.weights)} 个权重：` +
      `${number(reviews)} 篇测试影评中判对 ${percent(test.accuracy)}。`,
  ));
  for (const section of document.querySelectorAll("main > section")) {
    const title = section.querySelector("h2");
    byId("contents").append(element("a", { href: `#${section.id}` }, ...title.cloneNode(true).childNodes), " ");
  }
  const button = byId("language");
  button.addEventListener("click", () => setLanguage(html.lang === "zh" ? "en" : "zh"));
  onLanguage(() => {
    button.textContent = html.lang === "zh" ? "English" : "中文";
    button.lang = html.lang === "zh" ? "en-US" : "zh-CN";
    document.title = inLanguage(["A network reads film reviews", "一个读影评的神经网络"]);
  });
  const size = (pageBytes / 1e6).toFixed(1);
  byId("made").append(...t(
    `This page is one file of ${size} MB, loads nothing and sends nothing. Its charts are drawn by uPlot (MIT licence).`,
    `本页是一个 ${size} MB 的独立文件，不加载也不发送任何内容。图表由 uPlot（MIT 许可）绘制。`,
  ));
}

function showRun() {
  fillTable(byId("parameters"), flat(contents.parameters));
  fillTable(byId("provenance"), flat(contents.provenance));
  fillTable(byId("versions"), flat(contents.versions));
}

function showNumbers() {
  const { test, validation } = contents.metrics;
  byId("numbers-text").append(...t(
    `Measured on the test reviews, which chose nothing; the weights are those after epoch ${contents.metrics.kept_epoch}. ` +
      "Were the test reviews drawn anew, the true value would lie in the interval 19 times in 20.",
    `在测试影评上测得；采用第 ${contents.metrics.kept_epoch} 轮训练后的权重。` +
      "若反复重新抽取测试影评，20 次中约有 19 次区间会包含真实值。",
  ));
  const names = {
    accuracy: ["accuracy", "准确率"], precision: ["precision", "精确率"], recall: ["recall", "召回率"],
    f1: ["F1", "F1"], roc_auc: ["area under the ROC curve", "ROC 曲线下面积"], loss: ["loss", "损失"],
  };
  const rows = Object.entries(names).map(([name, pair]) => {
    const ends = contents.intervals[name];
    return [t(...pair), test[name].toFixed(4), ends ? `${ends[0].toFixed(4)} – ${ends[1].toFixed(4)}` : "–",
      validation ? validation[name].toFixed(4) : "–"];
  });
  fillTable(byId("metrics"), rows, [t("measure", "指标"), t("test", "测试"), t("95 % interval", "95% 置信区间"), t("validation", "验证")]);
}

function showTraining() {
  if (contents.parameters.train.validation === "test") {
    byId("training").querySelector("p").append(...t(
      " Validation here means the test reviews, as in the article; the last epoch is kept whatever they say.",
      "这里的“验证”就是测试影评，与文章一致；无论结果如何都保留最后一轮。",
    ));
  }
  const { epoch, ...of } = contents.history;
  const titles = { loss: ["Loss", "损失"], accuracy: ["Accuracy", "准确率"] };
  for (const [name, title] of Object.entries(titles)) {
    byId(name).append(chart({
      title, x: epoch, labels: [["epoch", "训练轮次"], title],
      lines: [
        { label: ["training", "训练"], values: of[name], points: true },
        { label: ["validation", "验证"], values: of[`val_${name}`], points: true },
      ],
    }).figure);
  }
}

function showWrong() {
  const named = { negative: NAMES[0], positive: NAMES[1] };
  const rows = ["negative", "positive"].map((label) => {
    const cells = contents.confusion.filter((cell) => cell.label === label);
    const sum = cells.reduce((total, cell) => total + cell.reviews, 0);
    return [t(`is ${label}`, `实际${named[label][1]}`), ...["negative", "positive"].map((predicted) => {
      const { reviews } = cells.find((cell) => cell.predicted === predicted);
      return [number(reviews), element("br"), percent(reviews / sum)];
    })];
  });
  fillTable(byId("confusion"), rows, [t("reviews", "影评数"), t("judged negative", "判为负面"), t("judged positive", "判为正面")]);
  byId("confusion").querySelectorAll("tbody tr").forEach((row, i) => row.children[i + 1].classList.add("right"));

  const { fpr, tpr } = contents.roc;
  byId("roc").append(chart({
    title: ["Positive reviews found, by negative reviews taken for positive", "真正例率与假正例率"],
    labels: [["false positive rate", "假正例率"], ["true positive rate", "真正例率"]],
    x: fpr, lines: [{ label: NETWORK, values: tpr }, { label: ["chance", "随机猜测"], values: fpr, quiet: true }],
    fixed: { x: [0, 1], y: [0, 1] },
  }).figure);

  const { predicted, positive, low, high } = contents.calibration;
  byId("calibration").append(chart({
    title: ["What came true of the probabilities", "预测概率与实际比例"],
    labels: [["mean probability given", "给出的平均概率"], ["share of positive reviews", "正面影评占比"]],
    x: predicted, fixed: { x: [0, 1], y: [0, 1] },
    lines: [
      { label: NETWORK, values: positive, points: true },
      { label: ["interval from", "区间下限"], values: low }, { label: ["to", "上限"], values: high },
      { label: ["perfect", "理想"], values: predicted, quiet: true },
    ],
  }).figure);

  for (const trace of contents.traces.filter((of) => of.kind === "wrong")) {
    const view = wordsView();
    view.show(trace);
    onLanguage(() => view.box.setAttribute("aria-label", inLanguage(["the review", "影评"])));
    const last = trace.probability[trace.probability.length - 1];
    const read = element("button", { type: "button" }, t("Read it above", "放到上面的输入框里读"));
    read.addEventListener("click", () => tryIt(trace.words.join(" ")));
    byId("errors").append(element("article", {}, element("p", {},
      t("It is ", "实际为"), element("strong", {}, labelled(trace.label)),
      t(`; the network gives ${percent(last)} to positive. `, `；网络认为正面概率为 ${percent(last)}。`),
      contents.network ? read : []), view.box));
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function showMemory() {
  const halfLife = contents.half_life_words;
  byId("memory-text").append(...t(
    "How much would the answer change if the word k places back were different? Measured is the gradient of the " +
      "logit with respect to the vector of the word k places from the end, its mean size over " +
      `${number(contents.gradient.reviews[0])} test reviews. ` +
      (halfLife === null
        ? "It does not fall to half of what it is at the last words within the length of the reviews."
        : `It has fallen to half of what it is at the last words ${halfLife.toFixed(0)} words back: the half-life ` +
          "(of means over 10 words).") +
      " At the far end stand only the reviews that are so long, with the first words that the network reads.",
    "如果往前第 k 个词换成别的词，答案会改变多少？这里计算 logit 对倒数第 k 个词的词向量的梯度，" +
      `取 ${number(contents.gradient.reviews[0])} 篇测试影评上的平均大小。` +
      (halfLife === null
        ? "在影评的长度之内，它没有降到最后几个词处的一半。"
        : `往前 ${halfLife.toFixed(0)} 个词，它降到最后几个词处的一半，这就是“半衰期”（按每 10 个词的平均计算）。`) +
      "曲线最右端只剩足够长的影评，那里是网络最先读到的词。",
  ));
  const back = [["words back", "往前的词数"], ["gradient", "梯度"]];
  const kept = [["last words left", "只留最后多少词"], ["accuracy", "准确率"]];
  byId("gradient").append(chart({
    title: ["What a word still does, by its distance from the end", "单词的影响随距结尾的距离而变化"],
    labels: back, x: contents.gradient.k, fixed: { logY: contents.gradient.gradient.every((value) => value > 0) },
    lines: [{ label: NETWORK, values: contents.gradient.gradient }],
  }).figure);
  byId("last-words").append(chart({
    title: ["Accuracy when all but the last words are hidden", "只给网络看最后若干词时的准确率"],
    labels: kept, x: contents.last_words.words, fixed: { logX: true },
    lines: [{ label: NETWORK, values: contents.last_words.accuracy, points: true }],
  }).figure);

  const { networks, source } = contents.compared;
  const names = Object.keys(networks);
  byId("compared-text").append(...t(
    `From the last comparison (make compare), on the reviews of the source “${source}”; every network was trained with ` +
      "several seeds. The table has the median half-life, and the smallest and largest; the curves are means.",
    `取自最近一次对比实验（make compare），影评来源为“${source}”；每个网络用多个随机种子训练。` +
      "表中是半衰期的中位数及最小、最大值；曲线是各次训练的平均。",
  ));
  // By network and window: the half-lives of its runs.
  const livesOf = (name, window) => networks[name].half_life_words[window].map((life) => life ?? Infinity);
  const windows = names.length ? Object.keys(networks[names[0]].half_life_words) : [];
  const life = (value) => (Number.isFinite(value) ? value.toFixed(0) : "∞");
  fillTable(byId("half-lives"), names.map((name) => [name, ...windows.map((window) => {
    const lives = livesOf(name, window);
    return `${life(median(lives))} (${life(Math.min(...lives))} – ${life(Math.max(...lives))})`;
  })]), [t("half-life in words, of means over", "半衰期（词数），按多少个词平均"), ...windows]);
  for (const name of ["lstm", "gru"].filter((other) => networks.simple_rnn && networks[other])) {
    const other = name.toUpperCase(), ways = { every: [], median: [], not: [] };
    for (const window of windows) {
      const simple = livesOf("simple_rnn", window), its = livesOf(name, window);
      const way = Math.max(...simple) < Math.min(...its) ? "every" : median(simple) < median(its) ? "median" : "not";
      ways[way].push(window);
    }
    const said = {
      every: ["shorter in every run", "每次训练都更短"], median: ["shorter in the median only", "只是中位数更短"], not: ["not shorter", "并不更短"],
    };
    const parts = Object.entries(ways).filter(([, of]) => of.length).map(([way, of]) =>
      [`${said[way][0]} with means over ${of.join(", ")} words`, `按 ${of.join("、")} 个词平均时${said[way][1]}`]);
    byId("half-life-verdict").append(element("li", {}, t(
      `The SimpleRNN's half-life beside the ${other}'s: ${parts.map((part) => part[0]).join("; ")}.`,
      `SimpleRNN 的半衰期与 ${other} 相比：${parts.map((part) => part[1]).join("；")}。`,
    )));
  }
  const longest = Math.max(...names.map((name) => networks[name].gradient.length));
  const pairs = names.map((name) => [name, name]);
  byId("compared-gradient").append(chart({
    title: ["What a word still does, beside the last one", "单词的影响（以最后一个词为 1）"],
    labels: back, x: Array.from({ length: longest }, (_, k) => k),
    fixed: { logY: names.every((name) => networks[name].gradient.every((value) => value > 0)) },
    lines: names.map((name, i) => ({
      label: pairs[i],
      values: Array.from({ length: longest }, (_, k) => (k in networks[name].gradient ? networks[name].gradient[k] / networks[name].gradient[0] : null)),
    })),
  }).figure);
  const counts = [...new Set(names.flatMap((name) => Object.keys(networks[name].last_words).map(Number)))].sort((a, b) => a - b);
  byId("compared-last-words").append(chart({
    title: ["Accuracy when all but the last words are hidden", "只给网络看最后若干词时的准确率"],
    labels: kept, x: counts, fixed: { logX: true },
    lines: names.map((name, i) => ({ label: pairs[i], points: true, values: counts.map((of) => networks[name].last_words[of] ?? null), spanGaps: true })),
  }).figure);

  const view = readingView({ names: pairs });
  byId("together").append(view.box);
  const kinds = { right: ["all right", "都判对"], wrong: ["all wrong", "都判错"], divided: ["divided", "意见分歧"] };
  choices(byId("together-choices"), contents.compared.traces.map((of) => [t(...kinds[of.kind]), " (", ...labelled(of.label), ")"]), (i) => {
    const { words: of, probability } = contents.compared.traces[i];
    view.stop();
    view.show({ words: of, known: contents.compared.traces[i].known, readings: names.map((name, k) => ({ label: pairs[k], probability: probability[name] })) });
  });
}

function showTraces() {
  const view = readingView({ names: [NETWORK] });
  byId("trace").append(view.box);
  const kinds = { right: ["surely right", "有把握且判对"], wrong: ["surely wrong", "有把握却判错"], undecided: ["undecided", "拿不定主意"] };
  choices(byId("trace-choices"), contents.traces.map((of) => [t(...kinds[of.kind]), " (", ...labelled(of.label), ")"]), (i) => {
    view.stop();
    view.show({ ...contents.traces[i], readings: [{ label: NETWORK, probability: contents.traces[i].probability }] });
  });
}

// Try it -------------------------------------------------------------------------------------------------------------

const EXAMPLES = [
  "A wonderful film. The acting is superb, the story moved me, and I will watch it again.",
  "Dull, predictable and far too long. I wanted my money back.",
  "I expected a terrible film, but it was not bad at all; in the end I loved it.",
];
const SLICE = 12; // milliseconds of work between two looks at the keyboard

let tryIt = () => {};

function showTry() {
  if (!contents.network) {
    byId("try-body").replaceChildren(element("p", {}, t(
      `This network's cell, ${model.cell}, has no step in JavaScript, so the page cannot read with it.`,
      `当前网络的单元 ${model.cell} 没有 JavaScript 版本，网页无法用它来阅读。`,
    )));
    return;
  }
  const network = openNetwork(contents.network);
  const text = byId("text"), verdict = byId("verdict");
  const view = readingView({ names: [NETWORK], withStates: true });
  byId("reading").append(view.box);
  let before = { ids: [], found: new Map() }; // probabilities of beginnings, by their length, of the text before
  let waiting = null, saying = null, now = null;

  function say() {
    if (!now) return;
    const { seen, probability } = now;
    verdict.dataset.probability = probability;
    clearTimeout(saying); // aloud only when the typing rests
    saying = setTimeout(() => { byId("said").textContent = verdict.textContent; }, 1000);
    if (!seen.words.length) {
      verdict.textContent = inLanguage([`No words yet. It starts from ${percent(probability)} positive.`, `还没有单词。起点是正面概率 ${percent(probability)}。`]);
      return;
    }
    const unknown = seen.known.filter((is) => !is).length, unread = seen.words.length - (seen.last - seen.first);
    let said = inLanguage([`${percent(probability)} positive`, `正面概率 ${percent(probability)}`]);
    if (unknown) said += inLanguage([` · unknown words: ${unknown} of ${seen.words.length}`, ` · ${seen.words.length} 个词中有 ${unknown} 个不认识`]);
    if (unread) said += inLanguage([` · words cut off: ${unread}, as the network reads ${contents.network.maxlen} ids at most`, ` · 有 ${unread} 个词被截掉：网络最多读 ${contents.network.maxlen} 个编号`]);
    verdict.textContent = said;
  }

  function update() {
    clearTimeout(waiting);
    view.stop();
    const seen = network.encode(text.value), { ids } = seen;
    const { probability, states, width, trace } = network.read(ids);
    now = { seen, probability };
    say();
    const start = seen.last - seen.first < ids.length ? 1 : 0, count = ids.length - start;
    const reading = new Float64Array(count + 1).fill(NaN);
    const readings = [{ label: NETWORK, probability: reading }];
    const show = (again) => view.show({ ...seen, readings, states, width }, again);
    if (trace) {
      for (let i = 0; i <= count; i++) reading[i] = i + start ? trace[i + start - 1] : network.read([]).probability;
      show();
      byId("try").dataset.done = text.value.length;
      return;
    }

    // What comes later matters too, so each beginning is a review of its own, read piece by piece between keystrokes.
    let same = 0;
    while (same < ids.length && same < before.ids.length && ids[same] === before.ids[same]) same++;
    const found = new Map([...before.found].filter(([length]) => length <= same)).set(ids.length, probability);
    before = { ids, found };
    for (const [length, of] of found) reading[length - start] = of;
    show();
    let next = 0;
    delete byId("try").dataset.done;
    function goOn() {
      const until = performance.now() + SLICE;
      while (next <= count && performance.now() < until) {
        const length = start + next++;
        if (!found.has(length)) found.set(length, network.read(ids.slice(0, length)).probability);
        reading[length - start] = found.get(length);
      }
      show(true);
      if (next <= count) waiting = setTimeout(goOn, 0);
      else byId("try").dataset.done = text.value.length;
    }
    waiting = setTimeout(goOn, 0);
  }

  tryIt = (review) => {
    text.value = review;
    update();
    byId("try").scrollIntoView();
    text.focus({ preventScroll: true });
  };
  text.addEventListener("input", update);
  const undecided = contents.traces.filter((of) => of.kind === "undecided");
  const shown = [0, 1].flatMap((label) => undecided.filter((of) => of.label === label).slice(0, 1));
  const examples = [
    ...EXAMPLES.map((example) => [`${example.slice(0, 32)}…`, example]),
    ...shown.map((of) => [[t("a test review, ", "一篇测试影评，"), labelled(of.label)].flat(), of.words.join(" ")]),
  ];
  for (const [label, example] of examples) {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => tryIt(example));
    byId("examples").append(button);
  }
  text.value = EXAMPLES[2];
  onLanguage(say);
  update();
}

const preferred = (navigator.languages || []).find((language) => /^(en|zh)\b/.test(language)) || "en";
html.lang = preferred.slice(0, 2);
for (const show of [showHead, showTry, showRun, showNumbers, showTraining, showWrong, showMemory, showTraces]) show();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setLanguage(html.lang));
