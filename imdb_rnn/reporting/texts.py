"""The texts of the model card, the figures and the behaviour tests, in English and Chinese: pairs like `LANGUAGES`."""

from collections.abc import Mapping

from imdb_rnn.core.params import LANGUAGES

PAPER = (
    "Large Movie Review Dataset: Maas, Daly, Pham, Huang, Ng and Potts, "
    "[Learning Word Vectors for Sentiment Analysis](https://aclanthology.org/P11-1015/), "
)

PHRASES = {
    "word": ("words (separated by spaces or punctuation)", "由空格和标点分开的词"),
    "char": ("characters", "字符"),
    "jieba": ("words (found by jieba)", "用 jieba 切出的词"),
    "ngrams": (" and a linear model on n-grams", "网络和一个 n-gram 线性模型"),
    "no ngrams": ("", "网络"),
    "licence": (
        "Code and weights: MIT licence. The texts of the reviews belong to their authors.",
        "代码和权重：MIT 许可证。评论文本归其作者所有。",
    ),
    "own licence": (
        "The code has the MIT licence. The owner of the reviews chooses the licence of the weights.",
        "代码采用 MIT 许可证。权重的许可证由评论的所有者决定。",
    ),
    "origin": (
        f"{PAPER}ACL 2011. Its authors ask users to cite that paper.",
        f"{PAPER}ACL 2011。数据集作者请使用者引用这篇论文。",
    ),
    "own origin": ("User-supplied reviews.", "使用者自己的评论。"),
    "pair title": ("tells positive from negative reviews", "判断评论好坏"),
    "pair": ("that the review is {1} (and not {0})", "该评论属于“{1}”（而不是“{0}”）"),
    "title": ("sorts reviews into {} classes", "把评论分成 {} 类"),
    "of": ("of each class, in this order: {labels}", "各类别（依次为{labels}）"),
    "by class": ("\n### By class\n\n{}\n", "\n### 按类别\n\n{}\n"),
    "against": (
        " The other classes\n  are left out: positive is compared with negative alone.",
        "\n  其他类别不计，只比较好评与差评。",
    ),
    "threshold": (
        " A review counts as\n“{0}” where the probability is above {1}{2}.",
        "概率高于 {1} 的评论判为“{0}”{2}。",
    ),
    "highest": (
        ", chosen on training reviews that a network had not\nlearnt from, for the highest `{}`; with the linear model "
        "it is compared at 0.5",
        "，这个阈值是在没有参与那次训练的评论上按 `{}` 最高选定的；与线性模型比较时都用 0.5",
    ),
    "precision": (
        ", chosen on training reviews that a network had not\nlearnt from, for a precision of at least {}; with the "
        "linear model it is compared at 0.5",
        "，这个阈值是在没有参与那次训练的评论上按精确率不低于 {} 选定的；与线性模型比较时都用 0.5",
    ),
    "example": ("A wonderful film.", "这部电影很精彩。"),
    "interval": ("{:.3f} to {:.3f}", "{:.3f} – {:.3f}"),
    "better": (
        "The network's accuracy is higher than the linear model's by {:.3f} to {:.3f}.",
        "网络的准确率比线性模型高 {:.3f} 到 {:.3f}。",
    ),
    "level": (
        "No clear difference: the network's accuracy minus the linear model's is between {:z.3f} and {:z.3f}.",
        "差异不显著，看不出网络更好：网络的准确率减去线性模型的，在 {:z.3f} 到 {:z.3f} 之间。",
    ),
    "worse": (
        "The linear model is better, by {:.3f} to {:.3f}: on these reviews the network is not worth it.",
        "线性模型的准确率高出 {:.3f} 到 {:.3f}：对这些评论来说，不值得用这个网络。",
    ),
    "range": ("{:.2f} and {:.2f}", "{:.2f} 与 {:.2f}"),
    "separator": ("; ", "；"),
    "weak": ("It fails at least half of the cases of these tests: {}.", "以下测试至少有一半例句未通过：{}。"),
    "no weak": ("Every behaviour test passed in more than half of its cases.", "每项行为测试都有一半以上的例句通过。"),
    "weakest": (
        "Its lowest accuracy by kind of review: {1:.3f} ({0}).",
        "按评论类型看，准确率最低的一类是“{0}”：{1:.3f}。",
    ),
    "half-life": (
        "Late words count more: {:.0f} words before the end, a word has half the influence of the last.",
        "它更看重靠后的词：距结尾 {:.0f} 个词处，一个词的影响只剩最后一个词的一半。",
    ),
    "no half-life": (
        "The first words of a review have more than half the influence of its last words.",
        "评论开头的词的影响超过结尾处的一半。",
    ),
    "no influence": (
        "The network has no influence on the answers: the n-grams decide alone.",
        "网络对答案没有影响，起作用的只有 n-gram。",
    ),
    "en": ("It reads English only.", "它只读英文。"),
    "zh": ("It reads Chinese only.", "它只读中文。"),
    "other language": (
        "Neither the English nor the Chinese words of the behaviour tests are in its vocabulary.",
        "行为测试中的英文词和中文词都不在它的词表里。",
    ),
    "no behaviour": (
        "No test was run: the words of these sentences are not in the network's vocabulary.",
        "没有运行：这些句子里的词都不在网络的词表里。",
    ),
    "no sides": (
        "No test was run: no classes are named positive and negative.",
        "没有运行：类别里没有 positive 和 negative。",
    ),
}

