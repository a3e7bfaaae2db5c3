"use strict";

// One step of each cell, by its name in `model.cell`. `input` is the input times the kernel, plus the bias; `product` the
// state times the recurrent kernel, plus the GRU's recurrent bias. `h`, and the LSTM's cell state `c`, change in place;
// `gates` is filled with the gates and the candidate, in Keras' order, that of the columns of the kernel.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const STEPS = {
  simple_rnn(units, input, product, h, c, gates) {
    for (let j = 0; j < units; j++) h[j] = gates[j] = Math.tanh(input[j] + product[j]);
  },

  lstm(units, input, product, h, c, gates) {
    for (let j = 0; j < units; j++) {
      const i = gates[j] = sigmoid(input[j] + product[j]);
      const f = gates[units + j] = sigmoid(input[units + j] + product[units + j]);
      const candidate = gates[2 * units + j] = Math.tanh(input[2 * units + j] + product[2 * units + j]);
      const o = gates[3 * units + j] = sigmoid(input[3 * units + j] + product[3 * units + j]);
      c[j] = f * c[j] + i * candidate;
      h[j] = o * Math.tanh(c[j]);
    }
  },

  gru(units, input, product, h, c, gates) {
    for (let j = 0; j < units; j++) {
      const z = gates[j] = sigmoid(input[j] + product[j]);
      const reset = gates[units + j] = sigmoid(input[units + j] + product[units + j]);
      const candidate = gates[2 * units + j] = Math.tanh(input[2 * units + j] + reset * product[2 * units + j]);
      h[j] = z * h[j] + (1 - z) * candidate;
    }
  },
};
