"""The C99 functions that a network's code is made of.

``TYPE`` is the class of activations, ``WEIGHT`` that of decoded weights, ``SUM`` that of sums:
float, or int8_t, int8_t and int32_t. Images are H x W x C, the channels fastest.
"""

from __future__ import annotations

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

_CONVOLVE = """/* One output channel after the other; a dense layer is a window of one pixel. */
static void NAME (const TYPE *x, TYPE *y, const window *g, const weights *w, WEIGHT *scratch,
                  const SUM *bias, const finish *end)
{
  int32_t a, b, c, i, j, o;
  int32_t each = g->channels / g->groups, filters = g->filters / g->groups;
  for (o = 0; o < g->filters; o++) {
    const WEIGHT *row = row_of (w, o, scratch);
    int32_t first = o / filters * each;
    for (a = 0; a < g->out_height; a++)
      for (b = 0; b < g->out_width; b++) {
        SUM sum = bias ? bias[o] : 0;
        for (i = 0; i < g->rows; i++) {
ROWS
          if (h < 0 || h >= g->height)
            continue;
          for (j = 0; j < g->columns; j++) {
COLUMNS
            const TYPE *p;
            const WEIGHT *q = row + (i * g->columns + j) * each;
            if (v < 0 || v >= g->width)
              continue;
            p = x + (h * g->width + v) * g->channels + first;
            for (c = 0; c < each; c++)
              sum += PRODUCT;
          }
        }
        y[(a * g->out_width + b) * g->filters + o] = finished (sum, o, end);
      }
  }
}
"""


def _convolve(name: str, product: str, transposed: bool) -> str:
    """Give the text of a convolution."""
    if transposed:
        lines = {
            "ROWS": ("a + g->top - i * g->step_down", "h", "g->down"),
            "COLUMNS": ("b + g->left - j * g->step_across", "v", "g->across"),
        }
        text = _CONVOLVE
        for key, (place, line, stride) in lines.items():
            pad = " " * (10 if line == "h" else 12)
            body = f"{pad}int32_t {line} = {place};\n"
            body += f"{pad}{line} = {line} >= 0 && {line} % {stride} == 0 ? {line} / {stride} : -1;"
            text = text.replace(key, body)
        # Declarations before statements are not asked of C99.
    else:
        text = _CONVOLVE.replace(
            "ROWS", " " * 10 + "int32_t h = a * g->down - g->top + i * g->step_down;"
        ).replace("COLUMNS", " " * 12 + "int32_t v = b * g->across - g->left + j * g->step_across;")
    return text.replace("NAME", name).replace("PRODUCT", product)


