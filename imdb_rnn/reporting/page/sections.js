"use strict";

// What each section of the page shows, except for the box to try.

const { model } = contents.parameters;
const NETWORK = ["network", "网络"];
const LAYERS = { simple_rnn: "SimpleRNN", gru: "GRU", lstm: "LSTM" }; // in the order of their colours
const BY_DISTANCE = [["words from the end", "距结尾的词数"], ["relative norm of the gradient", "相对梯度范数"]];
const BY_DISTANCE_TITLE = ["Effect of a word on the output, relative to the last word", "单词对输出的影响（以最后一个词为 1）"];
const REACHED = 1 / 8; // the curve ends where a smaller share of the reviews is that long
const COMPARED = 400; // words: of the reviews of the comparison, too, one in seven is longer
const BY_LAST_WORDS = [["last words shown", "保留的末尾词数"], ["accuracy", "准确率"]];

const ownReviews = contents.provenance.source === "own"; // in an unknown language
const TITLE = ownReviews
  ? ["A network reads reviews", "一个读评论的神经网络"]
  : ["A network reads film reviews", "一个读影评的神经网络"];

function showHead() {
  document.querySelector("h1").replaceChildren(...t(...TITLE));
  const { test, baseline, chance } = contents.metrics;
  const layer = LAYERS[model.cell] || model.cell;
  const of100 = (share) => Math.round(100 * share);
  const kind = ownReviews ? "" : "film ", article = /^L/.test(layer) && !model.bidirectional ? "An" : "A";
  const { validation, validation_fraction: heldOut } = contents.parameters.train;
  const read = number(Math.round(contents.data_report.train.reviews * (validation === "holdout" ? 1 - heldOut : 1)));
  byId("summary").append(...t(
    `${article} ${model.bidirectional ? "bidirectional " : ""}${layer} that has read ${read} ${kind}reviews. It judges ` +
      `${of100(test.accuracy)} of 100 new ones correctly; a linear model ${of100(baseline.accuracy)}, always the most ` +
      `frequent class ${of100(chance)}.`,
    `一个读过 ${read} 篇${ownReviews ? "" : "影"}评${ownReviews ? "论" : ""}的${model.bidirectional ? "双向 " : " "}${layer}。100 篇新评论，它能判对 ` +
      `${of100(test.accuracy)} 篇；线性模型能判对 ${of100(baseline.accuracy)} 篇，一律判为最多的类别是 ${of100(chance)} 篇。`,
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
    document.title = inLanguage(TITLE);
  });
  const size = (pageBytes / 1e6).toFixed(1);
  byId("made").append(...t(
    `This page is a single file of ${size} MB that loads and sends nothing. uPlot (MIT licence) draws the charts.`,
    `本页是一个 ${size} MB 的独立文件，不加载也不发送任何内容。图表由 uPlot（MIT 许可证）绘制。`,
  ));
}

// Whether the network is worth it, by the interval of its difference from the linear model.
function comparedWithBaseline() {
  const { above_baseline_interval: [low, high] } = contents.metrics;
  const points = (share) => (100 * share).toFixed(1), ends = [Math.abs(low), Math.abs(high)].sort((a, b) => a - b);
  const [least, most] = ends.map(points);
  if (high < 0) {
    return [`The linear model is better, by ${least} to ${most} points of accuracy: on these reviews the network is not worth it.`,
      `线性模型的准确率高出 ${least} 到 ${most} 个百分点：对这些评论来说，不值得用这个网络。`];
  }
  if (low > 0) {
    return [`The network is better, by ${least} to ${most} points of accuracy.`,
      `网络的准确率高出 ${least} 到 ${most} 个百分点。`];
  }
  const [from, to] = [low, high].map((end) => signed(100 * end, 1));
  return [`No clear difference: the network's accuracy minus the linear model's is between ${from} and ${to} percentage points.`,
    `差异不显著，看不出网络更好：网络的准确率减去线性模型的，在 ${from} 到 ${to} 个百分点之间。`];
}

const level = `${(100 * contents.confidence).toFixed(0)}%`;

