"use strict";

// A table that is dropped on the page: every row is scored by a worker, with the network and the code of the page.

const ADDED = isPair ? ["predicted_probability", "predicted_label"] : ["predicted_label", "probability"];
const SHOWN = 5; // rows, above the button to download them all

// Runs in the worker: the probabilities of each text, null of a blank one, as a message every tenth of a second.
function answerTexts({ data: { stored, texts } }) {
  const network = openNetwork(stored);
  let answers = [], sent = performance.now();
  texts.forEach((text, i) => {
    answers.push(text.trim() ? [...network.predict(network.encode(text).ids, false).probabilities] : null);
    if (performance.now() - sent < 100 && i + 1 < texts.length) return;
    postMessage(answers);
    [answers, sent] = [[], performance.now()];
  });
}

// A text of the two classes' threshold, or of the most probable class: as `imdb-rnn predict --table` decides.
function decided(probabilities) {
  const [share] = probabilities, highest = Math.max(...probabilities);
  const label = isPair ? Number(share > contents.threshold) : probabilities.indexOf(highest);
  return { label, cells: isPair ? [share.toFixed(6), contents.labels[label]] : [contents.labels[label], highest.toFixed(6)] };
}

function delimited(rows, delimiter) {
  const cell = (text) => (/["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(delimiter)}\r\n`).join("");
}

function showTable() {
  const sources = ["jieba.js", "cells.js", "network.js"].map((name) => byId(name).textContent);
  const program = URL.createObjectURL(new Blob([...sources, `\nonmessage = ${answerTexts};`], { type: "text/javascript" }));
  const file = byId("file"), column = byId("text-column"), progress = byId("scored"), link = byId("download");
  const status = byId("table-status"), preview = byId("table-preview");
  let worker = null, table = null, name = "", opened = 0;
  byId("table-columns").append(...ADDED.flatMap((added, i) => [...(i ? t(" and ", "和") : []), element("code", {}, added)]));

  function say(...texts) {
    status.replaceChildren(...texts);
  }

  function clear() {
    worker?.terminate();
    progress.hidden = link.hidden = true;
    preview.replaceChildren();
  }

  async function open(chosen) {
    const mine = ++opened;
    clear();
    byId("choose-column").hidden = true;
    say(...t(`Reading ${chosen.name} …`, `正在读取 ${chosen.name}……`));
    try {
      const found = await readTable(chosen);
      if (mine !== opened) return; // another file was chosen meanwhile
      [table, name] = [found, chosen.name];
    } catch (error) {
      if (mine !== opened) return;
      say(...t(...(error.pair || ["This file cannot be read. Save it as .xlsx or CSV.", "无法读取这个文件，请另存为 .xlsx 或 CSV。"])));
      return;
    }
    const found = textColumns(table), options = table.columns.map((title, j) => [title, String(j)]);
    if (found.length > 1) options.unshift([found.map((j) => table.columns[j]).join(" + "), found.join()]);
    column.replaceChildren(...options.map(([title, value]) => element("option", { value }, title)));
    column.value = found.join();
    byId("choose-column").hidden = false;
    score();
  }

  function score() {
    clear();
    const places = column.value.split(","), answers = [], begun = performance.now();
    const texts = table.rows.map((row) => places.map((j) => row[j]).filter((text) => text).join("\n"));
    progress.hidden = false;
    progress.max = texts.length;
    progress.value = 0;
    say(...t(`Scoring ${number(texts.length)} rows …`, `正在给 ${number(texts.length)} 行打分……`));
    worker = new Worker(program);
    worker.onmessage = ({ data }) => {
      answers.push(...data);
      progress.value = answers.length;
      if (answers.length === texts.length) finish(texts, answers, (performance.now() - begun) / 1000);
    };
    worker.onerror = () => say(...t("The rows cannot be scored here.", "这里无法给这些行打分。"));
    worker.postMessage({ stored: contents.network, texts });
  }

  function finish(texts, answers, seconds) {
    worker.terminate();
    progress.hidden = true;
    const found = answers.map((answer) => answer && decided(answer)), counts = new Array(NAMES.length).fill(0);
    for (const answer of found) if (answer) counts[answer.label]++;
    const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]).filter((label) => counts[label]).slice(0, FEW);
    const blank = found.filter((answer) => !answer).length;
    const list = (at, between) => [...order.map((label) => `${NAMES[label][at]} ${number(counts[label])}`),
      ...(blank ? [`${["without a text", "没有文本"][at]} ${number(blank)}`] : [])].join(between);
    say(...t(`${number(texts.length)} rows in ${seconds.toFixed(1)} s: ${list(0, ", ")}.`,
      `${number(texts.length)} 行，用时 ${seconds.toFixed(1)} 秒：${list(1, "，")}。`));
    preview.append(fillTable(element("table"), found.slice(0, SHOWN).map((answer, i) =>
      [texts[i].slice(0, 100), ...(answer ? answer.cells : ["", ""])]), 
    [t("text", "文本"), ...ADDED.map((added) => breakable(added, /(?<=_)/))]));
    link.hidden = false;

    const kept = [...table.columns.keys()].filter((j) => !ADDED.includes(table.columns[j]));
    const rows = table.rows.map((row, i) => [...kept.map((j) => row[j]), ...(found[i] ? found[i].cells : ["", ""])]);
    if (table.hasHeader) rows.unshift([...kept.map((j) => table.columns[j]), ...ADDED]);
    const isTab = table.delimiter === "\t";
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob(["\ufeff", delimited(rows, table.delimiter)], { type: "text/csv" }));
    link.download = name.replace(/(\.[^.]*)?$/, isTab ? "-scored.tsv" : "-scored.csv");
  }

  file.addEventListener("change", () => {
    if (file.files.length) open(file.files[0]);
    file.value = ""; // so that the same file can be chosen again
  });
  column.addEventListener("change", score);
  const isFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (isFile(event)) event.preventDefault();
    html.classList.toggle("dragged", isFile(event));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) html.classList.remove("dragged");
  });
  document.addEventListener("drop", (event) => {
    html.classList.remove("dragged");
    if (!isFile(event)) return;
    event.preventDefault();
    byId("table").scrollIntoView();
    open(event.dataTransfer.files[0]);
  });
}
