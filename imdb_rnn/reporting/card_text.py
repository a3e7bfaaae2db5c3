"""The fixed text of the model card, in English and Chinese; what is in braces comes from the run."""

TEXT = {
    "en": """
# A recurrent network that judges reviews

It reads a review word by word and gives the probability that the review is {positive} (and not {negative}).

## What it is

- A Keras `{cell}` with {weights} weights, trained from scratch; the weights are those after epoch {best_epoch}, of
  {epochs} at most.
- It reads {tokens} and knows the {vocabulary} most frequent ones; any other is the same to it as every unknown one.
- It reads {maxlen} ids of a review at most, one of them the start mark.
- {licence}

## How to use it

In the shell:

```console
$ imdb-rnn predict "{example}"
```

In Python, without TensorFlow:

```python
import imdb_rnn

model = imdb_rnn.load("data/model.keras")
model.predict_proba(["{example}"])
```

With Keras; `x` is int32 (reviews, {maxlen}), ids as in `data/padded/`: 0 padding ({padding}), 1 start, 2 unknown, and a
word's rank + 3:

```python
import keras

model = keras.models.load_model("data/model.keras")
model.predict(x)
```

As ONNX, with the same ids:

```python
import onnxruntime

session = onnxruntime.InferenceSession("results/export/model.onnx")
session.run(None, {{"ids": x.astype("int64")}})
```

## What it was trained on

{origin}

{provenance}

## Parameters

{parameters}

## How good it is

Measured on the test reviews, which played no part in training. The interval ({confidence}) says how far the choice of
test reviews may have moved the number; another seed moves it too.

{metrics}

### By kind of review

Length and unknown words are those of the part that the network reads.

{slices}

### By ability

Short sentences made to show one ability each, after CheckList (Ribeiro, Wu, Guestrin and Singh, ACL 2020). They are
shorter than most reviews, so they also show what the network does with very short texts.

- MFT, minimum functionality: the answer is plain. Neutral is a probability of {neutral}. A network that always gives
  the same answer passes all tests of one side and none of the other, so read the pairs together.
- INV, invariance: a change that means nothing may move the probability by {tolerance} at most, and not the label.
- DIR, direction: an added judgement must not move the probability the other way.

The interval takes the cases for independent, which sentences of one template are not. Left out are cases of words that
the network does not know. The failure is the first one, with its probability (before the change → after it).

{behaviour}

## What it gets wrong

- {weak}
- {weakest}
- {half_life}
- {language}
- It knows reviews of the kind it was trained on. It gives a probability for other subjects, other
  languages and texts that judge nothing too, and that means nothing.
- It has no idea of irony, of what happens in a film, or of who writes.
- It must not decide about people: it was never tested for that, and whoever writes reviews wrote them about things.

## Time and energy

The card holds no seconds, for they belong to a machine. As a guide: ten epochs of the default network, 18,000 reviews
each, take about 15 s on 2 CPU cores, and the largest presets a minute or two. If the machine draws 30 W meanwhile (an
assumption), these are 0.1 and 1 Wh. For your own: seconds × watts / 3600. No GPU is needed.
""",
    "zh": """
# 判断评论好坏的循环神经网络

它逐词阅读一条评论，给出该评论属于“{positive}”（而不是“{negative}”）的概率。

## 这是什么

- 一个 Keras `{cell}` 网络，共 {weights} 个权重，从零开始训练；权重取自第 {best_epoch} 轮（最多 {epochs} 轮）之后。
- 它读入的单位是{tokens}，认识其中最常见的 {vocabulary} 个；其余的对它来说都一样，都是未知词。
- 每条评论最多读入 {maxlen} 个编号，其中一个是起始标记。
- {licence}

## 怎么用

命令行：

```console
$ imdb-rnn predict "{example}"
```

Python，不需要 TensorFlow：

```python
import imdb_rnn

model = imdb_rnn.load("data/model.keras")
model.predict_proba(["{example}"])
```

Keras；`x` 是 int32（评论数, {maxlen}），编号与 `data/padded/` 相同：
0 填充（{padding}），1 起始，2 未知，其余为词的排名 + 3：

```python
import keras

model = keras.models.load_model("data/model.keras")
model.predict(x)
```

ONNX，编号相同：

```python
import onnxruntime

session = onnxruntime.InferenceSession("results/export/model.onnx")
session.run(None, {{"ids": x.astype("int64")}})
```

## 训练数据

{origin}

{provenance}

## 参数

{parameters}

## 效果如何

在测试评论上测得，这些评论没有参与训练。区间（{confidence}）表示测试评论的选取可能使数值变动多少；换一个随机种子也会变动。

{metrics}

### 按评论类型

长度和未知词只按网络读入的部分计算。

{slices}

### 按能力

每个句子只考察一种能力，方法来自 CheckList（Ribeiro, Wu, Guestrin, Singh, ACL 2020）。
这些句子比大多数评论短，因此也能看出网络如何对待很短的文本。

- MFT（最小功能）：答案很明显。中性指概率在 {neutral} 之间。
  总是给出同一答案的网络会通过一侧的全部测试，而另一侧一个也通不过，所以要成对地看。
- INV（不变性）：无意义的改动最多只能使概率变动 {tolerance}，且不能改变标签。
- DIR（方向性）：加上一句评价，不能使概率朝相反方向变动。

区间把各个例句视为相互独立，而同一模板的句子并不独立。含有网络不认识的关键词的例句不计入。失败例句是第一个未通过的，附其概率
（改动前 → 改动后）。

{behaviour}

## 它的局限

- {weak}
- {weakest}
- {half_life}
- {language}
- 它只了解与训练数据同类的评论。对其他主题、其他语言以及不含评价的文本，它同样会给出概率，但没有意义。
- 它不懂反讽，不知道电影讲了什么，也不知道作者是谁。
- 不得用它对人作出决定：从未为此测试过，训练用的评论评价的也不是人。

## 时间与能耗

卡片中没有秒数，因为那取决于机器。仅供参考：默认网络训练十轮、每轮 18,000 条评论，在 2 个 CPU 核上约需 15 秒，
最大的预设需一两分钟。假设此时机器功率为 30 W（这是一个假设），则分别约为 0.1 Wh 和 1 Wh。
换成你的机器：秒数 × 瓦数 / 3600。不需要 GPU。
""",
}

