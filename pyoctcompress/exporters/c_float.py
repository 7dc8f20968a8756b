"""The C99 functions in floating point of a network; see `c_kernels`."""

from __future__ import annotations

from pyoctcompress.exporters.c_convolution import CONVOLVED, DECONVOLVED

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
    "dot": (
        "finish",
        """/* Four sums side by side. */
static float dot (const float *p, const float *q, int32_t count, const finish *end)
{
  float s = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  int32_t c = 0;
  (void) end;
  for (; c + 3 < count; c += 4) {
    s0 += p[c] * q[c];
    s1 += p[c + 1] * q[c + 1];
    s2 += p[c + 2] * q[c + 2];
    s3 += p[c + 3] * q[c + 3];
  }
  for (; c < count; c++)
    s += p[c] * q[c];
  return s + ((s0 + s1) + (s2 + s3));
}
""",
    ),
    "convolved": ("window weights dot", CONVOLVED),
    "deconvolved": ("window weights dot", DECONVOLVED),
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
