"""What learns: batches, the step of the optimiser, the loop over the epochs, checkpoints."""
