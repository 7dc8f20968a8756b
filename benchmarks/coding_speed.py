"""Speed and size of the entropy coders on 10 million 4-bit symbols, and on a network's codes.

Run ``python benchmarks/coding_speed.py [millions]``. The symbols are those of Gaussian weights on a
grid of 4 bits (3.0 bits of entropy each). Both implementations code the same ones in turn, three
rounds, the median counts; seconds are those of the process, so that other load on the machine does
not count. NNCodec (ISO/IEC 15938-17, in C++) is quoted from what was measured on a 2-core machine.
"""

from __future__ import annotations

import re
import statistics
import sys

from common import octave, python, table

OCTAVE = """
n = {n};
symbols = zeros (n, 1, 'uint8');
rand ('twister', 1);
for first = 1:1000000:n
  u = rand (1000000, 1);
  v = rand (1000000, 1);
  g = sqrt (-2 * log (u)) .* cos (2 * pi * v);
  symbols(first:first+999999) = uint8 (min (max (round (2 * g), -7), 7) + 8);
end
counts = accumarray (double (symbols) + 1, 1, [16 1]);
p = counts(counts > 0) / n;
entropy = -n * sum (p .* log2 (p)) / 8;
for method = {{'rans', 'huffman'}}
  for round = 1:3
    t = cputime ();
    bytes = octcompress.coding.encode_symbols (symbols, 16, method{{1}});
    into = cputime () - t;
    t = cputime ();
    back = octcompress.coding.decode_symbols (bytes, n, 16);
    out = cputime () - t;
    assert (isequal (back, symbols));
    printf ('%s %.4f %.4f %.6f\\n', method{{1}}, into, out, numel (bytes) / entropy - 1);
  end
end
model = nn_load ('{model}');
model = nn_quantize (nn_prune (model, 'sparsity', 0.95, 'scope', 'global'), 4);
n = nn_info (model).totals.parameters;
for round = 1:3
  t = cputime ();
  packed = nn_pack (model);
  into = cputime () - t;
  t = cputime ();
  nn_unpack (packed);
  printf ('contexts %.4f %.4f %d\\n', into, cputime () - t, numel (packed.octc));
end
"""
PYTHON = """
import time
import numpy as np
import pyoctcompress as oc
from pyoctcompress.reference.coding import decode_symbols, encode_symbols
n = {n}
rng = np.random.RandomState([1])
parts = []
for _ in range(n // 1000000):
    u, v = rng.random_sample(1000000), rng.random_sample(1000000)
    g = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    parts.append((np.clip(np.sign(g) * np.floor(abs(2 * g) + 0.5), -7, 7) + 8).astype(np.uint8))
symbols = np.concatenate(parts)
p = np.bincount(symbols) / n
p = p[p > 0]
entropy = -n * (p * np.log2(p)).sum() / 8
for method in ("rans", "huffman"):
    for _ in range(3):
        t = time.process_time()
        data = encode_symbols(symbols, 16, method)
        into = time.process_time() - t
        t = time.process_time()
        back = decode_symbols(data, n, 16)
        out = time.process_time() - t
        assert (back == symbols).all()
        print(method, into, out, len(data) / entropy - 1)
model, _ = oc.prune(oc.load("{model}"), sparsity=0.95, scope="global", backend="numpy")
model, _ = oc.quantize(model, 4, backend="numpy")
for _ in range(3):
    t = time.process_time()
    packed, _ = oc.pack(model, backend="numpy")
    into = time.process_time() - t
    t = time.process_time()
    oc.unpack(packed, backend="numpy")
    print("contexts", into, time.process_time() - t, packed["octc"].size)
"""
WEIGHTS = 266610


def medians(text: str) -> dict[str, list[float]]:
    """Median of each figure of each line's name."""
    seen: dict[str, list[list[float]]] = {}
    for name, rest in re.findall(r"^(rans|huffman|contexts) (.*)$", text, re.M):
        seen.setdefault(name, []).append([float(v) for v in rest.split()])
    return {
        name: [statistics.median(v) for v in zip(*lines, strict=True)]
        for name, lines in seen.items()
    }


def main() -> None:
    """Measure, and print one table."""
    n = 1000000 * int(sys.argv[1] if len(sys.argv) > 1 else 10)
    from common import ROOT

    model = ROOT / "examples" / "models" / "lenet300.mat"
    rows: list[list[object]] = []
    for name, run, code in (("Octave", octave, OCTAVE), ("NumPy", python, PYTHON)):
        found = medians(run(code.format(n=n, model=model))[0])
        for method in ("rans", "huffman"):
            into, out, over = found[method]
            rows.append(
                [
                    f"{name}, {method}",
                    f"{n:,} symbols",
                    f"{n / into / 1e6:.1f}",
                    f"{n / out / 1e6:.1f}",
                    f"{100 * over:+.3f}% of the entropy",
                ]
            )
        into, out, size = found["contexts"]
        rows.append(
            [
                f"{name}, auto (contexts)",
                f"LeNet-300-100, 95% zeros, 4 bits: {into:.2f} s, {out:.2f} s",
                f"{WEIGHTS / into / 1e6:.2f}",
                f"{WEIGHTS / out / 1e6:.2f}",
                f"{size:,.0f} bytes",
            ]
        )
    rows.append(["NNCodec 2.1 (C++), quoted", "weights", "3", "25", ""])
    print(table(["coder", "what", "million/s in", "million/s out", "size"], rows))


if __name__ == "__main__":
    main()
