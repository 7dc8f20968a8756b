function [student, info] = nn_student (teacher, varargin)
%NN_STUDENT  Make a smaller network out of a large one, for the large one to teach.
%
%   [student, info] = nn_student (teacher, 'width', 0.5)
%   [student, info] = nn_student (teacher, 'depth', 0.5)
%   [student, info] = nn_student (teacher, 'bytes', 20000)
%
%   teacher  a network (docs/model-format.md)
%   student  a network with the same inputs and outputs and the teacher's graph. It starts with the
%            weights of the teacher's most important units: train it by nn_distill
%
%   Options, as name-value pairs or a struct:
%     width ([])          0 to 1: the share of the units (neurons, filters) of each hidden layer;
%                         residual connections, concatenations, batch normalisations and depthwise
%                         filters follow. help octcompress.distill.thinner says which stay
%     depth ([])          0 to 1: the share of the layers with weights; layers and residual branches
%                         that give what is as large as what they read are left out, evenly
%                         (octcompress.distill.shallower)
%     bytes ([])          instead of width: the greatest width with which the weights take so many
%                         bytes, as nn_info counts them
%     initial ('units')   'random': the student's graph with weights drawn anew, biases 0 and fresh
%                         batch normalisations
%     seed (0)            of 'random'
%
%   info.options     the options as merged with the defaults
%   info.width       of the units; 1 where all stay
%   info.parameters, info.macs, info.bytes  each [teacher student], as nn_info counts them
%   info.layers      cell of structs: layer, weights_size, of each with weights
%
%   What pruning and quantization have promised is kept for the weights that stay.
%
%   Errors: octcompress:nn_student:badValue, :noBlocks (nothing to leave out), :tooSmall (BYTES
%   cannot be reached), :unknownOption, :notModel, :badLayer, :badSize.
%
%   Example:
%     teacher = nn_load ('lenet300.mat');
%     student = nn_student (teacher, 'width', 0.25);
%     student = nn_distill (teacher, student, X, 'optimizer', 'adam', 'epochs', 10);
%
%   See also nn_distill, nn_shrink, nn_lowrank.

  caller = 'nn_student';
  defaults = struct ('width', [], 'depth', [], 'bytes', [], 'initial', 'units', 'seed', 0);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  check_options (caller, options);
  teacher = octcompress.distill.tidy_named (caller, 'TEACHER', teacher);
  student = teacher;
  if ~isempty (options.depth)
    student = octcompress.distill.shallower (caller, student, options.depth);
  end
  width = 1;
  if ~isempty (options.width)
    width = options.width;
  elseif ~isempty (options.bytes)
    width = width_for (caller, student, options.bytes);
  end
  if width < 1
    student = octcompress.distill.thinner (caller, student, width);
  end
  if strcmp (options.initial, 'random')
    student = drawn_anew (student, options.seed);
  end
  large = getfield (nn_info (teacher), 'totals');
  small = getfield (nn_info (student), 'totals');
  info = struct ('options', options, 'width', width, ...
                 'parameters', [large.parameters, small.parameters], ...
                 'macs', [large.macs, small.macs], 'bytes', [large.bytes, small.bytes], ...
                 'layers', {{}});
  for k = find (cellfun (@(layer) isfield (layer, 'weights'), student.layers))
    info.layers{end + 1} = struct ('layer', student.layers{k}.name, 'weights_size', ...
                                   student.layers{k}.weights_size);
  end
end

function check_options (caller, options)
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  for name = {'width', 'depth'}
    if ~isempty (options.(name{1}))
      check (name{1}, 'number', [0 1]);
    end
  end
  if ~isempty (options.bytes)
    check ('bytes', 'number', [1 1e15]);
  end
  check ('initial', 'choice', {'units', 'random'});
  check ('seed', 'integer', [0 2^32 - 1]);
  if ~isempty (options.width) && ~isempty (options.bytes)
    octcompress.internal.fail (caller, 'badValue', ...
                               'WIDTH and BYTES cannot both be given; leave one out');
  end
  if isempty (options.width) && isempty (options.depth) && isempty (options.bytes) ...
        && strcmp (options.initial, 'units')
    octcompress.internal.fail (caller, 'badValue', ...
      'give WIDTH, DEPTH or BYTES, as in nn_student (teacher, ''width'', 0.5)');
  end
end

function width = width_for (caller, model, bytes)
  % The greatest of 1/1024, 2/1024, ... that is small enough, by halving.
  of_width = @(width) getfield (getfield (nn_info ( ...
    octcompress.distill.thinner (caller, model, width)), 'totals'), 'bytes');
  if getfield (getfield (nn_info (model), 'totals'), 'bytes') <= bytes
    width = 1;
    return
  end
  low = 0;
  high = 1024;
  least = of_width (0);
  if least > bytes
    octcompress.internal.fail (caller, 'tooSmall', ...
      'BYTES is %g, but one unit in each layer already takes %g; give DEPTH too, or more', ...
      bytes, least);
  end
  while high - low > 1
    middle = floor ((low + high) / 2);
    if of_width (middle / 1024) <= bytes
      low = middle;
    else
      high = middle;
    end
  end
  width = low / 1024;
