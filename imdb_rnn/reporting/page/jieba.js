"use strict";

// Chinese text to words, as jieba 0.42.1 finds them: by the most probable path through its dictionary, and where that
// leaves letters alone, by its hidden Markov model, which knows at which letters words begin and end.
//
// `openJieba(stored)` takes what `imdb_rnn.text.jieba_tables` makes, and returns a function that splits
// text without white space into words.
function openJieba({ dictionary, logShares, start, transitions, emissions }) {
  const LEAST = -3.14e100; // in place of the logarithm of 0
  const BEFORE = { B: "ES", M: "BM", S: "ES", E: "BM" }; // a word is S, or B, any number of M, and E
  const WORDS = /([\u4e00-\u9fd5a-zA-Z0-9+#&._%-]+)/, CHINESE = /([\u4e00-\u9fd5]+)/, LATIN = /([a-zA-Z0-9]+(?:\.\d+)?%?)/;

  const logShare = new Map(); // of words, below 0; 0 for what words begin with
  const entries = dictionary.split(" ");
  for (let i = 0; i < entries.length; i += 2) {
    const word = entries[i];
    for (let end = 1; end < word.length; end++) {
      const part = word.slice(0, end);
      if (!logShare.has(part)) logShare.set(part, 0);
    }
    logShare.set(word, logShares[entries[i + 1]]);
  }

  // Where the word ends that begins at each letter, on the most probable path from there; of equals the longest.
  function bestEnds(text) {
    const ends = new Array(text.length), best = new Float64Array(text.length + 1);
    for (let k = text.length - 1; k >= 0; k--) {
      const found = [];
      for (let end = k + 1; end <= text.length; end++) {
        const share = logShare.get(text.slice(k, end));
        if (share === undefined) break;
        if (share) found.push(end);
      }
      best[k] = -Infinity;
      for (const end of found.length ? found : [k + 1]) {
        const value = (logShare.get(text.slice(k, end)) || logShares[1]) + best[end];
        if (value >= best[k]) [best[k], ends[k]] = [value, end];
      }
    }
    return ends;
  }

  // Where each letter of Chinese text stands in its word, by Viterbi's algorithm; of equals the later letter of BEMS.
  function places(text) {
    let probability = {}, path = {};
    for (const now of "BEMS") {
      probability[now] = start[now] + (emissions[now][text[0]] ?? LEAST);
      path[now] = now;
    }
    for (const letter of text.slice(1)) {
      const next = {}, longer = {};
      for (const now of "BEMS") {
        next[now] = -Infinity;
        for (const before of BEFORE[now]) {
          const value = probability[before] + (transitions[before][now] ?? LEAST) + (emissions[now][letter] ?? LEAST);
          if (value >= next[now]) [next[now], longer[now]] = [value, path[before] + now];
        }
      }
      [probability, path] = [next, longer];
    }
    return probability.S >= probability.E ? path.S : path.E;
  }

  function byLetters(text) {
    const at = places(text), words = [];
    for (let i = 0, from = 0; i < text.length; i++) {
      if (at[i] === "E" || at[i] === "S") {
        words.push(text.slice(from, i + 1));
        from = i + 1;
      }
    }
    return words;
  }

  // Words of letters that the path left alone.
  function ofLetters(letters) {
    if (letters.length < 2 || logShare.get(letters)) return [...letters];
    return letters.split(CHINESE).flatMap((part, n) => (n % 2 ? byLetters(part) : part.split(LATIN).filter((x) => x)));
  }

  function ofPart(text) {
    const ends = bestEnds(text), words = [];
    let letters = "";
    for (let from = 0; from < text.length; from = ends[from]) {
      const word = text.slice(from, ends[from]);
      if (word.length === 1) {
        letters += word;
      } else {
        for (const one of ofLetters(letters)) words.push(one);
        words.push(word);
        letters = "";
      }
    }
    return words.concat(ofLetters(letters));
  }

  return (text) => text.split(WORDS).flatMap((part, n) => (n % 2 ? ofPart(part) : [...part]));
}
