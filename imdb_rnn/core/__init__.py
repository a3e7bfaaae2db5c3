"""What every other package stands on: parameters, files, errors, and how a stage is run."""
