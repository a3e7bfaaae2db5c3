# %% [markdown]
# # Lesson 10: what it does not understand
# [English](10-what-it-does-not-understand.md) · [中文](10-what-it-does-not-understand.zh-CN.md)

# %%
import json
from pathlib import Path

from shared import canvas, save

import imdb_rnn

model = imdb_rnn.load()
passed = json.loads(Path("results/behaviour.json").read_text(encoding="utf-8"))["behaviour"]
metrics = json.loads(Path("results/metrics.json").read_text(encoding="utf-8"))


# %%
def ask(*sentences):
    """The probability that each sentence is positive."""
    return model.predict_proba(sentences).round(2).tolist()


# %%
print(f"test accuracy: this network {metrics['test']['accuracy']:.3f}, linear {metrics['baseline']['accuracy']:.3f}")
print("share of sentences that it judges as it should")
for name in ("plain_positive", "plain_negative", "negated_positive", "negated_negative", "filler_before", "typo"):
    print(f"  {name:<17} {passed[name]:.2f}")

# %%
figure, axes = canvas(height=4)
names = sorted(passed, key=passed.get)
axes.barh(names, [passed[name] for name in names], color="#1f6fb4")
axes.set(xlabel="share of sentences judged as they should be", xlim=(0, 1))
save(figure, "10-what-it-does-not-understand")
