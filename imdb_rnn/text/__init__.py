"""Reviews: where they come from, their words, their ids, and how they are split."""
