import math

import jieba

from imdb_rnn.text.jieba_tables import jieba_tables


def test_the_dictionary_is_what_jieba_itself_reads(tmp_path):
    splitter = jieba.Tokenizer()
    splitter.tmp_dir = str(tmp_path)
    splitter.initialize()
    tables = jieba_tables()
    words = tables["dictionary"].split(" ")
    assert dict(zip(words[::2], map(int, words[1::2]), strict=True)) == {w: n for w, n in splitter.FREQ.items() if n}
    assert tables["logShares"][str(splitter.FREQ["电影"])] == math.log(splitter.FREQ["电影"]) - math.log(splitter.total)
