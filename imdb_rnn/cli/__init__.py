"""The command `imdb-rnn`: predictions of a trained model for texts and tables."""