FLOAT: dict[str, tuple[str, str]] = {
    "finish": (
        "",
        """typedef struct {
  float low, high;
} finish;

static float finished (float sum, int32_t channel, const finish *end)
{
  (void) channel;
  return sum < end->low ? end->low : sum > end->high ? end->high : sum;
}
""",
    ),
    "convolved": ("window weights finish", _convolve("convolved", "p[c] * q[c]", False)),
    "deconvolved": ("window weights finish", _convolve("deconvolved", "p[c] * q[c]", True)),
    "averaged": (
        "window",
        """static void averaged (const float *x, float *y, const window *g, int padding)
{
  int32_t a, b, c, i, j;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++)
      for (c = 0; c < g->channels; c++) {
        float sum = 0;
        int32_t count = 0;
        for (i = 0; i < g->rows; i++) {
          int32_t h = a * g->down - g->top + i * g->step_down;
          for (j = 0; j < g->columns; j++) {
            int32_t w = b * g->across - g->left + j * g->step_across;
            if (h >= 0 && h < g->height && w >= 0 && w < g->width) {
              sum += x[(h * g->width + w) * g->channels + c];
              count++;
            } else if (padding && h < g->height + g->bottom && w < g->width + g->right)
              count++;
          }
        }
        *y++ = sum / (float) count;
      }
}
""",
    ),
    "interpolated": (
        "window",
        """static void interpolated (const float *x, float *y, const window *g,
                          const uint16_t *lines, const float *parts)
{
  int32_t a, b, c;
  int32_t step = g->width * g->channels;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++) {
      int32_t h = lines[a], v = lines[g->out_height + b];
      int32_t down = h + 1 < g->height ? step : 0, across = v + 1 < g->width ? g->channels : 0;
      float p = parts[a], q = parts[g->out_height + b];
      for (c = 0; c < g->channels; c++) {
        const float *from = x + h * step + v * g->channels + c;
        *y++ = (1 - p) * ((1 - q) * from[0] + q * from[across])
               + p * ((1 - q) * from[down] + q * from[down + across]);
      }
    }
}
""",
    ),
    "combined": (
        "",
        """/* Add (1), subtract (2) or multiply (3); steps are 0 where an input is stretched. */
static void combined (const float *x, const float *z, float *y, int kind, const int32_t *counts,
                      const int32_t *steps, float low, float high)
{
  int32_t a, b, c;
  for (a = 0; a < counts[0]; a++)
    for (b = 0; b < counts[1]; b++)
      for (c = 0; c < counts[2]; c++) {
        float p = x[a * steps[0] + b * steps[1] + c * steps[2]];
        float q = z[a * steps[3] + b * steps[4] + c * steps[5]];
        float value = kind == 1 ? p + q : kind == 2 ? p - q : p * q;
        *y++ = value < low ? low : value > high ? high : value;
      }
}
""",
    ),
    "affine": (
        "",
        """static void affine (const float *x, float *y, int32_t count,
                    const float *scale, int32_t scales, const float *offset, int32_t offsets)
{
  int32_t i;
  for (i = 0; i < count; i++)
    y[i] = x[i] * scale[i % scales] + offset[i % offsets];
}
""",
    ),
    "sloped": (
        "",
        """static void sloped (const float *x, float *y, int32_t count,
                    const float *slope, int32_t slopes)
{
  int32_t i;
  for (i = 0; i < count; i++)
    y[i] = x[i] > 0 ? x[i] : slope[i % slopes] * x[i];
}
""",
    ),
    "softmax": (
        "",
        """static void softmax (const float *x, float *y, int32_t rows, int32_t length,
                     int logarithm)
{
  int32_t a, i;
  for (a = 0; a < rows; a++, x += length, y += length) {
    float top = x[0], sum = 0;
    for (i = 1; i < length; i++)
      top = x[i] > top ? x[i] : top;
    for (i = 0; i < length; i++)
      sum += expf (x[i] - top);
    for (i = 0; i < length; i++)
      y[i] = logarithm ? x[i] - top - logf (sum) : expf (x[i] - top) / sum;
  }
}
""",
    ),
    "sigmoid": (
        "",
        """static float sigmoid (float x)
{
  return 1 / (1 + expf (-x));
}
""",
    ),
    "gates": (
        "weights",
        """/* sums[r] = weights row r * x + bias */
static void gates (const float *x, const weights *w, float *scratch, const float *bias,
                   int32_t first, int32_t count, float *sums)
{
  int32_t r, i;
  for (r = first; r < first + count; r++) {
    const float *row = row_of (w, r, scratch);
    float sum = bias ? bias[r] : 0;
    for (i = 0; i < w->length; i++)
      sum += row[i] * x[i];
    sums[r] = sum;
  }
}
""",
    ),
    "lstm": (
        "gates sigmoid",
        """/* memory holds 4 units of gates, 4 more of recurrent ones, h and c. */
static void lstm (const float *x, float *y, int32_t steps, const weights *w, const weights *u,
                  const float *bias, const float *recurrent_bias, float *scratch, float *memory,
                  int reverse, int last)
{
  int32_t units = u->length, t, i;
  float *a = memory, *b = memory + 4 * units, *h = memory + 8 * units, *c = memory + 9 * units;
  for (i = 0; i < 2 * units; i++)
    h[i] = 0;
  for (t = 0; t < steps; t++) {
    int32_t now = reverse ? steps - 1 - t : t;
    gates (x + now * w->length, w, scratch, bias, 0, 4 * units, a);
    gates (h, u, scratch, recurrent_bias, 0, 4 * units, b);
    for (i = 0; i < units; i++) {
      float in = sigmoid (a[i] + b[i]), forget = sigmoid (a[units + i] + b[units + i]);
      float candidate = tanhf (a[2 * units + i] + b[2 * units + i]);
      c[i] = forget * c[i] + in * candidate;
      h[i] = sigmoid (a[3 * units + i] + b[3 * units + i]) * tanhf (c[i]);
      if (!last || t == steps - 1)
        y[(last ? 0 : now * units) + i] = h[i];
    }
  }
}
""",
    ),
    "gru": (
        "gates sigmoid",
        """/* memory holds 3 units of gates, 3 more of recurrent ones, h, and r * h. */
static void gru (const float *x, float *y, int32_t steps, const weights *w, const weights *u,
                 const float *bias, const float *recurrent_bias, float *scratch, float *memory,
                 int reverse, int last, int after)
{
  int32_t units = u->length, t, i;
  float *a = memory, *b = memory + 3 * units, *h = memory + 6 * units, *part = h + units;
  for (i = 0; i < units; i++)
    h[i] = 0;
  for (t = 0; t < steps; t++) {
    int32_t now = reverse ? steps - 1 - t : t;
    gates (x + now * w->length, w, scratch, bias, 0, 3 * units, a);
    gates (h, u, scratch, recurrent_bias, 0, 2 * units, b);
    for (i = 0; i < units; i++) {
      a[i] = sigmoid (a[i] + b[i]);
      a[units + i] = sigmoid (a[units + i] + b[units + i]);
      part[i] = after ? h[i] : a[i] * h[i];
    }
    gates (part, u, scratch, recurrent_bias, 2 * units, units, b);
    for (i = 0; i < units; i++) {
      float update = a[units + i], more = b[2 * units + i];
      float candidate = tanhf (a[2 * units + i] + (after ? a[i] * more : more));
      h[i] = (1 - update) * candidate + update * h[i];
      if (!last || t == steps - 1)
        y[(last ? 0 : now * units) + i] = h[i];
    }
  }
}
""",
    ),
}

