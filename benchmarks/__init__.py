"""How fast training is, and how long a keystroke takes in the report."""
