"""GPTQ of one large layer in PyTorch, beside ``quantization_speed.m``.

Run ``python benchmarks/quantization_gptq.py [size]``. The published algorithm (Frantar et al.,
arXiv:2210.17323): the Cholesky factor of the inverse, blocks of 128 inputs, activation order,
damping of 1% of the mean diagonal; 4 bits, one scale for each row, 2048 rows of calibration data.
"""

from __future__ import annotations

import resource
import sys
import time

import torch


def gptq(w: torch.Tensor, gram: torch.Tensor, scale: torch.Tensor, block: int = 128):
    """Quantize the columns of `w` one after the other; returns the codes and the loss."""
    n = w.shape[1]
    order = torch.argsort(torch.diag(gram), descending=True)
    w, gram = w[:, order].clone(), gram[order][:, order].clone()
    gram.diagonal().add_(0.01 * gram.diagonal().mean())
    factor = torch.linalg.cholesky(
        torch.cholesky_inverse(torch.linalg.cholesky(gram)), upper=True
    ).to(w.dtype)
    codes = torch.zeros_like(w)
    loss = 0.0
    for first in range(0, n, block):
        last = min(first + block, n)
        part = w[:, first:last].clone()
        errors = torch.zeros_like(part)
        inner = factor[first:last, first:last]
        for j in range(last - first):
            code = torch.clamp(torch.round(part[:, j] / scale), -7, 7)
            error = (part[:, j] - code * scale) / inner[j, j]
            loss += float((error.double() ** 2).sum())
            part[:, j:] -= error[:, None] * inner[j, j:]
            codes[:, first + j] = code
            errors[:, j] = error
        w[:, last:] -= errors @ factor[first:last, last:]
    return codes[:, torch.argsort(order)], loss


def main() -> None:
    """Print the time, the error and the memory."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    torch.set_num_threads(1)
    torch.manual_seed(1)
    w = (torch.rand(n, n) - 0.5) / n**0.5
    u = torch.rand(n, 2048) - 0.3
    gram = (u @ u.T).double()
    scale = w.abs().amax(dim=1) / 7
    start = time.process_time()
    with torch.inference_mode():
        _, loss = gptq(w, gram, scale)
    seconds = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"PyTorch, {n} x {n}, 4 bits: {seconds:.1f} s, output error {loss:.3g}, {memory:.0f} MB")


if __name__ == "__main__":
    main()
