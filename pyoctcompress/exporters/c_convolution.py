"""Convolutions in C99, for both classes of numbers; see `c_kernels`."""

from __future__ import annotations

_HEAD = """static void NAME (const TYPE *x, TYPE *y, const window *g, const weights *w,
                  WEIGHT *scratch, const SUM *bias, const finish *end)
{
  int32_t a, b, i, j, o;
  int32_t each = g->channels / g->groups, filters = g->filters / g->groups;
  for (o = 0; o < g->filters; o++) {
    const WEIGHT *row = row_of (w, o, scratch);
    int32_t first = o / filters * each;
    for (a = 0; a < g->out_height; a++)
      for (b = 0; b < g->out_width; b++) {
        SUM sum = bias ? bias[o] : 0;
        for (i = 0; i < g->rows; i++) {
"""
_TAIL = """        }
        y[(a * g->out_width + b) * g->filters + o] = finished (sum, o, end);
      }
  }
}
"""

CONVOLVED = (
    "/* One output channel after the other; a dense layer is a window of one pixel. */\n"
    + _HEAD.replace("NAME", "convolved")
    + """          int32_t h = a * g->down - g->top + i * g->step_down, v = b * g->across - g->left;
          if (h < 0 || h >= g->height)
            continue;
          if (g->step_across == 1 && g->groups == 1) { /* one piece of memory */
            int32_t from = v < 0 ? -v : 0, left = g->width - v;
            int32_t count = (left < g->columns ? left : g->columns) - from;
            if (count > 0)
              sum += dot (x + (h * g->width + v + from) * each,
                          row + (i * g->columns + from) * each, count * each, end);
            continue;
          }
          for (j = 0; j < g->columns; j++, v += g->step_across)
            if (v >= 0 && v < g->width)
              sum += dot (x + (h * g->width + v) * g->channels + first,
                          row + (i * g->columns + j) * each, each, end);
"""
    + _TAIL
)

DECONVOLVED = (
    "/* Transposed: each pixel of the result gathers what reaches it. */\n"
    + _HEAD.replace("NAME", "deconvolved")
    + """          int32_t h = a + g->top - i * g->step_down;
          if (h < 0 || h % g->down != 0 || h / g->down >= g->height)
            continue;
          h /= g->down;
          for (j = 0; j < g->columns; j++) {
            int32_t v = b + g->left - j * g->step_across;
            if (v >= 0 && v % g->across == 0 && v / g->across < g->width)
              sum += dot (x + (h * g->width + v / g->across) * g->channels + first,
                          row + (i * g->columns + j) * each, each, end);
          }
"""
    + _TAIL
)