end

function model = drawn_anew (model, seed)
  before = octcompress.train.random ('seed', seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  for k = 1:numel (model.layers)
    layer = model.layers{k};
    entry = octcompress.layers.types (layer.type);
    for promise = {'pruning', 'quantization'}
      if isfield (layer, promise{1})
        layer = rmfield (layer, promise{1});
      end
    end
    for field = [entry.trained, entry.statistics]
      if ~isfield (layer, field{1}) || isempty (layer.(field{1}))
        continue
      end
      w = layer.(field{1});
      switch field{1}
        case {'weights', 'recurrent_weights'}
          sizes = size (w);
          if strcmp (field{1}, 'weights')
            sizes = reshape (layer.weights_size, 1, []);
          end
          w = cast (octcompress.train.initial_weights (sizes), class (w));
        case {'scale', 'variance'}
          w(:) = 1;
        case 'slope'
          w(:) = 0.25;
        otherwise
          w(:) = 0;
      end
      layer.(field{1}) = w;
    end
    model.layers{k} = layer;
  end
end

%!shared teacher, X
%! teacher = nn_new ('input', 6, 'dense', 12, 'batchnorm', 'relu', 'dense', 12, 'relu', 'dense', ...
%!                   3, 'seed', 4);
%! X = single (reshape (sin ((1:240) .^ 2), 6, 40));
%!test
%! [student, info] = nn_student (teacher, 'width', 0.5);
%! assert (cellfun (@(row) row.weights_size, info.layers, 'UniformOutput', false), ...
%!         {[6 6], [6 6], [3 6]});
%! assert ({info.width, info.macs}, {0.5, [12*6 + 12 + 144 + 36, 36 + 6 + 36 + 18]});
%! assert (info.parameters(2) < info.parameters(1));
%! assert (all (ismember (student.layers{1}.weights, teacher.layers{1}.weights)));
%! assert (size (nn_predict (student, X)), [3 40]);
%!test % depth alone and with width
%! [student, info] = nn_student (teacher, 'depth', 0.6, 'width', 0.25);
%! assert (cellfun (@(row) row.weights_size, info.layers, 'UniformOutput', false), {[3 6], [3 3]});
%! assert (numel (student.layers), 4);
%!test % the greatest student of so many bytes
%! for bytes = [300 500 900]
%!   [student, info] = nn_student (teacher, 'bytes', bytes);
%!   assert (info.bytes(2) <= bytes);
%!   [~, next] = nn_student (teacher, 'width', info.width + 1 / 12);
%!   assert (next.bytes(2) > bytes);
%! end
%! [student, info] = nn_student (teacher, 'bytes', 1e6);
%! assert ({student, info.width}, {teacher, 1});
%!test % it learns faster than one that starts from random weights
%! loss = zeros (1, 2);
%! for k = 1:2
%!   start = {'units', 'random'};
%!   student = nn_student (teacher, 'width', 0.75, 'initial', start{k});
%!   [~, info] = nn_distill (teacher, student, X, 'epochs', 3, 'batch_size', 10, 'verbose', false);
%!   loss(k) = info.history.loss(1);
%! end
%! assert (loss(1) < 0.8 * loss(2));
%!test % drawn anew: another seed, other weights; norms and biases are fresh
%! student = nn_student (teacher, 'initial', 'random', 'seed', 5);
%! other = nn_student (teacher, 'initial', 'random', 'seed', 6);
%! assert (any (student.layers{1}.weights(:) ~= other.layers{1}.weights(:)));
%! assert (student.layers{2}.variance, ones (12, 1, 'single'));
%! assert (student.layers{4}.bias, zeros (12, 1, 'single'));
%!test % a pruned teacher: zeros stay promised
%! student = nn_student (nn_prune (teacher, 'sparsity', 0.5), 'width', 0.5);
%! assert (student.layers{1}.pruning.weights.zeros, nnz (student.layers{1}.weights == 0));
%!error <nn_student: give WIDTH, DEPTH or BYTES> nn_student (teacher)
%!error <nn_student: WIDTH must be a number from 0 to 1, but is 2> nn_student (teacher, 'width', 2)
%!error <nn_student: WIDTH and BYTES cannot both be given> nn_student (teacher, 'width', 0.5, 'bytes', 100)
%!error <nn_student: BYTES is 10, but one unit in each layer already takes \d+> nn_student (teacher, 'bytes', 10)
%!error <nn_student: there is no option 'size'; the options are width, depth, bytes, initial, seed> nn_student (teacher, 'size', 1)
%!error <nn_student: TEACHER must be a struct with a cell LAYERS> nn_student (3, 'width', 1)