EXAMPLES = {"en": "A wonderful film.", "zh": "这部电影很精彩。"}  # by the language of the reviews

WORDS = {
    "en": {
        "word": "words (what stands between spaces or punctuation)",
        "char": "characters",
        "jieba": "words that jieba finds",
        "licence": "Code and weights: MIT licence. The reviews' texts belong to those who wrote them.",
        "own licence": "The code has the MIT licence. That of the weights is for the owner of the reviews to choose.",
        "origin": "Large Movie Review Dataset: Maas, Daly, Pham, Huang, Ng and Potts, "
        "[Learning Word Vectors for Sentiment Analysis](https://aclanthology.org/P11-1015/), ACL 2011. "
        "Its authors ask those who use it to cite that paper.",
        "own origin": "Reviews of its owner's.",
        "interval": "{:.3f} to {:.3f}",
        "comma": ", ",
        "test": "“{}”",
        "weak": "It fails at least half of the cases of these tests: {}.",
        "no weak": "No test of an ability failed in half of its cases or more.",
        "weakest": "Its lowest accuracy by kind of review: {1:.3f} ({0}).",
        "half-life": "It weighs late words more: {:.0f} words from the end a word does half of what it does there.",
        "no half-life": "Words at the beginning of a review do more than half of what those at its end do.",
        "en": "It reads English only.",
        "zh": "It reads Chinese only.",
        "other language": "It knows neither the English nor the Chinese words of the tests of abilities.",
        "no behaviour": "No test was run: the network does not know the words of these sentences.",
    },
    "zh": {
        "word": "由空格和标点分开的词",
        "char": "字符",
        "jieba": "jieba 切出的词",
        "licence": "代码和权重：MIT 许可证。评论文本归其作者所有。",
        "own licence": "代码采用 MIT 许可证。权重的许可证由评论的所有者决定。",
        "origin": "Large Movie Review Dataset：Maas, Daly, Pham, Huang, Ng, Potts，"
        "[Learning Word Vectors for Sentiment Analysis](https://aclanthology.org/P11-1015/)，ACL 2011。"
        "数据集作者请使用者引用这篇论文。",
        "own origin": "使用者自己的评论。",
        "interval": "{:.3f} – {:.3f}",
        "comma": "、",
        "test": "“{}”",
        "weak": "以下测试至少有一半例句未通过：{}。",
        "no weak": "没有一项能力测试有一半或更多的例句未通过。",
        "weakest": "按评论类型，准确率最低为 {1:.3f}（{0}）。",
        "half-life": "它更看重靠后的词：距结尾 {:.0f} 个词处，一个词的影响只剩结尾处的一半。",
        "no half-life": "评论开头的词的影响超过结尾处的一半。",
        "en": "它只读英文。",
        "zh": "它只读中文。",
        "other language": "能力测试中的英文词和中文词它都不认识。",
        "no behaviour": "没有运行：网络不认识这些句子里的词。",
    },
}

HEADINGS = {
    "provenance": {"en": ["fact", "value"], "zh": ["项目", "值"]},
    "parameters": {"en": ["parameter", "value"], "zh": ["参数", "值"]},
    "metrics": {
        "en": ["metric", "test", "interval", "validation"],
        "zh": ["指标", "测试", "区间", "验证"],
    },
    "slices": {
        "en": ["reviews of", "reviews", "accuracy", "interval"],
        "zh": ["评论", "条数", "准确率", "区间"],
    },
    "behaviour": {
        "en": ["kind", "test", "passed", "share", "interval", "left out", "a failure"],
        "zh": ["类型", "测试", "通过", "比例", "区间", "未计入", "失败例句"],
    },
}

SLICES = {
    "words": {"en": "{} words", "zh": "{} 词"},
    "unknown": {"en": "{} unknown words", "zh": "未知词 {}"},
}

TESTS = {
    "plain_positive": {"en": "praise", "zh": "好评"},
    "plain_negative": {"en": "blame", "zh": "差评"},
    "negated_positive": {"en": "praise denied", "zh": "否定好评"},
    "negated_negative": {"en": "blame denied", "zh": "否定差评"},
    "changed_to_positive": {"en": "from blame to praise", "zh": "先抑后扬"},
    "changed_to_negative": {"en": "from praise to blame", "zh": "先扬后抑"},
    "neutral": {"en": "neutral", "zh": "中性"},
    "people": {"en": "another person's name", "zh": "换人名"},
    "places": {"en": "another place", "zh": "换地名"},
    "upper_case": {"en": "capital letters", "zh": "大写"},
    "punctuation": {"en": "more punctuation", "zh": "加标点"},
    "typo": {"en": "a word misspelt", "zh": "错别字"},
    "filler_before": {"en": "something neutral before it", "zh": "前面加中性句"},
    "filler_after": {"en": "something neutral after it", "zh": "后面加中性句"},
    "praise_added": {"en": "praise added", "zh": "加一句好评"},
    "blame_added": {"en": "blame added", "zh": "加一句差评"},
}
