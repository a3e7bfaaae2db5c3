"use strict";

// Line charts, drawn by uPlot, with their numbers as a table.

const DASHES = [[], [8, 5], [2, 4], [12, 4, 2, 4], [5, 3]];
const POINT = 7;
const WHOLE_STEPS = [1, 2, 5].flatMap((step) => [1, 10, 100, 1000].map((power) => step * power)).sort((a, b) => a - b);
const color = (name) => getComputedStyle(html).getPropertyValue(name).trim();
const rounded = (value, digits) => String(Number(value.toPrecision(digits)));

// Draws `lines` over `x`: {label, values, points, spanGaps, steps, pointsOnly, quiet, edge}. A line in `steps` stays level
// up to the next value; of a line with `pointsOnly` only the points are drawn. A `quiet` line is thin and grey, its points
// hollow; an `edge` line bounds a band around the first line. Labels, `title` and the `labels` of the axes are pairs.
// `band`: the numbers of the two edges, upper first. `fixed`: ranges {x, y}, logarithmic scales {logX, logY}, and
// {wholeX} if x is a count. Returns the figure, and a function that shows other numbers.
function chart({ title, x, lines, labels, band, fixed = {}, height = 260, withTable = true, onDraw }) {
  const container = element("div", { role: "img" });
  const figure = element("figure", {}, element("figcaption", {}, t(...title)), container);
  let plot = null;

  const colorOf = (line) => color(line.quiet ? "--quiet" : `--series-${line.edge ? 1 : (lines.indexOf(line) % 5) + 1}`);

  function pointsOf(line) {
    const show = Boolean(line.points || line.pointsOnly) || x.length === 1;
    return line.pointsOnly ? { show, size: POINT, fill: line.quiet ? color("--ground") : colorOf(line) } : { show };
  }

  function options(width) {
    const axis = (label, more) => ({
      label: inLanguage(label), stroke: color("--text"), font: "12px system-ui", labelFont: "12px system-ui",
      grid: { stroke: color("--line"), width: 0.5 }, ticks: { stroke: color("--line") }, labelSize: 22, ...more,
    });
    const value = (u, number) => (number === null || number === undefined ? "" : rounded(number, 4));
    return {
      width, height,
      scales: {
        x: { time: false, range: fixed.x, distr: fixed.logX ? 3 : 1 },
        y: { range: fixed.y, distr: fixed.logY ? 3 : 1 },
      },
      axes: [
        axis(labels[0], { size: 32, ...(fixed.wholeX ? { incrs: WHOLE_STEPS } : {}) }),
        axis(labels[1], { size: 52 }),
      ],
      series: [
        { label: inLanguage(labels[0]), value },
        ...lines.map((line, i) => ({
          label: inLanguage(line.label), value, spanGaps: Boolean(line.spanGaps),
          stroke: colorOf(line),
          width: line.quiet || line.edge ? 1 : 2, dash: line.quiet ? [3, 3] : line.edge ? [] : DASHES[i % 5],
          ...(line.steps ? { paths: uPlot.paths.stepped({ align: 1 }) } : line.pointsOnly ? { paths: () => null } : {}),
          points: pointsOf(line),
        })),
      ],
      bands: band ? [{ series: band.map((line) => line + 1), fill: `rgba(${color("--up")}, 0.15)` }] : [],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { ready: [markLines], draw: onDraw ? [onDraw] : [] },
    };
  }

  // The legend shows each line as it is drawn, dashes too.
  function markLines(u) {
    u.root.querySelectorAll(".u-marker").forEach((marker, i) => {
      if (!i) return; // of x
      const { stroke, width, dash } = u.series[i];
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const { pointsOnly, quiet } = lines[i - 1];
      const shape = document.createElementNS("http://www.w3.org/2000/svg", pointsOnly ? "circle" : "line");
      const values = pointsOnly ? {
        cx: 17, cy: 4, r: 3, stroke: stroke(u), fill: quiet ? "none" : stroke(u),
      } : {
        x1: 0, y1: 4, x2: 34, y2: 4, stroke: stroke(u), "stroke-width": width, "stroke-dasharray": dash.join(" "),
      };
      for (const [name, value] of Object.entries(values)) shape.setAttribute(name, value);
      svg.append(shape);
      marker.replaceChildren(svg);
    });
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

  if (withTable) {
    const details = element("details", {}, element("summary", {}, t("Show the numbers", "查看数值")));
    details.addEventListener("toggle", () => {
      if (details.children.length > 1) return;
      const rows = x.map((value, i) => [String(value), ...lines.map((line) => String(line.values[i] ?? ""))]);
      const head = [labels[0], ...lines.map((line) => line.label)].map((pair) => t(...pair));
      details.append(element("div", { className: "numbers", tabIndex: 0 }, fillTable(element("table"), rows, head)));
    });
    figure.append(details);
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
