"""The command `imdb-rnn serve`: a web service that says what `imdb-rnn predict` says."""
