function [model, rows] = calibrate (caller, model, x, options)
%CALIBRATE  Give a network's activations their grids, from data.
%
%   [model, rows] = octcompress.quant.calibrate (caller, model, x, options)
%
%   model    a tidy network; grids that its activations have are replaced
%   x        calibration inputs, as nn_predict takes them
%   options  struct: activations ('static', 'dynamic' or 'none'), bits, scheme, observer,
%            percentile, fuse, batch_size, as in nn_calibrate
%   rows     cell of structs: layer, lo, hi, scale, zero_point; empty where dynamic
%
%   Errors: octcompress:CALLER:badInput, :notFinite (names the layer).
%
%   See also nn_calibrate, octcompress.quant.activation_points, octcompress.quant.observer.

  model.quantization = struct ();
  model.layers = without_output_grids (model.layers);
  rows = {};
  if strcmp (options.activations, 'none')
    return
  end
  plan = octcompress.model.plan (caller, model);
  points = octcompress.quant.activation_points (plan, model.layers, options.fuse);
  if strcmp (options.activations, 'dynamic')
    model = dynamic_grids (model, plan, options);
    return
  end
  [x, batches] = octcompress.model.batches (caller, model, x, options.batch_size);
  if isempty (batches)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  count = numel (model.layers);
  watched = find ([true, ~strcmp(points, 'none')]);
  states = cell (1, count + 1);
  for k = watched
    states{k} = octcompress.quant.observer ('start', options.observer, options.percentile);
  end
  for b = 1:size (batches, 1)
    batch = octcompress.model.take_batch (x, model, batches(b, 1):batches(b, 2));
    [~, trace] = octcompress.model.forward (plan, model.layers, batch);
    for k = watched
      states{k} = octcompress.quant.observer ('add', states{k}, trace.values{k});
    end
  end

  class_name = class (batch);
  names = [{'input'}, cellfun(@(layer) layer.name, model.layers, 'UniformOutput', false)];
  grids = cell (1, count + 1);
  for k = watched
    [lo, hi] = octcompress.quant.observer ('range', states{k}, options.bits, options.scheme);
    if ~isfinite (lo + hi)
      octcompress.internal.fail (caller, 'notFinite', ...
        'the output of layer ''%s'' is not finite on DATA; scale the inputs as in training', ...
        names{max(k, 2)});
    end
    point = 'own';
    if k > 1
      point = points{k - 1};
      source = plan.inputs{k - 1}(1) + 1;
    end
    switch point
      case 'inherit'
        grids{k} = grids{source};
        continue
      case 'same'
        grids{k} = grids{source};
      case 'fixed'
        [lo, hi] = known_range (model.layers{k - 1}.type, options.bits);
        grids{k} = octcompress.quant.grid_of_range (lo, hi, options.bits, options.scheme, 0, ...
                                                    class_name);
      otherwise
        grids{k} = octcompress.quant.grid_of_range (lo, hi, options.bits, options.scheme, 0, ...
                                                    class_name);
    end
    if k == 1
      model.quantization.input = grids{k};
    else
      model.layers{k - 1}.quantization.output = grids{k};
    end
    rows{end + 1} = struct ('layer', names{k}, 'lo', lo, 'hi', hi, 'scale', ...
                            double (grids{k}.scale), ...
                            'zero_point', double (grids{k}.zero_point));
  end
  model = share_grids (model, plan, points);
end

function model = share_grids (model, plan, points)
  % What a concat reads lies on the concat's grid; from the last one to the first, since one may
  % read another.
  for k = numel (points):-1:1
    if ~strcmp (points{k}, 'shared')
      continue
    end
    grid = model.layers{k}.quantization.output;
    for source = plan.inputs{k}
      while source > 0 && any (strcmp (points{source}, {'inherit', 'same'}))
        source = plan.inputs{source}(1);
      end
      if source == 0
        model.quantization.input = grid;
      elseif ~strcmp (points{source}, 'fixed')
        model.layers{source}.quantization.output = grid;
      end
    end
  end
  for k = find (strcmp (points, 'same'))
    model.layers{k}.quantization.output = grid_read (model, plan, points, k);
  end
end

function model = dynamic_grids (model, plan, options)
  % Where a layer with weights reads: each observation by its own range.
  for k = 1:numel (model.layers)
    if isempty (getfield (octcompress.layers.types (model.layers{k}.type), 'prunable'))
      continue
    end
    for source = plan.inputs{k}
      if source == 0
        dimensions = numel (model.input_size);
      else
        dimensions = numel (plan.sizes{source});
      end
      grid = struct ('bits', double (options.bits), 'scheme', options.scheme, 'dynamic', true, ...
                     'scale', 1, 'zero_point', 0, 'axis', 2 + (dimensions == 3));
      if source == 0
        model.quantization.input = grid;
      else
        model.layers{source}.quantization.output = grid;
      end
    end
  end
end

function grid = grid_read (model, plan, points, k)
  % The grid that the values lie on which layer k reads.
  source = plan.inputs{k}(1);
  while source > 0 && strcmp (points{source}, 'inherit')
    source = plan.inputs{source}(1);
  end
  if source == 0
    grid = model.quantization.input;
  else
    grid = model.layers{source}.quantization.output;
  end
end

function [lo, hi] = known_range (type, bits)
  lo = 0;
  hi = 1 - 2 ^ -bits;
  if strcmp (type, 'tanh')
    lo = -1;
    hi = 1 - 2 ^ (1 - bits);
  elseif strcmp (type, 'logsoftmax')
    lo = 2 ^ (4 - bits) - 16;
    hi = 0;
  end
end

function layers = without_output_grids (layers)
  for k = 1:numel (layers)
    if isfield (layers{k}, 'quantization') && isfield (layers{k}.quantization, 'output')
      layers{k}.quantization = rmfield (layers{k}.quantization, 'output');
    end
  end
end

%!function model = example ()
%!  a = struct ('type', 'dense', 'name', 'a', 'weights', single ([1 -1; 2 0]));
%!  model = struct ('layers', {{a, struct('type', 'relu', 'name', 'r')}});
%!  model = octcompress.model.tidy ('f', model);
%!endfunction
%!function options = settings (varargin)
%!  options = struct ('activations', 'static', 'bits', 8, 'scheme', 'affine', 'observer', ...
%!                    'minmax', ...
%!                    'percentile', 99.99, 'fuse', true, 'batch_size', 2);
%!  options = octcompress.internal.parse_options ('f', options, varargin);
%!endfunction
%!test % dense and relu are one: only the output after both has a grid
%! x = single ([1 2 3; -1 0 1]);
%! [model, rows] = octcompress.quant.calibrate ('f', example (), x, settings ());
%! assert (isfield (model.layers{1}, 'quantization') ...
%!         && isfield (model.layers{1}.quantization, 'output'), false);
%! assert (double (model.layers{2}.quantization.output.scale), 6 / 255, 1e-7);
%! assert (double (model.quantization.input.scale), 4 / 255, 1e-7);
%! assert ({rows{1}.lo, rows{1}.hi}, {-1, 3});
%!test % each by itself
%! x = single ([1 2 3; -1 0 1]);
%! model = octcompress.quant.calibrate ('f', example (), x, settings ('fuse', false));
%! assert (double (model.layers{1}.quantization.output.scale), 6 / 255, 1e-7);
%!error <f: X must have 2 features> octcompress.quant.calibrate ('f', example (), 1, settings ())
