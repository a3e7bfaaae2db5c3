"""What several lessons need: a place for figures, a task that needs memory, and a training that takes a second."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.model import compute_logits
from imdb_rnn.reporting.figures import find_font
from imdb_rnn.text.encode import Labelled
from imdb_rnn.training.loop import Trained, train

CELLS = {"simple_rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
COLORS = {"simple_rnn": "#d95f0e", "gru": "#4a9a5b", "lstm": "#1f6fb4"}
SEEDS = (1, 2, 3, 4, 5)
FIGURES = Path("lessons/figures")
LETTERS, FIRST_ID = 4, 3  # the letters a, b, c, d have the ids 3, 4, 5, 6; 0 is padding
CHINESE = {  # the labels of the figures
    "first principal component": "第一主成分",
    "second": "第二主成分",
    "probability of the word as a review": "只有这个词的影评是好评的概率",
    "probability of positive": "好评的概率",
    "U as trained": "训练好的 U",
    "unit, largest |v| first": "隐藏单元，按 |v| 从大到小",
    "vote h · v (blue: positive)": "一票 h · v（蓝：好评）",
    "zeros behind the text": "文字后面的 0",
    "accuracy, five seeds": "准确率，五个种子",
    "which letter came first?": "第一个字母是哪个？",
    "reviews": "影评",
    "epoch": "轮",
    "loss": "损失",
    "accuracy": "准确率",
    "training": "训练",
    "validation": "验证",
    "one SimpleRNN, U scaled": "一个 SimpleRNN，U 乘上一个数",
    "three trained networks": "三个训练好的网络",
    "words before the end": "离结尾多少个词",
    "gradient, relative": "梯度（相对值）",
    "input gate": "输入门",
    "forget gate": "遗忘门",
    "tanh of the cell state": "细胞状态的 tanh",
    "unit": "单元",
    "letters read": "读过的字母",
    "test accuracy, five seeds": "测试准确率，五个种子",
    "0 to 40 letters after the first": "后面还有 0 到 40 个字母",
    "always 40 letters": "后面总是 40 个字母",
    "share of sentences judged as they should be": "判对的句子比例",
    "steps": "步数",
    "what is left of a state": "状态还剩多少",
    "the first letter": "第一个字母",
    "the most frequent letter": "出现最多的字母",
}
ENCODING = PadParams(vocab_size=FIRST_ID + LETTERS, maxlen=1000)


def canvas(width: float = 7, height: float = 3, **options: Any) -> tuple[Figure, Any]:
    """A figure and its axes, without a window."""
    figure = Figure((width, height), layout="constrained", dpi=110)
    return figure, figure.subplots(**options)


def save(figure: Figure, name: str) -> Figure:
    """Write `lessons/figures/NAME.png`, and `NAME.zh.png` in Chinese. Returns the figure, for a notebook to show."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / f"{name}.png", metadata={"Software": None})
    english = [(text, text.get_text(), text.get_fontproperties()) for text in figure.findobj(Text)]
    for text, label, font in english:
        if label in CHINESE:
            text.set(text=CHINESE[label], fontproperties=FontProperties(fname=find_font("zh"), size=font.get_size()))
    figure.savefig(FIGURES / f"{name}.zh.png", metadata={"Software": None})
    for text, label, font in english:
        text.set(text=label, fontproperties=font)
    return figure


def first_letter(others: np.ndarray, seed: int) -> Labelled:
    """Sequences of random letters, of which the label is the first; `others`, (sequences,), says how many follow it."""
    random = np.random.default_rng(seed)
    letters = random.integers(0, LETTERS, int((others + 1).sum())).astype(np.int32)
    ids = from_lengths(letters + FIRST_ID, others + 1)
    return Labelled(ids, letters[ids.starts].astype(np.uint8))


def up_to(most: int, count: int = 2000) -> np.ndarray:
    """How many letters follow the first: from 0 to `most`, at random."""
    return np.random.default_rng(0).integers(0, most + 1, count)


def on_all_reviews(network: str) -> list[dict[str, Any]]:
    """What `five_seeds.py` found: for each seed the test accuracy, and the validation accuracy after each epoch."""
    results = json.loads(Path(__file__).with_name("five_seeds.json").read_text(encoding="utf-8"))
    return results[network]


def learn(
    cell: str, training: Labelled, validation: Labelled, seed: int, encoding: PadParams = ENCODING, **settings: Any
) -> tuple[Trained, ModelParams]:
    """Train a small network without a word; `settings` of `ModelParams` and `TrainParams`."""
    model = {"cell": cell, "embedding_dim": 8, "units": 16}
    steps = {"epochs": 20, "batch_size": 50, "learning_rate": 0.01, "seed": seed}
    for name, value in settings.items():
        (model if name in ModelParams.model_fields else steps)[name] = value
    params = ModelParams(**model)
    with redirect_stdout(io.StringIO()):
        return train(training, validation, params, encoding, TrainParams(**steps)), params


def accuracy(learnt: tuple[Trained, ModelParams], reviews: Labelled, encoding: PadParams = ENCODING) -> float:
    trained, params = learnt
    logits = compute_logits(trained.weights, trained.ngram_codes, params, encoding, reviews.ids)
    return round(float(is_correct(reviews.y, logits).mean()), 3)
