"use strict";

// Fills the page, when everything else is there.

const preferred = (navigator.languages || []).find((language) => /^(en|zh)\b/.test(language)) || "en";
html.lang = preferred.slice(0, 2);
const sections = [showTry, showTable, showNumbers, showMeasured, showTraining, showBehaviour, showMemory, showTraces];
if (contents.comparison) sections.push(showComparison);
else byId("compared").remove();
if (contents.cells) sections.splice(1, 0, showCells);
else byId("cells").remove();
if (contents.sweep) sections.push(showSweep);
else byId("sweep").remove();
if (contents.curve.length) sections.push(showCurve);
else byId("curve").remove();
if (contents.suspects.count) sections.push(showSuspects);
else byId("suspects").remove();
sections.push(showData, showRun);
for (const show of [showHead, ...sections]) show();
matchMedia("screen and (prefers-color-scheme: dark)").addEventListener("change", () => setLanguage(html.lang));
