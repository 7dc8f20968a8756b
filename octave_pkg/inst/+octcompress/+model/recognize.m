function [model, report] = recognize (found, options)
%RECOGNIZE  Make a network of ours of the variables of a file in another layout.
%
%   [model, report] = octcompress.model.recognize (found)
%   [model, report] = octcompress.model.recognize (found, options)
%
%   found    struct: the variables of a file
%   options  struct, all optional:
%     layers      cell, the order of the layers: the name of an array's layer ('conv1' for
%                 conv1_weight, conv1_bias), with a cell of its options after it
%                 ({'stride', 2}), or a type and its values as nn_new takes them ({})
%     activation  text: between dense layers in the order of the file, if layers is empty ('')
%     input_size  of one observation; where the layout does not tell ([])
%   model    a network (docs/model-format.md), or found as it came
%   report   struct: layout (of the source, '' where none is known) and reason (why it did not
%            become a network, '' otherwise)
%
%   Recognised by structure: MatConvNet simplenn and DagNN, DeepLearnToolbox nn and cnn, Theta1,
%   Theta2, ... of the machine-learning course, a cell of structs (w, b), arrays with PyTorch's
%   names, and the old Neural Network Toolbox network as a struct. docs/import.md tells each one's
%   rules. A network of ours is left as it is.
%
%   See also nn_load, octcompress.model.is_network, octcompress.model.tidy.

  if nargin < 2
    options = struct ();
  end
  defaults = struct ('layers', {{}}, 'activation', '', 'input_size', []);
  options = octcompress.internal.parse_options ('nn_load', defaults, {options});
  model = found;
  report = struct ('layout', '', 'reason', '');
  if is_ours (found)
    report.layout = 'octcompress';
    return
  end
  [layout, value, place] = find_layout (found, options);
  if isempty (layout)
    return
  end
  report.layout = layout;
  try
    switch layout
      case 'simplenn'
        made = octcompress.model.from_simplenn (value, place, options);
      case 'dagnn'
        made = octcompress.model.from_dagnn (value, place, options);
      case {'deeplearn_nn', 'deeplearn_cnn'}
        made = octcompress.model.from_deeplearn (value, place, layout);
      case 'network'
        made = octcompress.model.from_network (value, place);
      otherwise
        made = octcompress.model.from_variables (value, place, layout, options);
    end
    made.meta.source.layout = layout;
    made = octcompress.model.tidy ('recognize', made);
    octcompress.model.plan ('recognize', made);
    model = made;
  catch problem
    % an option that is wrong is the user's fault, and a fault of this program is ours
    if ~strncmp (problem.identifier, 'octcompress:', 12) ...
       || strncmp (problem.identifier, 'octcompress:nn_load:', 20)
      rethrow (problem);
    end
    report.reason = regexprep (problem.message, '^recognize: ', '');
  end
end

function yes = is_ours (found)
  yes = octcompress.model.is_network (found) && (isfield (found, 'format') ...
        || all (cellfun (@(layer) ~isempty (octcompress.layers.types (layer.type)), ...
                         found.layers(:))));
end

function [layout, value, place] = find_layout (found, options)
  % The variables themselves are one, or one of them is.
  place = '';
  value = found;
  layout = '';
  if isfield (found, octcompress.model.promises_field ())
    return  % compressed as named tensors: as a network it would lose its promises
  end
  layout = layout_of (found);
  if isempty (layout)
    for name = fieldnames (found)'
      layout = layout_of (found.(name{1}));
      if ~isempty (layout)
        value = found.(name{1});
        place = name{1};
        return
      end
    end
    names = fieldnames (found);
    if numel (names) > 1 && all (~cellfun (@isempty, regexp (names, '^Theta\d+$', 'once')))
      layout = 'theta';
    elseif any (~cellfun (@isempty, regexp (names, '_weight$', 'once'))) ...
           && (~isempty (options.layers) || ~isempty (options.activation))
      layout = 'variables';
    end
  end
end

function layout = layout_of (value)
  layout = '';
  elements = octcompress.model.elements (value);
  if ~isempty (elements) && all (cellfun (@is_pair, elements)) && (iscell (value) ...
                                                                   || numel (value) > 1)
    layout = 'cells';
  elseif ~isstruct (value) || ~isscalar (value)
    return
  elseif all (isfield (value, {'IW', 'LW', 'b', 'layers'}))
    layout = 'network';
  elseif all (isfield (value, {'W', 'size', 'activation_function'})) && iscell (value.W)
    layout = 'deeplearn_nn';
  elseif isfield (value, 'layers')
    layers = octcompress.model.elements (value.layers);
    if isempty (layers) || ~all (cellfun (@(layer) isfield (layer, 'type'), layers))
      return
    end
    types = cellfun (@(layer) layer.type, layers, 'UniformOutput', false);
    if isfield (value, 'ffW')
      layout = 'deeplearn_cnn';
    elseif all (cellfun (@(layer) isfield (layer, 'block'), layers))
      layout = 'dagnn';
    elseif any (ismember (types, {'conv', 'convt', 'pool', 'bnorm', 'softmaxloss', 'normalize', ...
                                  'normalizelp', 'loss', 'pdist'}))
      layout = 'simplenn';
    end
  end
end

function yes = is_pair (value)
  names = {'w', 'W', 'weights'};
  yes = isstruct (value) && isscalar (value) && sum (isfield (value, names)) == 1 ...
        && any (isfield (value, {'b', 'B', 'bias', 'biases'})) && ~isfield (value, 'type');
end

%!test % a network of ours, and what is none
%! ours = struct ('layers', {{struct('type', 'relu')}});
%! [model, report] = octcompress.model.recognize (ours);
%! assert (model, ours);
%! assert (report, struct ('layout', 'octcompress', 'reason', ''));
%! bag = struct ('Theta1', ones (2, 3), 'note', 'text');
%! [model, report] = octcompress.model.recognize (bag);
%! assert (model, bag);
%! assert (report.layout, '');
%!test % what a layout holds that no layer of ours computes is named, all at once
%! conv = struct ('type', 'conv', 'weights', {{ones(3, 3, 1, 2), zeros(1, 2)}});
%! net.layers = {conv, struct('type', 'normalize', 'name', 'n1'), struct('type', 'pdist')};
%! found = struct ('net', net);
%! [model, report] = octcompress.model.recognize (found, struct ('input_size', [8 8 1]));
%! assert (model, found);
%! assert (report.layout, 'simplenn');
%! assert (report.reason, ['no layer of ours computes layer 2 (''n1'', normalize), ' ...
%!                         'layer 3 ('''', pdist)']);
%!error <nn_load: there is no option 'layer'> octcompress.model.recognize (struct (), struct ('layer', 1))
