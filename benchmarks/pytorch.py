"""The article's network in PyTorch, trained as the article trains it.

Usage: python pytorch.py CELL EPOCHS SEED, in a folder with `data/padded/`. Prints a line of JSON.
"""

import json
import sys
import time

import numpy as np
import torch

CELLS = {"simple_rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class Sentiment(torch.nn.Module):
    def __init__(self, cell: str):
        super().__init__()
        self.embedding = torch.nn.Embedding(10000, 32)
        self.recurrent = CELLS[cell](32, 32, batch_first=True)
        self.probability = torch.nn.Linear(32, 1)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states, _ = self.recurrent(self.embedding(ids))
        return self.probability(states[:, -1])[:, 0]


cell, epochs, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x_train, y_train, x_test, y_test = (
    torch.from_numpy(np.load(f"data/padded/{name}.npy")) for name in ("x_train", "y_train", "x_test", "y_test")
)
torch.manual_seed(seed)
model = Sentiment(cell)
optimizer = torch.optim.Adam(model.parameters())
loss_of = torch.nn.BCEWithLogitsLoss()
course = []
start = time.perf_counter()
for _ in range(epochs):
    for rows in torch.randperm(len(x_train)).split(128):
        optimizer.zero_grad()
        loss_of(model(x_train[rows]), y_train[rows].float()).backward()
        optimizer.step()
    with torch.no_grad():
        right = sum(
            ((model(x_test[i : i + 128]) > 0) == y_test[i : i + 128]).sum().item() for i in range(0, len(x_test), 128)
        )
    course.append((time.perf_counter() - start, right / len(x_test)))
print(json.dumps(course))
