"""The trained network in the formats of other programs: Keras and ONNX."""
