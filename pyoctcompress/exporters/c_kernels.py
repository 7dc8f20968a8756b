"""The C99 functions that a network's code is made of.

``TYPE`` is the class of activations, ``WEIGHT`` that of decoded weights, ``SUM`` that of sums:
float, or int8_t, int8_t and int32_t. Images are H x W x C, the channels fastest.
"""

from __future__ import annotations

from pyoctcompress.exporters.c_float import FLOAT
from pyoctcompress.exporters.c_integer import INTEGER, ROUNDING

# name: (the functions it calls, its text)
SHARED: dict[str, tuple[str, str]] = {
    "window": (
        "",
        """/* Where windows lie on an image. */
typedef struct {
  int32_t height, width, channels;      /* of the input */
  int32_t out_height, out_width, filters;
  int32_t rows, columns;                /* of the kernel */
  int32_t down, across;                 /* stride */
  int32_t top, bottom, left, right;     /* padding */
  int32_t step_down, step_across;       /* dilation */
  int32_t groups;
} window;
""",
    ),
    "weights": (
        "",
        """/* The weights of one output: where they are, or how they are decoded. */
typedef struct {
  const WEIGHT *plain;
  void (*row) (int32_t number, WEIGHT *into);
  int32_t length;
} weights;

static const WEIGHT *row_of (const weights *w, int32_t number, WEIGHT *scratch)
{
  if (w->plain)
    return w->plain + (size_t) number * (size_t) w->length;
  w->row (number, scratch);
  return scratch;
}
""",
    ),
    "copied": (
        "",
        """static void copied (const TYPE *x, TYPE *y, int32_t count)
{
  int32_t i;
  for (i = 0; i < count; i++)
    y[i] = x[i];
}
""",
    ),
    "rearranged": (
        "",
        """/* Copy three nested dimensions; the steps are those of the input. */
static void rearranged (const TYPE *x, TYPE *y, const int32_t *counts, const int32_t *steps)
{
  int32_t a, b, c;
  for (a = 0; a < counts[0]; a++)
    for (b = 0; b < counts[1]; b++)
      for (c = 0; c < counts[2]; c++)
        *y++ = x[a * steps[0] + b * steps[1] + c * steps[2]];
}
""",
    ),
    "joined": (
        "",
        """/* Write blocks of one input of a concatenation between those of the others. */
static void joined (const TYPE *x, TYPE *y, int32_t blocks, int32_t length, int32_t stride)
{
  int32_t a, i;
  for (a = 0; a < blocks; a++)
    for (i = 0; i < length; i++)
      y[a * stride + i] = x[a * length + i];
}
""",
    ),
    "surrounded": (
        "window",
        """static void surrounded (const TYPE *x, TYPE *y, const window *g, TYPE filler)
{
  int32_t a, b, c;
  for (a = -g->top; a < g->height + g->bottom; a++)
    for (b = -g->left; b < g->width + g->right; b++)
      for (c = 0; c < g->channels; c++) {
        int inside = a >= 0 && a < g->height && b >= 0 && b < g->width;
        *y++ = inside ? x[(a * g->width + b) * g->channels + c] : filler;
      }
}
""",
    ),
    "nearest": (
        "window",
        """/* Enlarge an image; lines says which line of it each line of the result is. */
static void nearest (const TYPE *x, TYPE *y, const window *g, const uint16_t *lines)
{
  int32_t a, b, c;
  const uint16_t *columns = lines + g->out_height;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++)
      for (c = 0; c < g->channels; c++)
        *y++ = x[(lines[a] * g->width + columns[b]) * g->channels + c];
}
""",
    ),
    "largest": (
        "window",
        """static void largest (const TYPE *x, TYPE *y, const window *g)
{
  int32_t a, b, c, i, j;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++)
      for (c = 0; c < g->channels; c++) {
        int found = 0;
        TYPE best = 0;
        for (i = 0; i < g->rows; i++) {
          int32_t h = a * g->down - g->top + i * g->step_down;
          for (j = 0; j < g->columns; j++) {
            int32_t w = b * g->across - g->left + j * g->step_across;
            if (h >= 0 && h < g->height && w >= 0 && w < g->width) {
              TYPE value = x[(h * g->width + w) * g->channels + c];
              if (!found || value > best)
                best = value;
              found = 1;
            }
          }
        }
        *y++ = best;
      }
}
""",
    ),
    "bits": (
        "",
        """/* Read a code of some bits; codes stand one after the other, the lowest bit first. */
static int32_t code_at (const uint8_t *codes, size_t number, int32_t bits)
{
  size_t place = number * (size_t) bits;
  const uint8_t *from = codes + place / 8;
  uint32_t shift = (uint32_t) (place % 8);
  uint32_t found = (uint32_t) from[0] >> shift;
  if (shift + (uint32_t) bits > 8)
    found |= (uint32_t) from[1] << (8 - shift);
  return (int32_t) (found & ((1u << bits) - 1u));
}
""",
    ),
    "spread": (
        "",
        """/* Put the nonzeros of a row in their places: each with the zeros before it counted. */
static void spread (const uint8_t *gaps, const WEIGHT *values, uint32_t first, uint32_t last,
                    WEIGHT *into, int32_t length)
{
  int32_t i, place = -1;
  uint32_t k;
  for (i = 0; i < length; i++)
    into[i] = 0;
  for (k = first; k < last; k++) {
    place += gaps[k] + 1;
    into[place] = values[k];
  }
}
""",
    ),
}


def chosen(wanted: set[str], integer: bool, rounding: str) -> str:
    """Give the text of functions, each after those that it calls."""
    known = SHARED | (INTEGER | {"scaled": ROUNDING[rounding]} if integer else FLOAT)
    done: list[str] = []

    def need(name: str) -> None:
        for other in known[name][0].split():
            need(other)
        if name not in done:
            done.append(name)

    for name in known:
        if name in wanted:
            need(name)
    text = "\n".join(known[name][1] for name in done)
    types = ("int8_t", "int8_t", "int32_t") if integer else ("float", "float", "float")
    for word, kind in zip(("TYPE", "WEIGHT", "SUM"), types, strict=True):
        text = text.replace(word, kind)
    return text
