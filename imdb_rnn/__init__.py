"""Recurrent networks on film reviews: what the stages of the pipeline share, a room for each subject."""