HEADINGS = {
    "provenance": (["fact", "value"], ["项目", "值"]),
    "parameters": (["parameter", "value"], ["参数", "值"]),
    "metrics": (
        ["metric", "test", "interval", "linear model", "validation"],
        ["指标", "测试", "区间", "线性模型", "验证"],
    ),
    "classes": (
        ["class", "reviews", "precision", "recall", "F1", "F1 interval"],
        ["类别", "条数", "精确率", "召回率", "F1", "F1 的区间"],
    ),
    "slices": (["slice", "reviews", "accuracy", "interval"], ["评论", "条数", "准确率", "区间"]),
    "behaviour": (
        ["kind", "test", "passed", "pass rate", "interval", "skipped", "first failure"],
        ["类型", "测试", "通过", "通过率", "区间", "跳过", "第一个失败例句"],
    ),
}

SLICES = {
    "words": ("{} words", "{} 词"),
    "oov": ("{} unknown words", "未知词 {}"),
}

TESTS = {
    "plain_positive": ("praise", "好评"),
    "plain_negative": ("criticism", "差评"),
    "negated_positive": ("negated praise (“not good”)", "对好评的否定（not good）"),
    "negated_negative": ("negated criticism (“not bad”)", "对差评的否定（not bad）"),
    "changed_to_positive": ("criticism, then praise", "先抑后扬"),
    "changed_to_negative": ("praise, then criticism", "先扬后抑"),
    "neutral": ("neutral", "中性"),
    "people": ("another person's name", "换人名"),
    "places": ("another place", "换地名"),
    "upper_case": ("capital letters", "大写"),
    "punctuation": ("more punctuation", "加标点"),
    "typo": ("a misspelt word", "错别字"),
    "filler_before": ("a neutral sentence before it", "前面加中性句"),
    "filler_after": ("a neutral sentence after it", "后面加中性句"),
    "praise_added": ("praise added", "加一句好评"),
    "criticism_added": ("criticism added", "加一句差评"),
}


FIGURE_LABELS = {
    "epoch": ("Epoch", "训练轮次 (Epoch)"),
    "loss": ("Loss", "损失 (Loss)"),
    "accuracy": ("Accuracy", "准确率 (Accuracy)"),
    "training loss": ("training loss", "训练损失"),
    "validation loss": ("validation loss", "验证损失"),
    "training accuracy": ("training accuracy", "训练准确率"),
    "validation accuracy": ("validation accuracy", "验证准确率"),
    "best": ("best epoch", "最佳轮次"),
    "label": ("True label", "真实标签"),
    "predicted": ("Predicted label", "预测标签"),
    "negative": ("negative", "差评"),
    "positive": ("positive", "好评"),
    "fpr": ("False positive rate", "假正例率"),
    "tpr": ("True positive rate", "真正例率"),
    "auc": ("area under the curve", "曲线下面积"),
    "chance": ("chance", "随机猜测"),
    "recall": ("Recall", "召回率"),
    "precision": ("Precision", "精确率"),
    "share": ("always “positive”", "一律判为好评"),
    "network": ("network", "网络"),
    "length": ("Words in the review", "评论的词数"),
    "reviews": ("Reviews", "评论数"),
    "median": ("median", "中位数"),
    "cut": ("longer reviews are cut here", "更长的评论在此截断"),
}


def in_language(pairs: Mapping[str, tuple], language: str) -> dict:
    """The phrases in one of `LANGUAGES`."""
    return {name: pair[LANGUAGES.index(language)] for name, pair in pairs.items()}
