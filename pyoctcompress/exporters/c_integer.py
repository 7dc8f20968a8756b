"""The C99 functions between integers of a network; see `c_kernels`."""

from __future__ import annotations

from pyoctcompress.exporters.c_convolution import CONVOLVED, DECONVOLVED

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
        """/* x / 2^shift, rounded down; a shift of a negative number is not portable. */
static int64_t floored (int64_t x, int32_t shift)
{
  return x < 0 ? -((-x + ((int64_t) 1 << shift) - 1) >> shift) : x >> shift;
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
    "dot": (
        "finish",
        """static int32_t dot (const int8_t *p, const int8_t *q, int32_t count, const finish *end)
{
  int32_t s = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0, c = 0, zero = end->zero;
  for (; c + 3 < count; c += 4) {
    s0 += (p[c] - zero) * q[c];
    s1 += (p[c + 1] - zero) * q[c + 1];
    s2 += (p[c + 2] - zero) * q[c + 2];
    s3 += (p[c + 3] - zero) * q[c + 3];
  }
  for (; c < count; c++)
    s += (p[c] - zero) * q[c];
  return s + s0 + s1 + s2 + s3;
}
""",
    ),
    "convolved": ("window weights dot", CONVOLVED),
    "deconvolved": ("window weights dot", DECONVOLVED),
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
    "sloped": (
        "scaled",
        """/* Multipliers of codes above and below zero. */
typedef struct {
  int32_t zero, out_zero, low, high, multiplier[2], shift[2];
} rectifier;

static void sloped (const int8_t *x, int8_t *y, int32_t count, const int8_t *slope,
                    int32_t slopes, const rectifier *r)
{
  int32_t i;
  for (i = 0; i < count; i++) {
    int32_t value = x[i] - r->zero, below = value < 0;
    value = below ? value * slope[i % slopes] : value;
    value = scaled (value, r->multiplier[below], r->shift[below]) + r->out_zero;
    y[i] = (int8_t) (value < r->low ? r->low : value > r->high ? r->high : value);
  }
}
""",
    ),
    "interpolated": (
        "window floored divided",
        """/* Two lines for each line and column of the result, and 1024ths of the second. */
static void interpolated (const int8_t *x, int8_t *y, const window *g, const uint16_t *below,
                          const uint16_t *above, const int32_t *parts, int away)
{
  int32_t a, b, c, last = g->out_height;
  for (a = 0; a < g->out_height; a++)
    for (b = 0; b < g->out_width; b++)
      for (c = 0; c < g->channels; c++) {
        int32_t p = parts[a], q = parts[last + b], total;
        const int8_t *low = x + below[a] * g->width * g->channels + c;
        const int8_t *high = x + above[a] * g->width * g->channels + c;
        int32_t left = below[last + b] * g->channels, right = above[last + b] * g->channels;
        total = (1024 - p) * ((1024 - q) * low[left] + q * low[right])
                + p * ((1024 - q) * high[left] + q * high[right]);
        *y++ = (int8_t) (away ? divided (total, 20) : floored (total + 524288, 20));
      }
}
""",
    ),
    "exponential": (
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

/* 1 / (1 + a), where half is half of 1 + a, in Q0.31. */
static int64_t inverted (int64_t half)
{
  int64_t inverse = 1515870810 + high_multiply (half, -1010580540);
  int32_t k;
  for (k = 0; k < 3; k++)
    inverse += 4 * high_multiply (inverse, 536870912 - high_multiply (half, inverse));
  return 2 * inverse > INT32_MAX ? INT32_MAX : 2 * inverse;
}

/* The sum, in Q12.19, of exp of what each code is below the greatest, which is TOP. */
static int64_t sum_of_exponentials (const int8_t *x, int32_t length, int32_t multiplier,
                                    int32_t shift, int32_t least, int32_t *top)
{
  int64_t total = 0;
  int32_t i;
  *top = x[0];
  for (i = 1; i < length; i++)
    *top = x[i] > *top ? x[i] : *top;
  for (i = 0; i < length; i++)
    if (x[i] - *top >= least)
      total += divided (exponential_of (x[i] - *top, multiplier, shift), 12);
  return total;
}

static int32_t length_of (int64_t number)
{
  int32_t length = 0;
  for (; number > 0; number /= 2)
    length++;
  return length;
}
""",
    ),
    "softmax": (
        "exponential",
        """static void softmax (const int8_t *x, int8_t *y, int32_t rows, int32_t length,
                     int32_t multiplier, int32_t shift, int32_t least)
{
  int32_t a, i;
  for (a = 0; a < rows; a++, x += length, y += length) {
    int32_t top, headroom;
    int64_t inverse, total = sum_of_exponentials (x, length, multiplier, shift, least, &top);
    headroom = 32 - length_of (total);
    inverse = inverted (total * ((int64_t) 1 << headroom) / 2);
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
    "logsoftmax": (
        "exponential scaled",
        """/* log of a Q12.19 number of at least 1, in Q5.26: a power of two and a rational rest. */
static int64_t logarithm (int64_t total)
{
  int64_t root = 1518500250, rest, other, power, p, q, square, above, below, y;
  int32_t bits = length_of (total);
  rest = 2 * high_multiply (total * ((int64_t) 1 << (31 - bits)), root);
  power = ((int64_t) bits - 20) * 33554432 + 8388608;
  bits = length_of (high_multiply (total, root));
  other = total * ((int64_t) 1 << (31 - bits));
  rest = other < rest ? other : rest;
  rest = rest > INT32_MAX ? INT32_MAX : rest;
  y = ((int64_t) bits - 19) * 33554432 - 8388608;
  power = y > power ? y : power;
  p = (rest + 1805811302) / 2;
  q = 2 * (rest - 1805811301);
  square = high_multiply (q, q);
  above = high_multiply (q, rest) + high_multiply (high_multiply (q, square), 117049297);
  below = high_multiply (p, 1057819769 + q + high_multiply (127690142, square));
  below += high_multiply (638450708, q);
  y = high_multiply (power, 1488522236);
  y += high_multiply (divided (above, 6), inverted (floored (below + 2147483648, 1)));
  return 2 * y > INT32_MAX ? INT32_MAX : 2 * y;
}

static void logsoftmax (const int8_t *x, int8_t *y, int32_t rows, int32_t length,
                        int32_t multiplier, int32_t shift, int32_t least, int32_t back,
                        int32_t back_shift)
{
  int32_t a, i;
  for (a = 0; a < rows; a++, x += length, y += length) {
    int32_t top, limit;
    int64_t log_total, total = sum_of_exponentials (x, length, multiplier, shift, least, &top);
    log_total = logarithm (total);
    limit = scaled (log_total - 2147483648, back, back_shift);
    limit = limit < least - 1 ? least - 1 : limit;
    for (i = 0; i < length; i++) {
      int64_t value = -128;
      if (x[i] - top > limit) {
        value = high_multiply ((x[i] - top) * ((int64_t) 1 << shift), multiplier) - log_total;
        value = divided (value, 22) + 127;
      }
      y[i] = (int8_t) (value > 127 ? 127 : value < -128 ? -128 : value);
    }
  }
}
""",
    ),
}
