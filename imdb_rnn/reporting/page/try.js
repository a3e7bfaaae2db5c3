"use strict";

// The box to try: the network reads what is written in it, at every keystroke.

// Reviews, each with its gist in Chinese.
const EXAMPLES = [
  ["A wonderful film. The acting is superb, the story moved me, and I will watch it again.", "演技出色，故事感人"],
  ["Dull, predictable and far too long. I wanted my money back.", "沉闷老套，太长，想退票"],
  ["I expected a terrible film, but it was not bad at all; in the end I loved it.", "本以为很烂，最后却喜欢上了"],
];
const SLICE = 12; // milliseconds of work before the keyboard is checked again

let tryIt = () => {};
let readAlong = () => {}; // called with the text that is read, when it has changed

// The class that the probabilities speak for; of two always the second one, whose probability is told.
const predicted = (probabilities) => (isPair ? 1 : probabilities.indexOf(Math.max(...probabilities)));

// Of two classes: the more probable one, and how sure a network is.
function sure(share, names = NAMES) {
  const [en, zh] = names[Number(share > 0.5)], much = percent(Math.max(share, 1 - share));
  return [`${en}, ${much} sure`, `${zh}，把握 ${much}`];
}

// The text as `wordsView` shows it: the words that are read as they are written, and what is between them.
function asTyped(text, places, { first, last }) {
  const begins = [...places.map(([from]) => from), text.length]; // what is behind a word belongs to it
  return {
    before: text.slice(0, begins[first]),
    words: places.slice(first, last).map(([from, to]) => text.slice(from, to)),
    gaps: places.slice(first, last).map(([, to], i) => text.slice(to, begins[first + i + 1])),
    after: `${text.slice(begins[last])}\u200b`, // so that an empty last line has its height
  };
}

// The text without the words that are struck out.
function withoutStruck(text, places, struck) {
  const ends = [0, ...[...struck].sort((a, b) => a - b).flatMap((place) => places[place]), text.length];
  return ends.map((end, i) => (i % 2 ? text.slice(ends[i - 1], end) : "")).join("");
}

// The places of the words that are struck out, after an edit: those before and behind what it changed stay struck out.
function stillStruck(struck, before, words) {
  const shorter = Math.min(before.length, words.length);
  let same = 0, behind = 0;
  while (same < shorter && before[same] === words[same]) same++;
  while (behind < shorter - same && before.at(-1 - behind) === words.at(-1 - behind)) behind++;
  return new Set([...struck].flatMap((place) => (place < same ? [place]
    : place >= before.length - behind ? [place + words.length - before.length] : [])));
}

// A link to this page says what is in the box, in its fragment, which no browser sends to a server.
const inLink = () => new URLSearchParams(location.hash.slice(1)).get("text");

// Where a page is only a part of another one, its address may not be changed.
function setAddress(address) {
  try {
    history.replaceState(null, "", address);
    return true;
  } catch {
    return false;
  }
}

async function share(text) {
  if (!setAddress(`#${new URLSearchParams({ text })}`)) return t("The link cannot be made here.", "这里无法生成链接。");
  try {
    await navigator.clipboard.writeText(location.href);
    return t("The link is copied.", "链接已复制。");
  } catch {
    return t("The link is in the address bar.", "链接在地址栏里。");
  }
}