function showNumbers() {
  const { test, validation, baseline, best_epoch: epoch } = contents.metrics;
  const [worth, worthInChinese] = comparedWithBaseline();
  const reviews = number(contents.confusion.reduce((sum, cell) => sum + cell.n_reviews, 0));
  byId("numbers-text").append(...t(
    `Measured on ${reviews} test reviews, which were not used to train the network or to choose its weights. ${worth}`,
    `以下结果在 ${reviews} 篇测试评论上测得，这些评论没有参与训练，也没有用来挑选权重。${worthInChinese}`,
  ));
  byId("measured-text").append(...t(
    `The network has ${model.units} units${model.ngrams ? ", a linear model on n-grams" : ""} and ${number(contents.weights)} weights in all; ` +
      `they are those after epoch ${epoch}. If new test reviews were drawn again and again, ${level} of such intervals would ` +
      "contain the true value. The linear model is logistic regression on the TF-IDF of single words and pairs, fitted to " +
      "the same training reviews.",
    `网络有 ${model.units} 个单元${model.ngrams ? "和一个 n-gram 线性模型" : ""}，参数量 ${number(contents.weights)}，用的是第 ${epoch} 轮结束时的权重。` +
      `如果反复重新抽取测试评论，这样的区间约有 ${level} 会包含真实值。` +
      "线性模型是在同样的训练评论上，对单词和词对的 TF-IDF 做逻辑回归。",
  ));
  const { threshold: rule } = contents.parameters.train;
  if (rule) {
    const [en, zh] = rule.precision ? [`a precision of at least ${rule.precision}`, `精确率不低于 ${rule.precision}`]
      : { accuracy: ["the highest accuracy", "准确率最高"], f1: ["the highest F1", "F1 最高"],
        balanced_accuracy: ["the highest balanced accuracy", "平衡准确率最高"] }[rule];
    byId("numbers-text").append(...t(
      ` A review counts as ${NAMES[1][0]} where its probability is above ${contents.threshold}, chosen for ${en} on training ` +
        "reviews that a network had not learnt from; with the linear model it is compared at 0.5.",
      `概率高于 ${contents.threshold} 的评论判为${NAMES[1][1]}；这个阈值是在没有参与那次训练的评论上按“${zh}”选定的；与线性模型比较时都用 0.5。`,
    ));
  }
  const names = {
    accuracy: ["accuracy", "准确率"], balanced_accuracy: ["balanced accuracy", "平衡准确率"], precision: ["precision", "精确率"], recall: ["recall", "召回率"],
    f1: ["F1", "F1"], macro_f1: ["F1, mean over the classes", "F1（各类别平均）"],
    weighted_f1: ["F1, mean weighted by the number of reviews", "F1（按评论数加权平均）"],
    roc_auc: ["area under the ROC curve", "ROC 曲线下面积"], loss: ["loss", "损失"], ece: ["expected calibration error", "期望校准误差"],
    mean_absolute_error: ["mean absolute error", "平均绝对误差"],
    within_one_step: ["at most one class off", "至多差一个类别"],
  };
  const measured = Object.entries(names).filter(([name]) => name in test);
  const rows = measured.map(([name, pair]) => {
    const ends = contents.metrics.test_intervals[name];
    return [t(...pair), test[name].toFixed(4), ends ? `${ends[0].toFixed(4)} – ${ends[1].toFixed(4)}` : "–",
      baseline[name].toFixed(4), ...(validation ? [validation[name].toFixed(4)] : [])];
  });
  const head = [t("metric", "指标"), t("test", "测试"), t(`${level} confidence interval`, `${level} 置信区间`),
    t("linear model", "线性模型")];
  fillTable(byId("metrics"), rows, validation ? [...head, t("validation", "验证")] : head);
  if (isPair) return;
  const share = (row, name) => [row[name].toFixed(3), row[`${name}_low`] === null ? [] : element("span", { className: "quiet" },
    ` ${row[`${name}_low`].toFixed(3)} – ${row[`${name}_high`].toFixed(3)}`)];
  byId("numbers").append(element("h3", {}, t("By class", "按类别")), element("div", { className: contents.classes.length > 20 ? "numbers scroll" : "scroll", tabIndex: 0 },
    fillTable(element("table", { id: "classes" }), contents.classes.map((row) =>
      [row.label, number(row.n_reviews), share(row, "precision"), share(row, "recall"), share(row, "f1")]),
    [t("class", "类别"), t("reviews", "评论数"), t("precision", "精确率"), t("recall", "召回率"), "F1"])));
}

