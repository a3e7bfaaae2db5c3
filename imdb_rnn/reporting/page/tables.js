"use strict";

// Tables out of files, delimited text or Excel workbooks: `readTable` returns {columns, hasHeader, rows, delimiter}, all
// cells text. What is wrong with a file is thrown as an Error that has a `pair` of texts.

const DELIMITERS = [",", ";", "\t", "|"];
const SAMPLE = 2 ** 16; // characters that tell the delimiter
const FIT = 0.8; // share of the rows that are as wide as the first
const LONGEST_NAME = 60;

const fault = (en, zh) => Object.assign(new Error(en), { pair: [en, zh] });

async function readTable(file) {
  const buffer = await file.arrayBuffer(), isZip = /^PK\x03\x04/.test(await file.slice(0, 4).text());
  const { rows, delimiter } = isZip ? { rows: await workbookRows(buffer), delimiter: "," } : textRows(decoded(buffer));
  const [first = []] = rows, width = isZip ? Math.max(0, ...rows.map((row) => row.length)) : first.length;
  const isHeader = isZip || hasHeader(rows);
  if (rows.length < 1 + isHeader) throw fault("The table has no rows.", "表格里没有数据行。");
  rows.forEach((row, i) => {
    if (row.slice(width).some((cell) => cell)) {
      throw fault(`Row ${i + 1} has ${row.length} cells and the first row ${width}: is a quote missing?`,
        `第 ${i + 1} 行有 ${row.length} 个单元格，首行只有 ${width} 个：是否少了引号？`);
    }
    row.length = width;
    for (let j = 0; j < width; j++) row[j] ??= "";
  });
  const columns = first.map((cell, j) => (isHeader && cell.trim()) || `column ${j + 1}`);
  return { columns, hasHeader: isHeader, rows: rows.slice(Number(isHeader)), delimiter };
}

function decoded(buffer) {
  const [first, second] = new Uint8Array(buffer), as = (encoding) => new TextDecoder(encoding).decode(buffer);
  if (first + second === 0x1fd) return as(first === 0xff ? "utf-16le" : "utf-16be");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer);
  } catch {
    const chinese = as("gb18030");
    return /[\u4e00-\u9fff]{2}/.test(chinese) ? chinese : as("windows-1252");
  }
}

function textRows(text) {
  if (text.includes("\0")) throw fault("This is no table of text. Save it as .xlsx or CSV.", "这不是文本表格，请另存为 .xlsx 或 CSV。");
  text = text.replace(/^sep=.\r?\n/i, ""); // as Excel names the delimiter
  let delimiter = "", most = 0;
  for (const tried of DELIMITERS) {
    const rows = delimitedRows(text.slice(0, SAMPLE), tried).filter((row) => row.some((cell) => cell)), [first = []] = rows;
    if (text.length > SAMPLE) rows.pop(); // it may be cut
    const share = rows.filter((row) => row.length === first.length).length / rows.length;
    const fit = share + first.length / 1e6;
    if (first.length > 1 && share >= FIT && fit > most) [most, delimiter] = [fit, tried];
  }
  return { rows: delimitedRows(text, delimiter), delimiter: delimiter || "," };
}

// The cells of each line; without a delimiter each line is a cell. A quote that does not end its cell is part of the text.
function delimitedRows(text, delimiter) {
  const bare = new RegExp(delimiter ? `[^\\${delimiter}\r\n]*` : "[^\r\n]*", "y");
  const isEnd = (at) => at === text.length || [delimiter, "\r", "\n"].includes(text[at]);
  const rows = [[]];
  for (let at = 0; ; at++) {
    let end = at, cell = null;
    if (text[at] === '"') {
      do end = text.indexOf('"', end + 1); while (end >= 0 && text[end + 1] === '"' && ++end);
      if (end > 0 && isEnd(end + 1)) cell = text.slice(at + 1, end++).replaceAll('""', '"');
      if (delimiter === "\t" && /\t/.test(cell) && /\n/.test(cell)) cell = null; // it took whole rows in
    }
    if (cell === null) {
      bare.lastIndex = at;
      [cell] = bare.exec(text);
      end = at + cell.length;
    }
    rows.at(-1).push(cell);
    if (end >= text.length) break;
    if (text[end] !== delimiter) rows.push([]);
    at = end + Number(text.startsWith("\r\n", end));
  }
  while (rows.length && rows.at(-1).every((cell) => !cell)) rows.pop();
  return rows;
}

// Whether the first row holds names: short ones, no numbers, none of them again in its column.
function hasHeader([first = [], ...rows]) {
  if (first.length === 1) return isTextName(first[0]) > 0;
  return first.every((cell, j) => cell.length <= LONGEST_NAME && !(cell.trim() && Number.isFinite(Number(cell))) &&
    !(cell && rows.some((row) => row[j] === cell)));
}

// How surely a name is that of a column with texts: 2 by the whole name, 1 by its last word, else 0.
function isTextName(name) {
  const words = name.normalize("NFKC").replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().match(/[\p{L}\p{N}]+/gu) || [""];
  const last = words.at(-1), names = contents.text_names;
  if (names.includes(words.join("_"))) return 2;
  return Number(names.some((one) => one === last || (/[^a-z_]/.test(one) && last.endsWith(one))));
}

