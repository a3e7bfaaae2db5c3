"use strict";

// One step of each cell, by its name in `model.cell`. `input` is the input times the kernel, plus the bias; `product` the
// state times the recurrent kernel, plus the GRU's recurrent bias. `h`, and the LSTM's cell state `c`, change in place.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const STEPS = {
  simple_rnn(units, input, product, h) {
    for (let j = 0; j < units; j++) h[j] = Math.tanh(input[j] + product[j]);
  },

  lstm(units, input, product, h, c) {
    for (let j = 0; j < units; j++) {
      const i = sigmoid(input[j] + product[j]);
      const f = sigmoid(input[units + j] + product[units + j]);
      const candidate = Math.tanh(input[2 * units + j] + product[2 * units + j]);
      const o = sigmoid(input[3 * units + j] + product[3 * units + j]);
      c[j] = f * c[j] + i * candidate;
      h[j] = o * Math.tanh(c[j]);
    }
  },

  gru(units, input, product, h) {
    for (let j = 0; j < units; j++) {
      const z = sigmoid(input[j] + product[j]);
      const reset = sigmoid(input[units + j] + product[units + j]);
      const candidate = Math.tanh(input[2 * units + j] + reset * product[2 * units + j]);
      h[j] = z * h[j] + (1 - z) * candidate;
    }
  },
};
