"""`python -m imdb_rnn` is `imdb-rnn`."""

from imdb_rnn.predict.command import main

if __name__ == "__main__":
    main()