function shareBar(share) {
  const bar = element("i");
  bar.style.width = percent(share);
  return element("span", { className: "share" }, bar);
}

function showBehaviour() {
  byId("behaviour-text").append(...(contents.behaviour.length ? t(
    "Short sentences, each a test of one ability, after CheckList (Ribeiro and others, 2020). In the first kind the " +
      "answer must be correct; in the second it must not change; in the third it must move in the right direction.",
    "这些短句是专门写的，每组考察一种能力，方法参照 CheckList（Ribeiro 等，2020）。第一类要求判断正确；第二类要求判断不变；" +
      "第三类要求概率朝正确的方向变化。",
  ) : t("The words of these tests are not in the network's vocabulary, or no two of its classes are called negative and " +
    "positive.", "这些短句里的词都不在网络的词表里，或者它的类别中没有 negative 和 positive。")));
  const kinds = { MFT: t("correct", "判断正确"), INV: t("no change", "判断不变"), DIR: t("right direction", "方向正确") };
  fillTable(byId("behaviour-table"), contents.behaviour.map(({ kind, name, cases, passed, low, high, failure }) => [
    t(...name), kinds[kind].map((node) => node.cloneNode(true)), [`${passed} / ${cases}`, shareBar(passed / cases)],
    `${percent(low)} – ${percent(high)}`, failure ?? "",
  ]), contents.behaviour.length ? [t("test", "测试"), t("expected", "期望"), t("passed", "通过"),
    t(`${level} interval`, `${level} 区间`), t("first failure", "第一个失败例句")] : undefined);
}

function showCurve() {
  const { curve } = contents, next = curve.at(-1), now = curve.at(-2);
  const points = (value) => (100 * (value - now.accuracy)).toFixed(1);
  byId("curve-text").append(...t(
    "Accuracy on the training reviews, each predicted by models that learnt from other reviews, a few or all of them. " +
      (next.expected ? `With twice as many reviews, expect about ${points(next.accuracy)} percentage points more ` +
        `(${points(next.low)} to ${points(next.high)}), if the new ones are like these.` : ""),
    "每条训练评论都由没见过它的模型来预测，这些模型学过的评论有多有少。" +
      (next.expected ? `如果再多一倍类似的评论，准确率大约还能提高 ${points(next.accuracy)} 个百分点` +
        `（${points(next.low)} 到 ${points(next.high)}）。` : ""),
  ));
  const of = (name, isExpected) => curve.map((point, i) =>
    (point.expected === isExpected || (isExpected && i === curve.length - 2) ? point[name] : null));
  byId("curve-chart").append(chart({
    title: ["Accuracy by the number of reviews to learn from", "准确率与学习的评论数"],
    labels: [["reviews to learn from", "学习的评论数"], ["accuracy", "准确率"]],
    x: curve.map(({ reviews }) => reviews), fixed: { logX: true, wholeX: true }, band: [3, 2],
    lines: [
      { label: NETWORK, values: of("accuracy", false), points: true },
      { label: ["linear model", "线性模型"], values: of("baseline", false), points: true },
      { label: [`network: ${level} interval from`, `网络：${level} 区间下限`], values: of("low", false), edge: true },
      { label: ["to", "上限"], values: of("high", false), edge: true },
      ...(next.expected ? [{ label: ["network, expected", "网络（预计）"], values: of("accuracy", true), quiet: true, points: true }] : []),
    ],
  }).figure);
}

// A place such as "a.csv, row 7" or "review 17".
const placeInChinese = (place) => place.replace(/, row (\d+)$/, " 第 $1 行").replace(/^review (\d+)$/, "评论 $1");

