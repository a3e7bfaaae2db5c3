"""What every room stands on: parameters, files, errors, and how a stage is run."""
