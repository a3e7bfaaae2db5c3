"""The fixed text of the model card, in English and Chinese; what is in braces comes from the run."""

TEXT = {
    "en": """
# A recurrent network that tells positive from negative reviews

It reads a review word by word and gives the probability that the review is {positive} (and not {negative}).

## What it is

- A Keras `{cell}` with {weights} weights, trained from scratch. The weights are those after epoch {best_epoch}
  of at most {epochs}.
- It reads {tokens}. Its vocabulary holds the {vocabulary} most frequent; all other words are treated as one “unknown”
  word.
- It reads at most {maxlen} ids of a review, one of them the start token.
- {licence}

## How to use it

In the shell:

```console
$ imdb-rnn predict "{example}"
```

In Python, without TensorFlow:

```python
import imdb_rnn

model = imdb_rnn.load()
model.predict_proba(["{example}"])
```

With Keras; `x` is int32 (reviews, {maxlen}), ids as in `data/padded/`: 0 padding ({padding}), 1 start token, 2 unknown,
and a word's rank + 3:

```python
import keras

model = keras.models.load_model("results/export/model.keras")
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

Measured on the test reviews, which were not used in training. The interval ({confidence}) says how far the choice of
test reviews may have moved the score; another seed moves it too.

{metrics}

### By kind of review

Length and share of unknown words are those of the part that the network reads.

{slices}

### By ability

Short sentences, each a test of one ability, after CheckList (Ribeiro, Wu, Guestrin and Singh, ACL 2020). They are
shorter than most reviews, so they also show what the network does with very short texts.

- MFT, minimum functionality: the answer is obvious. Neutral is a probability of {neutral}. A network that always gives
  the same answer passes all tests of one class and none of the other, so read the tests in pairs.
- INV, invariance: a change without meaning may move the probability by at most {tolerance}, and must not change the
  label.
- DIR, direction: an added judgement must not move the probability in the opposite direction.

The intervals assume independent cases; sentences from one template are not, so the true intervals are wider. Cases
whose key word is unknown to the network are skipped. The last column is the first failed case, with its probability
(before the change → after it).

{behaviour}

## What it gets wrong

- {weak}
- {weakest}
- {half_life}
- {language}
- It has learnt from one kind of review. For other subjects, other languages and texts without a judgement it gives a
  probability too, which means nothing.
- It knows nothing of irony, of what happens in a film, or of the author.
- Do not use it to make decisions about people. It was trained and tested on reviews only.

## Time and energy

Training time depends on the machine. As a guide: ten epochs of the default network on 18,000 reviews take about 15 s on
2 CPU cores, and the largest presets a minute or two. At 30 W these are about 0.1 and 1 Wh. No GPU is needed.
""",
    "zh": """
# 判断评论好坏的循环神经网络

它逐词阅读一条评论，给出该评论属于“{positive}”（而不是“{negative}”）的概率。

## 这是什么

- 一个 Keras `{cell}` 网络，参数量 {weights}，从零开始训练。
  保留的是第 {best_epoch} 轮结束时的权重（最多训练 {epochs} 轮）。
- 它读入的单位是{tokens}。词表收录最常见的 {vocabulary} 个，其余的一律当作同一个“未知词”。
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

model = imdb_rnn.load()
model.predict_proba(["{example}"])
```

Keras；`x` 是 int32（评论数, {maxlen}），编号与 `data/padded/` 相同：
0 填充（{padding}），1 起始标记，2 未知词，其余为词的排名 + 3：

```python
import keras

model = keras.models.load_model("results/export/model.keras")
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

在测试评论上测得，这些评论没有参与训练。区间（{confidence}）表示：换一批测试评论，分数可能变动多少。换一个随机种子也会变动。

{metrics}

### 按评论类型

长度和未知词比例只按网络读入的部分计算。

{slices}

### 按能力

每组短句只考察一种能力，方法来自 CheckList（Ribeiro, Wu, Guestrin, Singh, ACL 2020）。
这些句子比大多数评论短，因此也能看出网络如何对待很短的文本。

- MFT（最小功能）：答案很明显。中性指概率在 {neutral} 之间。
  总是给出同一答案的网络会通过一类的全部测试，而另一类一个也通不过，所以要成对地看。
- INV（不变性）：无意义的改动最多只能使概率变动 {tolerance}，且不能改变标签。
- DIR（方向性）：加上一句评价，不能使概率朝相反方向变动。

计算区间时假设各例句相互独立；但同一模板生成的句子并不独立，真实的区间会更宽。关键词不在词表中的例句会跳过。
最后一列是第一个未通过的例句及其概率（改动前 → 改动后）。

{behaviour}

## 它的局限

- {weak}
- {weakest}
- {half_life}
- {language}
- 它只学过一类评论。对其他主题、其他语言以及不含评价的文本，它同样会给出概率，但没有意义。
- 它不懂反讽，不知道电影讲了什么，也不知道作者是谁。
- 不要用它对人做判断（招聘、信用等）：它只在评论上训练和测试过。

## 时间与能耗

训练时间因机器而异，以下数字仅供参考：默认网络训练十轮、每轮 18,000 条评论，在 2 个 CPU 核上约需 15 秒，
最大的预设需一两分钟。按功率 30 W 估算，分别约为 0.1 Wh 和 1 Wh。不需要 GPU。
""",
}