function showSuspects() {
  const { count, most, first } = contents.suspects, { reviews } = contents.data_report.train;
  const isOne = count === 1, areMore = count > first.length, shown = number(first.length);
  byId("suspects-text").append(...t(
    `${number(count)}${count === most ? " or more" : ""} of ${number(reviews)} training labels ${isOne ? "looks" : "look"} wrong: a review with ` +
      "nearly the same words has another label, or models that had not seen the review give its label a low probability " +
      "(confident learning; Northcutt and others, 2021). A review may only be hard to judge, so read it before you " +
      `correct its label. The network learnt from ${isOne ? "this review as it is" : "all these reviews as they are"}. ` +
      (areMore ? `The first ${shown} are below; results/suspects.csv has ${number(count)}. ` : "") +
      (ownReviews ? "Rows are counted without the header." : "The number of a review is its place among the training reviews, from 0."),
    `${number(reviews)} 条训练评论中，${count === most ? "至少" : ""}有 ${number(count)} 条的标签可能标错了：` +
      "有的与另一条用词几乎相同、标签却不同，有的是没见过它的模型认为不像这个标签" +
      "（confident learning，Northcutt 等，2021）。也可能只是难以判断，改标签之前请先读原文。训练时这些评论都原样使用。" +
      (areMore ? `下面是最可疑的 ${shown} 条，results/suspects.csv 里有 ${number(count)} 条。` : "") +
      (ownReviews ? "行号不计表头。" : "编号是在训练评论中的序号，从 0 开始。"),
  ));
  const named = (label) => t(...NAMES.find(([en]) => en === label));
  fillTable(byId("suspects-table"), first.map(({ place, label, suggested, probability, why, opening }) => [
    t(place, placeInChinese(place)), named(label), named(suggested), percent(probability),
    why === "model" ? t("the models disagree", "模型的判断不同")
      : t(why, `与“${placeInChinese(why.replace("near-duplicate of ", ""))}”几乎相同`),
    element("details", {}, element("summary", {}, t("Show the first words", "显示开头")), `${opening} …`),
  ]), [t("review", "评论"), t("label", "标签"), t("suggested label", "建议的标签"), t("probability of the label", "原标签的概率"),
    t("why", "原因"), t("text", "文本")]);
}

const SKIPPED = { // the usual reasons in Chinese; others, faults of a table, are shown in English
  "no text": "没有文本", "no label": "没有标签", "no word in the text": "文本中没有词",
  "between the bounds of the labels": "评分在两个界限之间", "a duplicate": "重复",
  "a label that is not listed": "标签未列出",
};

function showData() {
  const { rows_read: read, left_out: leftOut = {}, unlabelled, test_also_in_train: both, ...parts } = contents.data_report;
  if (read) {
    const reasons = Object.entries(leftOut), english = reasons.map(([reason, count]) => `${reason} (${number(count)})`);
    const chinese = reasons.map(([reason, count]) => `${SKIPPED[reason] ?? reason} ${number(count)} 行`);
    byId("data-text").append(...t(
      `${number(read)} rows were read. Skipped: ${english.join("; ") || "none"}.` +
        (unlabelled ? ` Reviews without a label, used for their words alone: ${number(unlabelled)}.` : ""),
      `共读取 ${number(read)} 行。跳过：${chinese.join("；") || "无"}。` +
        (unlabelled ? `没有标签、只用来认词的评论：${number(unlabelled)} 条。` : ""),
    ));
  }
  const names = {
    reviews: ["reviews", "评论数"], ...(isPair ? { positive: NAMES[1] } : { labels: ["largest classes", "最大的几个类别"] }), words: ["words: minimum, quartiles, maximum", "每篇词数（最少 · 四分之一 · 中位数 · 四分之三 · 最多）"],
    truncated: ["longer than the network reads", "超出网络阅读长度"], out_of_vocabulary: ["unknown words (not in the vocabulary)", "未知词（不在词表里）"],
    duplicates: ["same words as an earlier one", "与前面某篇用词完全相同"],
    conflicting_labels: ["same words, other label", "用词相同而标签不同"],
  };
  const show = {
    positive: (part) => percent(part.positive / part.reviews),
    labels: (part) => Object.entries(part.labels).sort((a, b) => b[1] - a[1]).slice(0, FEW)
      .flatMap(([label, count]) => [`${label} ${percent(count / part.reviews)}`, element("br")]),
    words: (part) => part.words.map(number).join(" · "),
    truncated: (part) => percent(part.truncated), out_of_vocabulary: (part) => percent(part.out_of_vocabulary),
  };
  const cells = (name) => ["train", "test"].map((part) => (show[name] || (() => number(parts[part][name])))(parts[part]));
  const rows = Object.entries(names).map(([name, pair]) => [t(...pair), ...cells(name)]);
  rows.push([t("same words as a training review", "与某篇训练评论用词完全相同"), "", number(both)]);
  fillTable(byId("data-table"), rows, [t("", ""), t("training", "训练"), t("test", "测试")]);
}

