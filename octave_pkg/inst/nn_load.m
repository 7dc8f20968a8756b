function [model, info] = nn_load (file, varargin)
%NN_LOAD  Read a model from a .mat file.
%
%   [model, info] = nn_load (file)
%   [model, info] = nn_load (file, option, value, ...)
%
%   model  a network (docs/model-format.md) where the file holds one, in our layout or in another
%          that is known; else a struct with the file's variables, whose arrays can be pruned and
%          quantized all the same
%   info   struct: file, bytes (of the file), kind ('network' or 'tensors'), layout (of the file:
%          'octcompress', 'simplenn', 'theta', ...; '' if unknown), reason (why a known layout did
%          not become a network; '' if it did)
%
%   Options:
%
%   layout      'auto', or 'tensors': leave the variables as they are ('auto')
%   layers      cell: for arrays with PyTorch's names (conv1_weight, conv1_bias) the order of the
%               layers, as {'conv1', {'stride', 2}, 'relu', 'maxpool', 2, 'flatten', 'fc1'}: a name
%               of the file and what its layer has besides, or a layer type and its values ({})
%   activation  text: between the layers of a chain of dense layers, where the file does not tell
%               it ('')
%   input_size  of one observation, where the file does not tell it ([])
%
%   Known layouts: MatConvNet simplenn and DagNN, DeepLearnToolbox nn and cnn, Theta1, Theta2, ...,
%   cells of structs (w, b), arrays with PyTorch's names, Neural Network Toolbox networks as
%   structs. docs/import.md has their rules. meta.source.layout of the model says which it was, and
%   layer.source where each array stood.
%
%   Packed files (nn_save), MATLAB v4, v6 and v7 files, and in Octave its own formats. A file that
%   is not what it seems is refused by name: MATLAB v7.3 and objects, other HDF5, a Git LFS pointer,
%   an empty or truncated file. The command octcompress convert reads more.
%
%   Errors: octcompress:nn_load:noFile, :badFile, :version73, :foreignHdf5, :objects, :gitLfs,
%   :truncated, :damaged, :version (packed by a later octcompress), :badOption, :unknownOption, and
%   those of a faulty network, :unknownType, :badLayer, :duplicateName, :notModel.
%
%   Example:
%     model = nn_load ('lenet300.mat', 'activation', 'relu');
%     size (model.layers{1}.weights)
%
%   See also nn_save, nn_info.

  defaults = struct ('layout', 'auto', 'layers', {{}}, 'activation', '', 'input_size', []);
  options = octcompress.internal.parse_options ('nn_load', defaults, varargin);
  octcompress.internal.check ('nn_load', 'layout', options.layout, 'choice', {'auto', 'tensors'});
  model = octcompress.internal.read_mat ('nn_load', file);
  report = struct ('layout', '', 'reason', '');
  if strcmp (options.layout, 'auto')
    [model, report] = octcompress.model.recognize (model, rmfield (options, 'layout'));
  end
  kind = 'tensors';
  if strcmp (options.layout, 'auto') && octcompress.model.is_network (model) ...
     && isempty (report.reason)
    model.layers = reshape (model.layers, 1, []);
    model = octcompress.model.tidy ('nn_load', model);
    if ~strcmp (report.layout, 'octcompress')
      model.meta.source.file = file;
    end
    kind = 'network';
  end
  listed = dir (file);
  info = struct ('file', file, 'bytes', listed(1).bytes, 'kind', kind, ...
                 'layout', report.layout, 'reason', report.reason);
end

%!test % a network, and the variables in the file are its fields
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! layers = {struct('type', 'dense', 'weights', single ([1 2 3]))};
%! save ('-v6', file, 'layers');
%! [model, info] = nn_load (file);
%! assert (model.layers{1}.weights, single ([1 2 3]));
%! assert ({model.input_size, info.kind, info.layout}, {3, 'network', 'octcompress'});
%! assert (info.bytes > 200);
%!test % anything else
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! Theta1 = [1 2; 3 4];
%! note = 'text';
%! save ('-v7', file, 'Theta1', 'note');
%! [model, info] = nn_load (file);
%! assert (model, struct ('Theta1', Theta1, 'note', note));
%! assert ({info.kind, info.layout, info.reason}, {'tensors', '', ''});
%!test % another layout, and left as it is
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! Theta1 = [1 2; 3 4];
%! Theta2 = [1 2 3];
%! save ('-v6', file, 'Theta1', 'Theta2');
%! [model, info] = nn_load (file);
%! assert ({info.kind, info.layout}, {'network', 'theta'});
%! assert (model.meta.source, struct ('layout', 'theta', 'file', file));
%! [model, info] = nn_load (file, 'layout', 'tensors');
%! assert (model, struct ('Theta1', Theta1, 'Theta2', Theta2));
%! assert (info.kind, 'tensors');
%!test % a known layout that cannot become a network
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! net.layers = {struct('type', 'pdist'), struct('type', 'relu')};
%! save ('-v6', file, 'net');
%! [model, info] = nn_load (file);
%! assert (model.net, net);
%! assert ({info.kind, info.layout}, {'tensors', 'simplenn'});
%! assert (~isempty (strfind (info.reason, 'input_size')));
%!error <nn_load: there is no file 'nowhere.mat'> nn_load ('nowhere.mat')
%!error <nn_load: there is no option 'order'> nn_load ('nowhere.mat', 'order', {})
%!error <nn_load: LAYOUT must be one of 'auto', 'tensors', but is 'x'> nn_load ('nowhere.mat', 'layout', 'x')
