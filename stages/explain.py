"""Show how far back the network remembers, how it reads some reviews word by word, and which behaviour tests it passes.

In: `data/model.safetensors`, `data/reviews/`. Out, from a sample of the test reviews: `results/explanation/` with
`gradient.csv` (by distance from the end), `last_words.csv` (accuracy with only the last words left) and `traces.json`
(probability after every word of some reviews); and `results/sensitivity.json` with the half-life, left out where the
gradient does not fall to half. From the behaviour tests: `behaviour.csv` in that folder, a row for each test, and
`results/behaviour.json`, the share of cases that passed; both are empty if the network does not know the tests' words.
"""

import json
from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation import behaviour, sensitivity
from imdb_rnn.evaluation.traces import trace_reviews
from imdb_rnn.text.corpus import read_reviews, read_vocabulary
from imdb_rnn.text.encode import encode


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    reviews, vocabulary = read_reviews(root / files.REVIEWS, "test"), read_vocabulary(root / files.REVIEWS)
    rows = sensitivity.sample(len(reviews), params.explain.reviews)
    ranks, y = reviews.ranks.rows(rows), reviews.labels[rows]
    measured = sensitivity.measure(network, encode(ranks, network.encoding), y)
    traces = trace_reviews(network, ranks, y, vocabulary)
    traces = [{"review": int(rows[trace.pop("row")]), **trace} for trace in traces]
    tests = behaviour.measure(network)
    tables = {"behaviour.csv": tests, "gradient.csv": measured.gradient, "last_words.csv": measured.last_words}
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    texts["traces.json"] = json.dumps({"traces": traces}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with files.replacing(root / files.EXPLANATION) as new:
        new.mkdir()
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="\n")
    half_life = {} if measured.half_life is None else {"half_life_words": measured.half_life}
    files.write_json(root / files.SENSITIVITY_METRICS, {"sensitivity": half_life})
    files.write_json(root / files.BEHAVIOUR_METRICS, behaviour.as_metrics(tests))
    words = "longer than the reviews" if measured.half_life is None else f"{measured.half_life:.0f} words"
    print(f"half-life of a word's influence on the output: {words}")
    print(f"behaviour tests: {tests['passed'].sum()} of {tests['cases'].sum()} passed")
