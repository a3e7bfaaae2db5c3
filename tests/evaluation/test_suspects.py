import numpy as np
from networks import ragged

from imdb_rnn.core.params import ModelParams, PadParams
from imdb_rnn.decision import margin
from imdb_rnn.evaluation.suspects import confident_class, near_duplicates, suspects
from imdb_rnn.text.encode import Labelled, encode, ranks_of
from imdb_rnn.text.sources import bundled
from imdb_rnn.text.vocabulary import count_vocabulary, tokenize
from imdb_rnn.training import linear
from imdb_rnn.training.batches import fold_of_each, splits

LONG = list(range(1, 101))
EDITED = [*LONG[:50], 700, *LONG[51:]]  # one word of a hundred is another
WORDS = [f"w{rank}" for rank in range(1, 1001)]


def test_a_review_with_nearly_the_same_words_and_another_label_is_found():
    half = [*LONG[:50], *range(200, 250)]
    reviews = ragged(LONG, [5], EDITED, LONG[::-1], half, [5], [6, 5], LONG)
    assert near_duplicates(reviews, np.array([0, 1, 1, 1, 1, 0, 0, 0]))[0].tolist() == [2, 5, 0, -1, -1, 1, -1, 2]
    twin, copies = near_duplicates(reviews, np.zeros(8, int))
    assert twin.tolist() == [-1] * 8
    assert copies.tolist() == [2, 2, 1, 1, 1, 2, 1, 2]


def test_among_any_number_of_equal_reviews_the_one_with_another_label_is_the_suspect():
    reviews, y = ragged(*[[1, 2, 3]] * 3000), np.zeros(3000, int)
    y[1234] = 1
    found, _ = near_duplicates(reviews, y)
    assert found[1234] == 0
    assert set(np.delete(found, 1234)) == {1234}
    table = suspects(y, np.full(3000, 0.2), reviews, WORDS)  # models that saw none of them guess its label
    assert table[["review", "suggested"]].to_numpy()[0].tolist() == [1234, "negative"]
    assert len(table) == 1  # they know less than that one in 3,000 is positive


def test_a_class_is_counted_where_it_is_as_probable_as_its_reviews_are_on_average():
    """Averages: 0.65, 0.7, 0.6."""
    probability = np.array(
        [
            [0.8, 0.1, 0.1],
            [0.5, 0.3, 0.2],
            [0.1, 0.8, 0.1],
            [0.3, 0.6, 0.1],
            [0.2, 0.7, 0.1],
            [0.1, 0.3, 0.6],
            [0.4, 0.0, 0.6],
        ]
    )
    y = np.array([0, 0, 1, 1, 2, 2, 2])
    probability[4:, 2] += [0.1, 0.3, 0.1]  # sums do not matter
    assert confident_class(y, probability).tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_contradicted_labels_come_first_and_each_suspect_says_why_and_where_it_is():
    y, logits = np.array([0, 1, 1, 0, 1, 0]), np.array([-3.0, -0.5, -2.9, -2.0, 5.0, -4.0])
    reviews = ragged(LONG, EDITED, [501, 502], [503], [504], [505])
    places = [f"a.csv, row {row}" for row in range(11, 17)]
    table = suspects(y, logits, reviews, WORDS, places=places)
    assert table["why"].tolist() == ["near-duplicate of a.csv, row 11", "model"]
    expected = {"rank": [1, 2], "review": [1, 2], "place": ["a.csv, row 12", "a.csv, row 13"]}
    expected |= {"label": ["positive"] * 2, "suggested": ["negative"] * 2, "probability": [0.377541, 0.052154]}
    assert table[list(expected)].to_dict("list") == expected
    assert table["opening"].tolist() == [" ".join(WORDS[:20]), "w501 w502"]
    y[5], of_three = 2, np.stack([0 * logits, logits, [-9, -9, -9, -9, -9, 9]], axis=1)
    three = suspects(y, of_three, reviews, WORDS, ["a", "b", "c"], separator="")
    assert three[["label", "suggested", "place"]].to_numpy().tolist() == [
        ["b", "a", "review 1"],
        ["b", "a", "review 2"],
    ]
    assert three["opening"][1] == "w501w502"


def test_labels_that_were_flipped_are_found_and_better_than_by_the_loss_in_training():
    """Of 2,084 reviews, 160 of whose labels are wrong."""
    table = bundled.read_table(bundled.find_file()).iloc[::12]
    words, y = [*map(tokenize, table["text"])], table["label"].to_numpy(copy=True)
    vocabulary = count_vocabulary(words)
    ranks = ranks_of(words, {word: rank for rank, word in enumerate(vocabulary, 1)})
    flipped = np.random.default_rng(0).choice(len(y), 160, replace=False)
    y[flipped] = 1 - y[flipped]
    ids = encode(ranks, PadParams())
    training = Labelled(ids, y)
    problem = linear.problem(training, (), 10_000, ModelParams(ngrams=1), np.ones(len(y)), 42)
    choice, logits = linear.choose(problem, splits(training, fold_of_each(training)))
    first = suspects(y, logits[:, 0], ranks, vocabulary)["review"][:160]
    by_loss = np.argsort(margin(y, linear.fit(problem, choice).of_training[:, 0]), kind="stable")[:160]
    found, found_by_loss = (np.isin(flipped, some).mean() for some in (first, by_loss))
    assert found >= 0.5
    assert found > found_by_loss + 0.05