function showTraining() {
  if (contents.parameters.train.validation === "test") {
    byId("training-text").append(...t(
      " Here the validation curves are drawn on the test reviews, as in the original tutorial. Nothing is chosen by " +
        "them: the weights are those of the last epoch.",
      "这里与原教程一样，验证曲线画在测试评论上，但不参与任何选择：所用的是最后一轮的权重。",
    ));
  }
  const { epoch, ...curves } = contents.history;
  const titles = { loss: ["Loss", "损失"], accuracy: ["Accuracy", "准确率"] };
  for (const [name, title] of Object.entries(titles)) {
    byId(name).append(chart({
      title, x: epoch, labels: [["epoch", "训练轮次"], title], fixed: { wholeX: true },
      lines: [
        { label: ["training", "训练"], values: curves[name], points: true },
        { label: ["validation", "验证"], values: curves[`val_${name}`], points: true },
      ],
    }).figure);
  }
}

// The confusion matrix; of many classes, the pairs that are confused most often.
function showConfusion() {
  const table = byId("confusion"), labels = [...new Set(contents.confusion.map((cell) => cell.label))];
  const ofLabel = labels.map((label) => contents.confusion.filter((cell) => cell.label === label));
  const sums = ofLabel.map((cells) => cells.reduce((total, cell) => total + cell.n_reviews, 0));
  if (labels.length > FEW) {
    const wrong = contents.confusion.filter((cell) => cell.label !== cell.predicted && cell.n_reviews);
    table.className = "";
    fillTable(table, wrong.sort((a, b) => b.n_reviews - a.n_reviews).slice(0, 2 * FEW).map(({ label, predicted, n_reviews: count }) =>
      [label, predicted, number(count), percent(count / sums[labels.indexOf(label)])]),
    [t("actually", "实际"), t("most often taken for", "最常判为"), t("reviews", "评论数"), t("share of the class", "占该类别")]);
    return;
  }
  fillTable(table, ofLabel.map((cells, i) => [t(`actually ${NAMES[i][0]}`, `实际为${NAMES[i][1]}`),
    ...cells.map(({ n_reviews: count }) => [number(count), element("br"), percent(count / sums[i])])]),
  [t("reviews", "评论数"), ...NAMES.map(([en, zh]) => t(`predicted ${en}`, `判为${zh}`))]);
  table.querySelectorAll("tbody tr").forEach((row, i) => row.children[i + 1].classList.add("correct"));
}

function showMeasured() {
  showConfusion();
  const { fpr, tpr } = contents.roc;
  byId("roc").append(chart({
    title: ["True positive rate against false positive rate", "真正例率与假正例率"],
    labels: [["false positive rate", "假正例率"], ["true positive rate", "真正例率"]],
    x: fpr, lines: [{ label: NETWORK, values: tpr }, { label: ["chance", "随机猜测"], values: fpr, quiet: true }],
    fixed: { x: [0, 1], y: [0, 1] },
  }).figure);

  const { predicted, positive, low, high } = contents.calibration;
  byId("calibration").prepend(chart({
    title: isPair
      ? [`Share of ${NAMES[1][0]} reviews by predicted probability, with ${level} intervals`, `预测概率与实际的${NAMES[1][1]}占比（含 ${level} 区间）`]
      : [`Share of correct predictions by the probability of the predicted class, with ${level} intervals`,
        `所判类别的概率与实际判对的占比（含 ${level} 区间）`],
    labels: [["mean predicted probability", "平均预测概率"],
      isPair ? [`share of ${NAMES[1][0]} reviews`, `${NAMES[1][1]}占比`] : ["share of correct predictions", "判对的占比"]],
    x: predicted, fixed: { x: [0, 1], y: [0, 1] }, band: [2, 1],
    lines: [
      { label: NETWORK, values: positive, points: true },
      { label: [`${level} interval from`, `${level} 区间下限`], values: low, edge: true },
      { label: ["to", "上限"], values: high, edge: true },
      { label: ["ideal", "理想情况"], values: predicted, quiet: true },
    ],
  }).figure);

  const apart = percent(contents.metrics.test.ece);
  byId("calibration").append(element("p", {}, t(
    `On average, the probability and the share are ${apart} apart: the expected calibration error.`,
    `预测概率与实际占比平均相差 ${apart}，即期望校准误差。`,
  )));
}