_DOUBLE_ROUNDING = """/* x times m * 2^(shift - 31), rounded twice: TensorFlow Lite's default. */
static int32_t scaled (int64_t x, int32_t multiplier, int32_t shift)
{
  int64_t high = high_multiply (shift > 0 ? x * ((int64_t) 1 << shift) : x, multiplier);
  return (int32_t) divided (high, shift < 0 ? -shift : 0);
}
"""
_SINGLE_ROUNDING = """/* x times m * 2^(shift - 31), rounded once (TFLITE_SINGLE_ROUNDING). */
static int32_t scaled (int64_t x, int32_t multiplier, int32_t shift)
{
  int32_t total = 31 - shift;
  int64_t y = floored (x * multiplier + ((int64_t) 1 << (total - 1)), total);
  return (int32_t) (y < INT32_MIN ? INT32_MIN : y > INT32_MAX ? INT32_MAX : y);
}
"""
ROUNDING = {
    "double": ("high_multiply divided", _DOUBLE_ROUNDING),
    "single": ("floored", _SINGLE_ROUNDING),
}

INTEGER: dict[str, tuple[str, str]] = {
    "floored": (
        "",
        """/* x / 2^shift, rounded down. */
static int64_t floored (int64_t x, int32_t shift)
{
  int64_t unit = (int64_t) 1 << shift, y = x / unit;
  return x % unit < 0 ? y - 1 : y;
}
""",
    ),
    "high_multiply": (
        "floored",
        """/* The upper half of a product of 32-bit numbers. */
static int64_t high_multiply (int64_t a, int64_t b)
{
  int64_t y = floored (a * b + ((int64_t) 1 << 30), 31);
  return y > INT32_MAX ? INT32_MAX : y;
}
""",
    ),
    "divided": (
        "",
        """/* x / 2^shift, rounded to the nearest, halves away from zero. */
static int64_t divided (int64_t x, int32_t shift)
{
  int64_t half = shift > 0 ? (int64_t) 1 << (shift - 1) : 0;
  return x < 0 ? -((-x + half) >> shift) : (x + half) >> shift;
}
""",
    ),
    "scaled": ("", ""),  # one of ROUNDING
    "finish": (
        "scaled",
        """/* How sums become codes: a multiplier and a shift for all, or for each channel. */
typedef struct {
  int32_t zero, out_zero, low, high, each;
  const int32_t *multiplier;
  const int8_t *shift;
} finish;

static int8_t finished (int32_t sum, int32_t channel, const finish *end)
{
  int32_t k = channel * end->each;
  int32_t y = scaled (sum, end->multiplier[k], end->shift[k]) + end->out_zero;
  return (int8_t) (y < end->low ? end->low : y > end->high ? end->high : y);
}
""",
    ),
    "convolved": (
        "window weights finish",
        _convolve("convolved", "((int32_t) p[c] - end->zero) * q[c]", False),
    ),
    "deconvolved": (
        "window weights finish",
        _convolve("deconvolved", "((int32_t) p[c] - end->zero) * q[c]", True),
    ),
    "averaged": (
        "window",
        """static void averaged (const int8_t *x, int8_t *y, const window *g)
{
  int32_t a, b, c, i, j;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++)
      for (c = 0; c < g->channels; c++) {
        int32_t sum = 0, count = 0;
        for (i = 0; i < g->rows; i++) {
          int32_t h = a * g->down - g->top + i * g->step_down;
          for (j = 0; j < g->columns; j++) {
            int32_t w = b * g->across - g->left + j * g->step_across;
            if (h >= 0 && h < g->height && w >= 0 && w < g->width) {
              sum += x[(h * g->width + w) * g->channels + c];
              count++;
            }
          }
        }
        *y++ = (int8_t) ((sum + (sum < 0 ? -(count / 2) : count / 2)) / count);
      }
}
""",
    ),
    "looked_up": (
        "",
        """static void looked_up (const int8_t *x, int8_t *y, int32_t count, const int8_t *table)
{
  int32_t i;
  for (i = 0; i < count; i++)
    y[i] = table[x[i] + 128];
}
""",
    ),
    "combined": (
        "scaled",
        """typedef struct {
  int32_t zero[2], out_zero, low, high, multiplier[3], shift[3];
} pair;

/* Add (1), subtract (2) or multiply (3); steps are 0 where an input is stretched. */
static void combined (const int8_t *x, const int8_t *z, int8_t *y, int kind, const int32_t *counts,
                      const int32_t *steps, const pair *s)
{
  int32_t a, b, c;
  for (a = 0; a < counts[0]; a++)
    for (b = 0; b < counts[1]; b++)
      for (c = 0; c < counts[2]; c++) {
        int32_t p = x[a * steps[0] + b * steps[1] + c * steps[2]] - s->zero[0];
        int32_t q = z[a * steps[3] + b * steps[4] + c * steps[5]] - s->zero[1];
        int32_t value;
        if (kind == 3)
          value = p * q;
        else {
          p = scaled ((int64_t) p * 1048576, s->multiplier[0], s->shift[0]);
          q = scaled ((int64_t) q * 1048576, s->multiplier[1], s->shift[1]);
          value = kind == 1 ? p + q : p - q;
        }
        value = scaled (value, s->multiplier[2], s->shift[2]) + s->out_zero;
        *y++ = (int8_t) (value < s->low ? s->low : value > s->high ? s->high : value);
      }
}
""",
    ),
    "softmax": (
        "high_multiply divided",
        """/* exp of Q5.26 numbers that are not positive, in Q0.31 (gemmlowp's). */
static int64_t exponential (int64_t a)
{
  static const int64_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535,
                                     720401, 242};
  int64_t quarter = 16777216, within, x, x2, x3, x4, third, inner, y, rest;
  int32_t k;
  if (a == 0)
    return INT32_MAX;
  within = a - floored (a, 24) * quarter - quarter;
  x = within * 32 + 268435456;
  x2 = high_multiply (x, x);
  x3 = high_multiply (x2, x);
  x4 = high_multiply (x2, x2);
  third = high_multiply (divided (x4, 2) + x3, 715827883);
  inner = x + divided (third + x2, 1);
  y = 1895147668 + high_multiply (1895147668, inner);
  rest = within - a;
  for (k = 0; k < 7; k++)
    if ((rest >> (24 + k)) & 1)
      y = high_multiply (y, factors[k]);
  return y;
}

static int64_t exponential_of (int32_t difference, int32_t multiplier, int32_t shift)
{
  return exponential (high_multiply (difference * ((int64_t) 1 << shift), multiplier));
}

static void softmax (const int8_t *x, int8_t *y, int32_t rows, int32_t length, int32_t multiplier,
                     int32_t shift, int32_t least)
{
  int32_t a, i, k;
  for (a = 0; a < rows; a++, x += length, y += length) {
    int32_t top = x[0], headroom = 32;
    int64_t total = 0, half, inverse = 1515870810, part;
    for (i = 1; i < length; i++)
      top = x[i] > top ? x[i] : top;
    for (i = 0; i < length; i++)
      if (x[i] - top >= least)
        total += divided (exponential_of (x[i] - top, multiplier, shift), 12);
    for (part = total; part > 0; part /= 2)
      headroom--;
    half = (total * ((int64_t) 1 << headroom)) / 2;
    inverse += high_multiply (half, -1010580540);
    for (k = 0; k < 3; k++)
      inverse += 4 * high_multiply (inverse, 536870912 - high_multiply (half, inverse));
    inverse = 2 * inverse > INT32_MAX ? INT32_MAX : 2 * inverse;
    for (i = 0; i < length; i++) {
      int64_t value = -128;
      if (x[i] - top >= least) {
        value = high_multiply (inverse, exponential_of (x[i] - top, multiplier, shift));
        value = divided (value, 12 - headroom + 23) - 128;
      }
      y[i] = (int8_t) (value > 127 ? 127 : value);
    }
  }
}
""",
    ),
}

# Functions of one number, in floating point.
FUNCTIONS = {
    "relu": "x > 0 ? x : 0",
    "relu6": "x < 0 ? 0 : x > 6 ? 6 : x",
    "leakyrelu": "x > 0 ? x : {slope}f * x",
    "elu": "x > 0 ? x : {alpha}f * expm1f (x)",
    "gelu": "0.5f * x * (1 + erff (x * 0.70710678f))",
    "gelu_tanh": "0.5f * x * (1 + tanhf (0.79788456f * (x + 0.044715f * x * x * x)))",
    "swish": "x / (1 + expf (-x))",
    "hardswish": "x * (x < -3 ? 0 : x > 3 ? 6 : x + 3) / 6",
    "sigmoid": "1 / (1 + expf (-x))",
    "hardsigmoid": "{alpha}f * x + {beta}f < 0 ? 0 : {alpha}f * x + {beta}f > 1 ? 1 "
    ": {alpha}f * x + {beta}f",
    "tanh": "tanhf (x)",
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
