"""What a trained network is asked with: from Python, and from the shell."""