function showMemory() {
  const { half_life_words: halfLife, gradient, last_words: lastWords } = contents;
  const reviews = number(gradient.n_reviews[0]), words = halfLife === null ? "" : halfLife.toFixed(0);
  const hasNoInfluence = model.ngrams && gradient.gradient.every((value) => value === 0);
  byId("memory-text").append(...t(
    "How much does a word still matter once the network has read on? " +
      (hasNoInfluence ? "The network has no influence on the answers: the n-grams decide alone." : halfLife === null
        ? "Averaged over 10 words, its effect never falls to half of what it is at the end of the review."
        : `Averaged over 10 words, its effect has fallen to half ${words} words before the end of the review: the half-life.`),
    "网络继续往下读，前面的词还有多大影响？" +
      (hasNoInfluence ? "网络对答案没有影响，起作用的只有 n-gram。" : halfLife === null
        ? "按每 10 个词取平均，影响始终没有降到结尾处的一半。"
        : `按每 10 个词取平均，影响在距结尾 ${words} 个词处降到结尾处的一半，这就是半衰期。`),
  ));
  byId("gradient-text").append(...t(
    "The effect of a word is the norm of the gradient of " +
      `${isPair ? "the logit, the output before the sigmoid," : "the predicted class's logit, its output before softmax,"} with respect to the word's vector: how much the output changes when the ` +
      `vector changes a little. The curve is its mean over ${reviews} test reviews, divided by that of the last word. ` +
      (model.ngrams ? "The n-grams are left out: their weights add to the logit directly. " : "") +
      "It ends where fewer than one review in eight is that long.",
    `一个词的影响，是${isPair ? " logit（sigmoid" : "所判类别的 logit（softmax"} 之前的输出）对该词词向量的梯度的范数，` +
      `也就是词向量稍有变化时，输出会变化多少。曲线是 ${reviews} 篇测试评论的平均值，再除以最后一个词的值。` +
      (model.ngrams ? "n-gram 的权重直接加到 logit 上，不计在内。" : "") +
      "够长的评论不足八分之一时，曲线就到此为止。",
  ));
  const reached = gradient.n_reviews.filter((count) => count >= REACHED * gradient.n_reviews[0]).length;
  byId("gradient").append(distanceChart(gradient.k.slice(0, reached), [[NETWORK, gradient.gradient]]));
  byId("last-words").append(chart({
    title: ["Accuracy when the network sees only the last words", "只给网络看末尾若干词时的准确率"],
    labels: BY_LAST_WORDS, x: lastWords.n_words, fixed: { logX: true },
    lines: [{ label: NETWORK, values: lastWords.accuracy, points: true }],
  }).figure);
}

