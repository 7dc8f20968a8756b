function quantization_speed (size_of_layer)
%QUANTIZATION_SPEED  Time and memory of GPTQ on one large layer, and of rounding to nearest.
%
%   quantization_speed ()
%   quantization_speed (4096)
%
%   GPTQ of a layer of so many inputs and outputs, 4 bits by row, with 2048 rows of calibration
%   data, beside its floor: the matrix products and the Cholesky factor alone, in single and double
%   precision as GPTQ uses them. quantization_gptq.py is the same algorithm in PyTorch.
%   Times are of the processor, so that other load on the machine does not count; with
%   OPENBLAS_NUM_THREADS=1 they are what one core takes.
%
%   Then 25 million weights to nearest, with and without the figures in info, beside one pass over
%   the memory, and beside what no rounding in Octave can do without: the range, a division, a
%   rounding and a product, by pieces that stay in the cache, and the result written.

  if nargin < 1
    size_of_layer = 4096;
  end
  addpath (fullfile (fileparts (fileparts (mfilename ('fullpath'))), 'octave_pkg', 'inst'));
  n = size_of_layer;
  rand ('twister', 1);
  w = single (rand (n) - 0.5) / sqrt (n);
  u = single (rand (n, 2048) - 0.3);
  started = cputime ();
  gram = double (u * u');
  seconds_gram = cputime () - started;
  grid = octcompress.quant.choose_grid (w, 4, 'symmetric', 1, 'fit', 'range');
  started = cputime ();
  [codes, info] = octcompress.quant.gptq (w, gram, grid);
  seconds = cputime () - started;
  e = octcompress.quant.snap_to_grid (w, grid) - w;
  nearest = sum (sum ((e * single (gram)) .* e));

  started = cputime ();
  factor = chol (gram + 0.01 * mean (diag (gram)) * eye (n));
  seconds_factor = cputime () - started;
  clear factor
  started = cputime ();
  for first = 1:128:n
    part = w(:, 1:first + 127) * u(1:first + 127, 1:128);
  end
  seconds_product = cputime () - started;
  fprintf ('GPTQ of %d x %d, 4 bits, 2048 rows: %.1f s, and %.1f s for the Gram matrix\n', n, ...
           n, seconds, seconds_gram);
  fprintf ('  floor: Cholesky factor %.1f s, products %.1f s\n', seconds_factor, seconds_product);
  fprintf ('  output error %.3g, rounding to nearest %.3g\n', sum (info.loss), nearest);
  fprintf ('  greatest memory of the process: %.0f MB\n', peak_memory ());

  w = single (rand (25e6, 1) - 0.5);
  w = reshape (w, 5000, 5000);
  for k = 1:3
    started = cputime ();
    v = w * single (0.5);
    copy(k) = cputime () - started;
    started = cputime ();
    q = nn_quantize (w, 4);
    time(k) = cputime () - started;
    started = cputime ();
    [q, info] = nn_quantize (w, 4);
    measured(k) = cputime () - started;
    started = cputime ();
    least_work (w);
    least(k) = cputime () - started;
  end
  fprintf (['nearest, 25 million weights: %.2f s, with figures %.2f s; at least %.2f s; ' ...
            'one pass that reads and writes them: %.2f s\n'], min (time), min (measured), ...
           min (least), min (copy));
end

function q = least_work (w)
  scale = max (-min (w(:)), max (w(:))) / 7;
  q = zeros (size (w), 'single');
  for first = 1:2 ^ 15:numel (w)
    last = min (first + 2 ^ 15 - 1, numel (w));
    q(first:last) = round (w(first:last) / scale) * scale;
  end
end

function megabytes = peak_memory ()
  megabytes = NaN;
  if exist ('/proc/self/status', 'file')
    text = fileread ('/proc/self/status');
    megabytes = str2double (regexp (text, 'VmHWM:\s+(\d+)', 'tokens', 'once')) / 1024;
  end
end
