"""`python -m imdb_rnn` is `imdb-rnn`."""

from imdb_rnn.cli.command import main

if __name__ == "__main__":
    main()