// `lines`: pairs of a name and the norms by the distance from the end.
function distanceChart(x, lines) {
  return chart({
    title: BY_DISTANCE_TITLE, labels: BY_DISTANCE, x,
    fixed: { logY: lines.every(([, values]) => values.every((value) => value > 0)), wholeX: true },
    lines: lines.map(([label, values]) => ({ label, values: x.map((k) => (k in values ? values[k] / (values[0] || 1) : null)) })),
  }).figure;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Compares the half-lives of two networks, window by window: a pair of sentences.
function compareHalfLives(name, simple, other) {
  const windowsBy = { every: [], median: [], not: [] };
  for (const window of Object.keys(simple)) {
    const isShorter = Math.max(...simple[window]) < Math.min(...other[window]);
    const order = isShorter ? "every" : median(simple[window]) < median(other[window]) ? "median" : "not";
    windowsBy[order].push(window);
  }
  const phrases = {
    every: ["shorter in every run", "每次训练都更短"],
    median: ["shorter only in the median", "只有中位数更短"],
    not: ["not shorter", "并不更短"],
  };
  const parts = Object.entries(windowsBy).filter(([, windows]) => windows.length).map(([order, windows]) => [
    `${phrases[order][0]} (averaging window: ${windows.join(", ")})`,
    `${phrases[order][1]}（窗口：${windows.join("、")}）`,
  ]);
  return [
    `Compared with the ${name}, the half-life of the SimpleRNN is ${parts.map((part) => part[0]).join("; ")}.`,
    `与 ${name} 相比，SimpleRNN 的半衰期${parts.map((part) => part[1]).join("；")}。`,
  ];
}

// What is on the button of a review: its first words, how it was classified, and its label.
const choiceName = (kind, [en, zh], words) => [element("span", {}, joined(words.slice(0, 12))),
  element("small", {}, t(`${kind[0]} · label: ${en}`, `${kind[1]} · 标签：${zh}`))];

function showComparison() {
  const { networks, source, traces, labels } = contents.comparison;
  // Half-lives of the others, bidirectional and pooled, say little.
  const names = Object.keys(LAYERS).filter((name) => name in networks), pairs = names.map((name) => [LAYERS[name], LAYERS[name]]);
  byId("compared-text").append(...t(
    `From the last comparison (make compare) on the “${source}” reviews, for which every network was trained several ` +
      "times with different seeds. The curves are means over the seeds.",
    `取自最近一次对比实验（make compare），评论来源为“${source}”，每个网络都用不同的随机种子训练了多次。曲线是各次训练的平均。`,
  ));

  // By network and window: the half-lives of its runs.
  const lives = {};
  for (const name of names) {
    lives[name] = {};
    for (const [window, values] of Object.entries(networks[name].half_life_words)) {
      lives[name][window] = values.map((life) => life ?? Infinity);
    }
  }
  const windows = names.length ? Object.keys(lives[names[0]]) : [];
  const life = (value) => (Number.isFinite(value) ? value.toFixed(0) : "∞");
  fillTable(byId("half-lives"), names.map((name) => [LAYERS[name], ...windows.map((window) => {
    const values = lives[name][window];
    const range = `${life(Math.min(...values))}–${life(Math.max(...values))}`;
    return [life(median(values)), element("br"), element("span", { className: "quiet" }, range)];
  })]), [t("network", "网络"), ...windows]);
  for (const name of ["gru", "lstm"].filter((other) => lives.simple_rnn && lives[other])) {
    const verdict = compareHalfLives(name.toUpperCase(), lives.simple_rnn, lives[name]);
    byId("half-life-verdict").append(element("li", {}, t(...verdict)));
  }

  byId("compared-gradient").append(distanceChart(Array.from({ length: COMPARED }, (_, k) => k),
    names.map((name, i) => [pairs[i], networks[name].gradient])));
  const ofAll = names.flatMap((name) => Object.keys(networks[name].last_words).map(Number));
  const counts = [...new Set(ofAll)].sort((a, b) => a - b);
  byId("compared-last-words").append(chart({
    title: ["Accuracy when a network sees only the last words", "只给网络看末尾若干词时的准确率"],
    labels: BY_LAST_WORDS, x: counts, fixed: { logX: true },
    lines: names.map((name, i) => ({
      label: pairs[i], points: true, spanGaps: true,
      values: counts.map((count) => networks[name].last_words[count] ?? null),
    })),
  }).figure);

  const labelNames = namesOf(labels);
  const view = readingView({ names: pairs, classes: labelNames, threshold: 0.5 });
  byId("together").append(view.box);
  const kinds = { correct: ["all correct", "都判对"], wrong: ["all wrong", "都判错"], divided: ["divided", "意见不一"] };
  choices(byId("together-choices"), traces.map(({ kind, label, words }) => choiceName(kinds[kind], labelNames[label], words)), (i) => {
    const { words, known, probability, label } = traces[i], of = labelNames[labels.length === 2 ? 1 : label];
    const readings = names.map((name, k) => ({ label: pairs[k], probability: probability[name], of }));
    view.stop();
    view.show({ words, known, readings });
  });
}

function showTraces() {
  const view = readingView({ names: [NETWORK] });
  byId("trace").append(view.box);
  const kinds = {
    wrong: ["sure but wrong", "有把握却判错"], undecided: ["undecided", "拿不定主意"], correct: ["sure and right", "有把握且判对"],
  };
  const button = element("button", { type: "button" }, t("Try it in the box above", "放到上面的输入框里试试"));
  let words = [];
  button.addEventListener("click", () => tryIt(joined(words)));
  view.box.append(button);
  const order = Object.keys(kinds), traces = [...contents.traces].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const has = (word) => traces.some(({ words }) => words.includes(word));
  const notes = [...(has("br") ? [["“br” is a line break of the web page that a review is from.", "“br”是评论原网页里的换行。"]] : []),
    ...(has("▯") ? [["▯ is a word that the data set does not name.", "▯ 是数据集没有给出的词。"]] : [])];
  view.box.append(element("p", { className: "quiet" }, notes.flatMap(([en, zh]) => t(`${en} `, zh))));
  choices(byId("trace-choices"), traces.map(({ kind, label, words }) => choiceName(kinds[kind], NAMES[label], words)), (i) => {
    const { known, probability, predicted: end } = traces[i];
    words = traces[i].words;
    view.stop();
    view.show({ words, known, readings: [{ label: NETWORK, probability, of: NAMES[end ?? 1] }] });
  });
}

// The value of a parameter of this run by its dotted key; undefined if there is none.
function ofThisRun(key) {
  const inside = (values, name) => (values && Object.hasOwn(values, name) ? values[name] : undefined);
  return key.split(".").reduce(inside, contents.parameters);
}

function showSweep() {
  const { counts, best, progress } = contents.sweep;
  const trials = counts.finished + counts.stopped + counts.failed;
  const { val_loss: loss, val_accuracy: accuracy, settings } = best[0];
  const keys = Object.keys(settings);
  const differs = (key) => ofThisRun(key) !== undefined && written(ofThisRun(key)) !== written(settings[key]);
  const isThisRun = keys.length > 0 && keys.every((key) => ofThisRun(key) !== undefined && !differs(key));
  const list = (before, after) => keys.map((key) =>
    `${key} = ${written(settings[key])}${differs(key) ? `${before}${written(ofThisRun(key))}${after}` : ""}`);
  const listed = [list(" (this run: ", ")").join(", "), list("（本次运行：", "）").join("、")];
  byId("sweep-text").append(...t(
    `The best of ${number(trials)} ${trials === 1 ? "trial" : "trials"} has a validation loss of ${loss.toFixed(4)} and a ` +
      `validation accuracy of ${percent(accuracy)}. ` +
      (keys.length ? `Its settings are ${isThisRun ? "those of this run: " : ""}${listed[0]}. ` : "") +
      `Finished: ${number(counts.finished)}; stopped early: ${number(counts.stopped)}; failed: ${number(counts.failed)}.`,
    `在 ${number(trials)} 次试验中，最好的一次验证损失为 ${loss.toFixed(4)}，验证准确率为 ${percent(accuracy)}。` +
      (keys.length ? `${isThisRun ? "它的设置与本次运行相同" : "它的设置是"}：${listed[1]}。` : "") +
      `已完成 ${number(counts.finished)} 次，提前停止 ${number(counts.stopped)} 次，失败 ${number(counts.failed)} 次。`,
  ));

  const status = { finished: ["finished", "已完成"], stopped: ["stopped early", "提前停止"] };
  fillTable(byId("sweep-table"), best.map((trial) => [
    String(trial.trial), trial.val_loss.toFixed(4), percent(trial.val_accuracy),
    ...keys.map((key) => written(trial.settings[key])), String(trial.epochs), t(...status[trial.status]),
  ]), [
    t("trial", "试验"), t("validation loss", "验证损失"), t("validation accuracy", "验证准确率"),
    ...keys.map((key) => breakable(key, /(?<=\.)/)),
    t("epochs", "训练轮数"), t("ended", "结果"),
  ]);

  byId("sweep-progress").append(chart({
    title: ["Each finished trial (dot), each trial stopped early (circle), and the best so far (line)",
      "已完成的试验（实心点）、提前停止的试验（空心圈）和到当时为止最好的结果（线）"],
    labels: [["minutes since the sweep began", "搜索开始后的分钟数"], ["validation loss", "验证损失"]],
    x: progress.minutes, fixed: { x: [0, Math.max(0.1, 1.02 * progress.minutes.at(-1))] },
    lines: [
      { label: ["best so far", "目前最佳"], values: progress.best, steps: true },
      { label: status.finished, values: progress.finished, pointsOnly: true },
      ...(counts.stopped ? [{ label: status.stopped, values: progress.stopped, pointsOnly: true, quiet: true }] : []),
    ],
  }).figure);
}

function showRun() {
  fillTable(byId("parameters"), flat(contents.parameters));
  fillTable(byId("provenance"), flat(contents.provenance));
}
