"""Recurrent networks on film reviews: what the stages of the pipeline share, a package for each subject."""
