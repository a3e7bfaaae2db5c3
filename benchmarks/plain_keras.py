"""The article's script: `Embedding(32)`, `SimpleRNN(32)` (or another layer), `Dense(1)`, and Keras' `fit`.

Usage: python -m benchmarks.plain_keras LAYER EPOCHS SEED, in a folder with `data/padded/`. LAYER is the name of a class
in `keras.layers`. Prints a line of JSON.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

layer, epochs, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x_train, y_train, x_test, y_test = (
    np.load(f"data/padded/{name}.npy") for name in ("x_train", "y_train", "x_test", "y_test")
)
keras.utils.set_random_seed(seed)
model = keras.Sequential(
    [
        keras.layers.Embedding(10000, 32),
        getattr(keras.layers, layer)(32),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
history = []
start = time.perf_counter()
note = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: history.append((time.perf_counter() - start, logs["val_accuracy"]))
)
model.fit(
    x_train,
    y_train,
    epochs=epochs,
    batch_size=128,
    validation_data=(x_test, y_test),
    callbacks=[note],
    verbose=0,
)
print(json.dumps(history))
