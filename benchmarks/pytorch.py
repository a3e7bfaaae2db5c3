"""The article's network in PyTorch, trained as the article trains it.

Usage: python -m benchmarks.pytorch CELL EPOCHS SEED, in a folder with `data/padded/`. Prints a line of JSON.
"""

import json
import sys
import time

import numpy as np

LAYERS = {"simple_rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}  # by cell, the class in `torch.nn`


def main(cell: str, epochs: int, seed: int) -> None:
    import torch  # here, so that `bench` can ask for the cells where PyTorch is not installed

    x_train, y_train, x_test, y_test = (
        torch.from_numpy(np.load(f"data/padded/{name}.npy")) for name in ("x_train", "y_train", "x_test", "y_test")
    )
    torch.manual_seed(seed)
    embedding = torch.nn.Embedding(10000, 32)
    recurrent = getattr(torch.nn, LAYERS[cell])(32, 32, batch_first=True)
    unit = torch.nn.Linear(32, 1)

    def logits(ids: torch.Tensor) -> torch.Tensor:
        states, _ = recurrent(embedding(ids))
        return unit(states[:, -1])[:, 0]

    optimizer = torch.optim.Adam([*embedding.parameters(), *recurrent.parameters(), *unit.parameters()])
    loss_of = torch.nn.BCEWithLogitsLoss()
    history = []
    start = time.perf_counter()
    for _ in range(epochs):
        for rows in torch.randperm(len(x_train)).split(128):
            optimizer.zero_grad()
            loss_of(logits(x_train[rows]), y_train[rows].float()).backward()
            optimizer.step()
        with torch.no_grad():
            right = sum(
                ((logits(x_test[i : i + 128]) > 0) == y_test[i : i + 128]).sum().item()
                for i in range(0, len(x_test), 128)
            )
        history.append((time.perf_counter() - start, right / len(x_test)))
    print(json.dumps(history))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
