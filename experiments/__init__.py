"""Many runs of the library, beside the pipeline."""
