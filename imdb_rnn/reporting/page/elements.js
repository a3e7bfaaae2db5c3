"use strict";

// The basis of the other scripts: the contents of the page, texts in two languages, elements, tables.

const contents = JSON.parse(document.getElementById("contents-of-the-page").textContent);
const pageBytes = new Blob([document.documentElement.outerHTML]).size;
const html = document.documentElement;
const byId = (id) => document.getElementById(id);

// Every text is a pair, [English, Chinese]. Both are in the page and the style sheet shows one; what cannot hold
// elements (labels, canvases) is rewritten by `onLanguage`.
const inLanguage = ([en, zh]) => (html.lang === "zh" ? zh : en);

function t(en, zh) {
  return [element("span", { lang: "en" }, en), element("span", { lang: "zh" }, zh)];
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

// A name that may be broken at some places.
const breakable = (name, at) => name.split(at).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));

const listeners = [];
function onLanguage(write) {
  listeners.push(write);
  write();
}

function setLanguage(language) {
  html.lang = language;
  listeners.forEach((write) => write());
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;
function signed(value, digits) {
  const size = Math.abs(value).toFixed(digits);
  return Number(size) ? `${value < 0 ? "−" : "+"}${size}` : size;
}
const number = (value) => value.toLocaleString("en-US");

// Of two classes, probabilities are those of the second one.
const SENTIMENT = [["negative", "差评"], ["positive", "好评"]];
const namesOf = (labels) => (labels.join() === "negative,positive" ? SENTIMENT : labels.map((label) => [label, `“${label}”`]));
const NAMES = namesOf(contents.labels), isPair = NAMES.length === 2;
const nameOf = (label) => t(...NAMES[label]);
// What the probabilities of these classes speak for.
function sideOf(names) {
  if (names.length > 2) return ["the class", "该类别"];
  const [, [en, zh]] = names;
  return [names === SENTIMENT ? "a positive review" : `“${en}”`, zh];
}
const said = (share, [en, zh]) => [`${percent(share)} ${en}`, `${zh}概率 ${percent(share)}`];
const FEW = 8; // of more classes not all are shown at once

function fillTable(table, rows, head) {
  if (head) {
    const cells = head.map((cell) => element("th", { scope: "col" }, cell));
    table.append(element("thead", {}, element("tr", {}, cells)));
  }
  const body = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), rest.map((cell) => element("td", {}, cell))));
  table.append(element("tbody", {}, body));
  return table;
}

// Nested values as pairs of dotted key and text.
function flat(values, above = "") {
  return Object.entries(values).flatMap(([key, value]) =>
    value !== null && typeof value === "object" ? flat(value, `${above}${key}.`) : [[above + key, String(value)]]);
}

// Buttons of which one is pressed, each with what it shows.
function choices(box, labels, choose) {
  const buttons = labels.map((label, i) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, label);
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      choose(i);
    });
    return button;
  });
  box.append(...buttons);
  if (buttons.length) buttons[0].click();
}