EXAMPLES = {"en": "A wonderful film.", "zh": "这部电影很精彩。"}  # by the language of the reviews

PHRASES = {
    "en": {
        "word": "words (separated by spaces or punctuation)",
        "char": "characters",
        "jieba": "words (found by jieba)",
        "licence": "Code and weights: MIT licence. The texts of the reviews belong to their authors.",
        "own licence": "The code has the MIT licence. The owner of the reviews chooses the licence of the weights.",
        "origin": "Large Movie Review Dataset: Maas, Daly, Pham, Huang, Ng and Potts, "
        "[Learning Word Vectors for Sentiment Analysis](https://aclanthology.org/P11-1015/), ACL 2011. "
        "Its authors ask users to cite that paper.",
        "own origin": "User-supplied reviews.",
        "interval": "{:.3f} to {:.3f}",
        "comma": ", ",
        "weak": "It fails at least half of the cases of these tests: {}.",
        "no weak": "Every behaviour test passed in more than half of its cases.",
        "weakest": "Its lowest accuracy by kind of review: {1:.3f} ({0}).",
        "half-life": "Late words count more: {:.0f} words before the end, a word has half the influence of the last.",
        "no half-life": "The first words of a review have more than half the influence of its last words.",
        "en": "It reads English only.",
        "zh": "It reads Chinese only.",
        "other language": "Neither the English nor the Chinese words of the behaviour tests are in its vocabulary.",
        "no behaviour": "No test was run: the words of these sentences are not in the network's vocabulary.",
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
        "weak": "以下测试至少有一半例句未通过：{}。",
        "no weak": "每项行为测试都有一半以上的例句通过。",
        "weakest": "按评论类型，准确率最低为 {1:.3f}（{0}）。",
        "half-life": "它更看重靠后的词：距结尾 {:.0f} 个词处，一个词的影响只剩最后一个词的一半。",
        "no half-life": "评论开头的词的影响超过结尾处的一半。",
        "en": "它只读英文。",
        "zh": "它只读中文。",
        "other language": "行为测试中的英文词和中文词都不在它的词表里。",
        "no behaviour": "没有运行：这些句子里的词都不在网络的词表里。",
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
        "en": ["slice", "reviews", "accuracy", "interval"],
        "zh": ["评论", "条数", "准确率", "区间"],
    },
    "behaviour": {
        "en": ["kind", "test", "passed", "pass rate", "interval", "skipped", "first failure"],
        "zh": ["类型", "测试", "通过", "通过率", "区间", "跳过", "第一个失败例句"],
    },
}

SLICES = {
    "words": {"en": "{} words", "zh": "{} 词"},
    "oov": {"en": "{} unknown words", "zh": "未知词 {}"},
}

TESTS = {
    "plain_positive": {"en": "praise", "zh": "好评"},
    "plain_negative": {"en": "criticism", "zh": "差评"},
    "negated_positive": {"en": "negated praise (“not good”)", "zh": "对好评的否定（not good）"},
    "negated_negative": {"en": "negated criticism (“not bad”)", "zh": "对差评的否定（not bad）"},
    "changed_to_positive": {"en": "criticism, then praise", "zh": "先抑后扬"},
    "changed_to_negative": {"en": "praise, then criticism", "zh": "先扬后抑"},
    "neutral": {"en": "neutral", "zh": "中性"},
    "people": {"en": "another person's name", "zh": "换人名"},
    "places": {"en": "another place", "zh": "换地名"},
    "upper_case": {"en": "capital letters", "zh": "大写"},
    "punctuation": {"en": "more punctuation", "zh": "加标点"},
    "typo": {"en": "a misspelt word", "zh": "错别字"},
    "filler_before": {"en": "a neutral sentence before it", "zh": "前面加中性句"},
    "filler_after": {"en": "a neutral sentence after it", "zh": "后面加中性句"},
    "praise_added": {"en": "praise added", "zh": "加一句好评"},
    "criticism_added": {"en": "criticism added", "zh": "加一句差评"},
}