// Which columns are read: those of the training if all are there, else the one that by name or content holds texts.
function textColumns({ columns, rows }) {
  const trained = (contents.provenance.text_columns || []).map((name) => columns.indexOf(name));
  if (trained.length && !trained.includes(-1)) return trained;
  const letters = (j) => rows.slice(0, 1000).reduce((sum, row) => sum + (row[j].match(/\p{L}/gu) || []).length, 0);
  const value = columns.map((name, j) => isTextName(name) * 1e9 + letters(j));
  return [value.indexOf(Math.max(...value))];
}

// A function that reads the files of a zip archive as XML.
function unzip(buffer) {
  const view = new DataView(buffer), files = new Map();
  let end = buffer.byteLength - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--; // throws where there is none
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    files.set(new TextDecoder().decode(new Uint8Array(buffer, at + 46, name)), at);
    at += 46 + name + extra + comment;
  }
  return async (name) => {
    if (!files.has(name)) return new Document();
    const entry = files.get(name), local = view.getUint32(entry + 42, true);
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    let bytes = new Blob([new Uint8Array(buffer, from, view.getUint32(entry + 20, true))]).stream();
    if (view.getUint16(entry + 10, true)) bytes = bytes.pipeThrough(new DecompressionStream("deflate-raw"));
    return new DOMParser().parseFromString(await new Response(bytes).text(), "application/xml");
  };
}

const inside = (node, name) => [...node.getElementsByTagNameNS("*", name)];
const attribute = (node, name) => [...node.attributes].find(({ localName }) => localName === name)?.value;

// The rows of the first sheet with a header and rows; a title above it, alone in its row, is left out.
async function workbookRows(buffer) {
  const read = unzip(buffer), book = await read("xl/workbook.xml");
  const [strings, styles, links] = await Promise.all(["sharedStrings.xml", "styles.xml", "_rels/workbook.xml.rels"].map((name) => read(`xl/${name}`)));
  const paths = new Map(inside(links, "Relationship").map((link) => [attribute(link, "Id"), attribute(link, "Target")]));
  const shared = inside(strings, "si").map(textOf), isDate = dateStyles(styles);
  const is1904 = inside(book, "workbookPr").some((node) => /^(1|true)$/.test(attribute(node, "date1904")));
  for (const sheet of inside(book, "sheet")) {
    const path = paths.get(attribute(sheet, "id")).replace(/^\/?(xl\/)?/, "xl/");
    const rows = cellsOf(await read(path), shared, isDate, is1904 ? 1462 : 0);
    const width = Math.max(0, ...rows.map((row) => row.length));
    while (rows.length && rows[0].filter((cell) => cell).length <= Math.min(1, width - 1)) rows.shift();
    if (rows.length > 1) return rows;
  }
  throw fault("The workbook has no sheet with a header and rows.", "工作簿里没有带表头和数据行的工作表。");
}

function textOf(node) {
  const parts = inside(node, "t").filter((part) => part.parentNode.localName !== "rPh"); // how it is pronounced
  return parts.map((part) => part.textContent).join("").replace(/_x([0-9A-F]{4})_/g, (_, code) => String.fromCharCode(`0x${code}`));
}

function dateStyles(styles) {
  const codes = new Map(inside(styles, "numFmt").map((format) => [attribute(format, "numFmtId"), attribute(format, "formatCode")]));
  return inside(styles, "cellXfs").flatMap((node) => inside(node, "xf")).map((style) => {
    const id = attribute(style, "numFmtId");
    if (codes.has(id)) return /[ymdhs]/i.test(codes.get(id).replace(/"[^"]*"|\[[^\]]*\]|\\./g, ""));
    return (id >= 14 && id <= 22) || (id >= 45 && id <= 47);
  });
}

function cellsOf(sheet, shared, isDate, days) {
  const rows = [];
  for (const row of inside(sheet, "row")) {
    const cells = [];
    for (const cell of inside(row, "c")) {
      const [letters = ""] = (attribute(cell, "r") || "").match(/^[A-Z]+/) || [];
      const place = letters ? [...letters].reduce((sum, letter) => 26 * sum + parseInt(letter, 36) - 9, 0) - 1 : cells.length;
      const kind = attribute(cell, "t"), value = inside(cell, "v")[0]?.textContent ?? "";
      cells[place] = kind === "s" ? shared[value] : kind === "inlineStr" ? textOf(cell) : kind === "b" ? ["FALSE", "TRUE"][value]
        : kind || !value ? value : isDate[attribute(cell, "s")] ? dateOf(Number(value) + days) : String(Number(value));
    }
    rows[(attribute(row, "r") || rows.length + 1) - 1] = Array.from(cells, (cell) => cell ?? "");
  }
  while (rows.length && (rows.at(-1) || []).every((cell) => !cell)) rows.pop();
  return Array.from(rows, (row) => row || []);
}

const dateOf = (days) => new Date(Math.round((days - 25569) * 86400) * 1000).toISOString().slice(0, 19).replace("T", " ").replace(" 00:00:00", "");
