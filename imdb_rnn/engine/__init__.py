"""What computes: arrays in, arrays out; the same bytes on every processor."""