function showTry() {
  byId("try-text").append(...t(
    `Write a review${ownReviews ? "" : " in English"} or pick an example; click a word to strike it out. The network that was ` +
      "just trained reads along, right here in the page; nothing leaves your computer.",
    `${ownReviews ? "写" : "用英文写"}一段评论，或者点一个例子；点一个词，就把它划掉。刚训练好的网络就在这个网页里跟着你读，任何内容都不会离开你的电脑。`,
  ));
  const network = openNetwork(contents.network);
  const text = byId("text"), verdict = byId("verdict");
  const surface = wordsView(null, () => byId("surface"));
  surface.box.removeAttribute("tabindex");
  surface.box.setAttribute("aria-hidden", "true");
  text.before(surface.box);
  const view = readingView({ names: [NETWORK], surface });
  byId("reading").append(view.box);
  byId("seen").append(view.figures);
  let before = { ids: [], known: new Map() }; // of the text before: probabilities of its prefixes, by length
  let struck = new Set();
  let waiting = null, announcing = null, now = null;
  let places = [];
  let looked = null; // the class that the reader looks at; null: the predicted one
  const bars = classBars((label) => {
    looked = looked === label ? null : label;
    update();
  });
  if (isPair) {
    byId("tick").style.left = percent(contents.threshold);
    byId("scale").prepend(...nameOf(0));
    byId("scale").append(...nameOf(1));
  } else byId("scale").remove();
  if (!isPair) byId("bars").append(element("p", { className: "quiet" }, t(
    "The bars show how probable each class is. Press one to see which words speak for it.",
    "条形表示各类别的概率。点一个类别，看看哪些词支持它。",
  )), bars.box);

  function writeVerdict() {
    if (!now) return;
    const { encoded, probabilities } = now, label = predicted(probabilities);
    const verdictOf = isPair ? sure(probabilities[0]) : said(probabilities[label], NAMES[label]);
    if (isPair) byId("mark").style.left = percent(probabilities[0]);
    verdict.dataset.probability = probabilities.join();
    clearTimeout(announcing); // aloud only when the typing rests
    announcing = setTimeout(() => { byId("announcement").textContent = verdict.textContent; }, 1000);
    if (!encoded.words.length) {
      verdict.textContent = inLanguage([
        `Nothing written yet. Before the first word: ${verdictOf[0]}`, `还没有输入。读第一个词之前：${verdictOf[1]}`,
      ]);
      return;
    }
    const count = encoded.words.length, unread = count - (encoded.last - encoded.first);
    const unknown = encoded.known.filter((isKnown, place) => !isKnown && !struck.has(place)).length, read = count - struck.size;
    let line = "";
    if (isPair && contents.threshold !== 0.5) {
      const [en, zh] = NAMES[Number(probabilities[0] > contents.threshold)];
      line += inLanguage([` · counts as ${en} (threshold ${contents.threshold})`, ` · 判为${zh}（阈值 ${contents.threshold}）`]);
    }
    if (unknown) line += inLanguage([` · unknown words: ${unknown} of ${read}`, ` · ${read} 个词中有 ${unknown} 个未知词`]);
    if (unread) {
      const { maxlen } = contents.network;
      line += inLanguage([
        ` · words cut off: ${unread} (it reads ${maxlen} at most, start token included)`,
        ` · 截掉了 ${unread} 个词（连同起始标记最多读 ${maxlen} 个）`,
      ]);
    }
    verdict.replaceChildren(inLanguage(verdictOf), element("small", {}, line));
  }

  function update() {
    clearTimeout(waiting);
    view.stop();
    const encoded = network.encode(text.value), { first, last, words } = encoded;
    struck = stillStruck(struck, now?.encoded.words ?? [], words);
    const start = encoded.ids.length - (last - first); // 1 if the start token was read
    const idsWithout = (places) => encoded.ids.filter((_, i) => !places.has(first + i - start));
    const ids = idsWithout(struck), count = last - first;
    const { probabilities, states, width, trace } = network.predict(ids);
    places = network.places(text.value, words);
    const kept = withoutStruck(text.value, places, struck), linked = inLink();
    if (linked !== kept) { // the link is of another text
      byId("shared").replaceChildren();
      if (linked !== null) setAddress(location.pathname + location.search);
    }
    readAlong(kept);
    now = { encoded, probabilities };
    writeVerdict();
    const label = looked ?? predicted(probabilities), at = isPair ? 0 : label;
    if (!isPair) bars.show(probabilities, label);
    const lengths = [start]; // how many ids are read before the first word, and after each
    for (let i = first; i < last; i++) lengths.push(lengths.at(-1) + !struck.has(i));
    const columns = new Float32Array(count * width); // a word that is struck out has none
    for (let i = 0; i < count; i++) {
      if (lengths[i + 1] > lengths[i]) columns.set(states.subarray(lengths[i] * width, lengths[i + 1] * width), i * width);
    }
    const reading = new Float64Array(count + 1).fill(NaN);
    const readings = [{ label: NETWORK, probability: reading, of: NAMES[label] }];
    const typed = asTyped(text.value, places, encoded), readout = network.readout(at);
    const toggled = (position) => {
      const places = new Set(struck), place = first + position - 1;
      return places.delete(place) ? places : places.add(place);
    };
    const other = (position) => network.predict(idsWithout(toggled(position)), false).probabilities[at];
    const strike = (position) => {
      struck = toggled(position);
      update();
    };
    const show = (again) =>
      view.show({ ...encoded, struck, readings, states: columns, width, readout, typed, other, strike }, again);
    if (trace) {
      lengths.forEach((length, i) => {
        reading[i] = length ? trace[(length - 1) * probabilities.length + at] : network.predict([]).probabilities[at];
      });
      show();
      byId("try").dataset.done = text.value.length;
      return;
    }

    // Later words matter too, so each prefix is a review of its own; prefixes are read between keystrokes.
    let same = 0;
    while (same < ids.length && same < before.ids.length && ids[same] === before.ids[same]) same++;
    const known = new Map([...before.known].filter(([length]) => length <= same)).set(ids.length, probabilities);
    before = { ids, known };
    const fill = () => lengths.forEach((length, i) => { reading[i] = known.get(length)?.[at] ?? NaN; });
    fill();
    show();
    let next = 0;
    delete byId("try").dataset.done;
    function goOn() {
      const until = performance.now() + SLICE;
      while (next <= count && performance.now() < until) {
        const length = lengths[next++];
        if (!known.has(length)) known.set(length, network.predict(ids.slice(0, length)).probabilities);
      }
      fill();
      show(true);
      if (next <= count) waiting = setTimeout(goOn, 0);
      else byId("try").dataset.done = text.value.length;
    }
    waiting = setTimeout(goOn, 0);
  }

  tryIt = (review) => {
    text.value = review;
    struck.clear();
    update();
    byId("try").scrollIntoView();
    text.focus({ preventScroll: true });
  };
  text.addEventListener("input", update);
  text.addEventListener("click", (event) => {
    if (text.selectionStart === text.selectionEnd) view.strike(surface.positionAt(event));
  });
  const undecided = contents.traces.filter(({ kind }) => kind === "undecided");
  const ofEachLabel = NAMES.flatMap((_, label) => undecided.filter((trace) => trace.label === label).slice(0, 1)).slice(0, 5);
  const examples = [
    ...(ownReviews ? [] : EXAMPLES).map(([example, gist]) => [t(`${example.slice(0, 24)}…`, gist), example]),
    ...ofEachLabel.map(({ label, words }) => [[t("a test review, ", "一篇测试评论，"), nameOf(label)], joined(words)]),
  ];
  for (const [label, example] of examples) {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => tryIt(example));
    byId("examples").append(button);
  }
  byId("share").addEventListener("click", async () => {
    byId("shared").replaceChildren(...await share(withoutStruck(text.value, places, struck)));
  });
  addEventListener("hashchange", () => {
    if (inLink() !== null) tryIt(inLink());
  });
  text.value = inLink() ?? (ownReviews ? joined(contents.traces[0]?.words || []) : EXAMPLES[2][0]);
  onLanguage(writeVerdict);
  update();
}
