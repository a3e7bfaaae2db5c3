"use strict";

// Line charts, drawn by uPlot, with their numbers as a table.

const DASHES = [[], [8, 5], [2, 4], [12, 4, 2, 4], [5, 3]];
const POINT = 7;
const WHOLE_STEPS = [1, 2, 5].flatMap((step) => [1, 10, 100, 1000].map((power) => step * power)).sort((a, b) => a - b);
const color = (name) => getComputedStyle(html).getPropertyValue(name).trim();
const rounded = (value, digits) => String(Number(value.toPrecision(digits)));
// A value as text, a fraction to four digits.
const written = (value) => (typeof value === "number" && !Number.isInteger(value) ? rounded(value, 4) : String(value));
const BETWEEN_NAMES = 15; // pixels
const NARROW = 400;
const FONT = "12px system-ui";
const pen = document.createElement("canvas").getContext("2d");

// A logarithmic scale from and to a number of one digit.
function logRange(u, low, high) {
  const power = (value) => 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [Math.floor(low / power(low) + 1e-9) * power(low), Math.ceil(high / power(high) - 1e-9) * power(high)];
}

// Draws `lines` over `x`: {label, values, points, spanGaps, steps, pointsOnly, quiet, edge}. A line in `steps` stays level
// up to the next value; of a line with `pointsOnly` only the points are drawn. A `quiet` line is thin and grey, its points
// hollow; an `edge` line bounds a band around the first line. The others are named at their ends where there are several.
// Labels, `title` and the `labels` of the axes are pairs.
// `band`: the numbers of the two edges, upper first. `fixed`: ranges {x, y}, logarithmic scales {logX, logY}, and
// {wholeX} if x is a count. The numbers are told where the cursor is, and in a table, but if `onCursor` does something else.
// Returns the figure, and a function that shows other numbers.
function chart({ title, x, lines, labels, band, fixed = {}, height = 260, onDraw, onCursor }) {
  const container = element("div", { role: "img" });
  const figure = element("figure", {}, element("figcaption", {}, t(...title)), container);
  const readout = element("span", { className: "readout" });
  let plot = null;
  const ended = lines.filter((line) => !line.quiet && !line.edge), named = ended.length > 1 ? ended : [];

  const colorOf = (line) => color(line.quiet ? "--quiet" : `--series-${line.edge ? 1 : (lines.indexOf(line) % 5) + 1}`);

  function pointsOf(line) {
    const show = Boolean(line.points || line.pointsOnly) || x.length === 1;
    return line.pointsOnly ? { show, size: POINT, fill: line.quiet ? color("--ground") : colorOf(line) } : { show };
  }

  function options(width) {
    const axis = (label, more) => ({
      label: inLanguage(label), stroke: color("--text"), font: FONT, labelFont: FONT,
      grid: { stroke: color("--line"), width: 0.5 }, ticks: { stroke: color("--line") }, labelSize: 20, ...more,
    });
    pen.font = FONT;
    const room = Math.max(0, ...named.map(({ label }) => pen.measureText(inLanguage(label)).width + 8));
    return {
      width, height: width < NARROW ? 0.8 * height : height, legend: { show: false }, padding: [null, room || null, null, null],
      scales: {
        x: { time: false, range: fixed.logX ? logRange : fixed.x, distr: fixed.logX ? 3 : 1 },
        y: { range: fixed.logY ? logRange : fixed.y, distr: fixed.logY ? 3 : 1 },
      },
      axes: [
        axis(labels[0], { size: 32, ...(fixed.wholeX ? { incrs: WHOLE_STEPS } : {}) }),
        axis(labels[1], { size: 48 }),
      ],
      series: [
        {},
        ...lines.map((line, i) => ({
          spanGaps: Boolean(line.spanGaps),
          stroke: colorOf(line),
          width: line.quiet || line.edge ? 1 : 2, dash: line.quiet ? [3, 3] : line.edge ? [] : DASHES[i % 5],
          ...(line.steps ? { paths: uPlot.paths.stepped({ align: 1 }) } : line.pointsOnly ? { paths: () => null } : {}),
          points: pointsOf(line),
        })),
      ],
      bands: band ? [{ series: band.map((line) => line + 1), fill: `rgba(${color("--up")}, 0.15)` }] : [],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { draw: [nameLines, ...(onDraw ? [onDraw] : [])], setCursor: [onCursor ?? readOut] },
    };
  }

  // Names stand right of the end of a line, as far apart as letters are high; that of a quiet line stands below it.
  function nameLines(u) {
    u.over.querySelectorAll(".name").forEach((name) => name.remove());
    const place = (line, share) => {
      const seen = x.map((_, i) => i).filter((i) => line.values[i] !== null && line.values[i] !== undefined);
      const at = seen[Math.floor(share * (seen.length - 1))] ?? 0;
      return { line, left: u.valToPos(x[at], "x"), top: u.valToPos(line.values[at] ?? 0, "y") };
    };
    const ends = named.map((line) => place(line, 1)).sort((one, other) => one.top - other.top);
    ends.forEach((end, i) => { if (i) end.top = Math.max(end.top, ends[i - 1].top + BETWEEN_NAMES); });
    const quiet = lines.filter((line) => line.quiet).map((line) => place(line, 0.5)).map((at) => ({ ...at, top: at.top + 10 }));
    for (const { line, left, top } of [...ends, ...quiet]) {
      const name = element("span", { className: "name" }, inLanguage(line.label));
      Object.assign(name.style, { left: `${left + 6}px`, top: `${top}px`, color: colorOf(line) });
      u.over.append(name);
    }
  }

  function readOut(u) {
    const { idx } = u.cursor, at = lines.filter((line) => !line.edge && (line.values[idx] ?? null) !== null);
    readout.textContent = idx === null ? "" : [`${inLanguage(labels[0])}: ${written(x[idx])}`,
      ...at.map((line) => `${inLanguage(line.label)}: ${rounded(line.values[idx], 3)}`)].join(" · ");
  }

  function draw() {
    const width = container.clientWidth;
    if (!width) return;
    if (plot) plot.destroy();
    plot = new uPlot(options(width), [x, ...lines.map((line) => line.values)], container);
    const ends = lines.filter((line) => !line.quiet && !line.pointsOnly).map(({ label, values }) => {
      const numbers = values.filter((value) => value !== null && value !== undefined).map((value) => rounded(value, 3));
      const first = numbers[0], last = numbers.at(-1);
      return inLanguage([`${label[0]} from ${first} to ${last}`, `${label[1]}从 ${first} 到 ${last}`]);
    });
    container.setAttribute("aria-label", `${inLanguage(title)}: ${ends.join("; ")}`);
  }

  if (!onCursor) {
    const details = element("details", {}, element("summary", {}, t("Show the numbers", "查看数值")));
    details.addEventListener("toggle", () => {
      if (details.children.length > 1) return;
      const rows = x.map((value, i) => [String(value), ...lines.map((line) => String(line.values[i] ?? ""))]);
      const head = [labels[0], ...lines.map((line) => line.label)].map((pair) => t(...pair));
      details.append(element("div", { className: "numbers", tabIndex: 0 }, fillTable(element("table"), rows, head)));
    });
    figure.append(readout, details);
  }

  listeners.push(draw);
  let width = 0;
  new ResizeObserver(() => {
    if (container.clientWidth === width) return;
    width = container.clientWidth;
    draw();
  }).observe(container);

  function show(newX, values) {
    x = newX;
    lines.forEach((line, i) => { line.values = values[i]; });
    if (plot) plot.setData([x, ...values]);
  }
  return { figure, show };
}
