function [model, info] = nn_load (file)
%NN_LOAD  Read a model from a .mat file.
%
%   [model, info] = nn_load (file)
%
%   model  a network (docs/model-format.md) where the file holds one; else a struct with the
%          file's variables, whose arrays can be pruned and quantized all the same
%   info   struct: file, bytes (of the file), kind ('network' or 'tensors')
%
%   Packed files (nn_save), MATLAB v4, v6 and v7 files, and in Octave its own formats. A file that
%   is not what it seems is refused by name: MATLAB v7.3, a Git LFS pointer, an empty or truncated
%   file.
%
%   Errors: octcompress:nn_load:noFile, :badFile, :version73, :gitLfs, :truncated, :damaged,
%   :version (packed by a later octcompress), and those of a faulty network, :unknownType,
%   :badLayer, :duplicateName, :notModel.
%
%   Example:
%     model = nn_load ('lenet300.mat');
%     size (model.layers{1}.weights)
%
%   See also nn_save, nn_info.

  model = octcompress.internal.read_mat ('nn_load', file);
  kind = 'tensors';
  if octcompress.model.is_network (model)
    model.layers = reshape (model.layers, 1, []);
    model = octcompress.model.tidy ('nn_load', model);
    kind = 'network';
  end
  listed = dir (file);
  info = struct ('file', file, 'bytes', listed(1).bytes, 'kind', kind);
end

%!test % a network, and the variables in the file are its fields
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! layers = {struct('type', 'dense', 'weights', single ([1 2 3]))};
%! save ('-v6', file, 'layers');
%! [model, info] = nn_load (file);
%! assert (model.layers{1}.weights, single ([1 2 3]));
%! assert ({model.input_size, info.kind}, {3, 'network'});
%! assert (info.bytes > 200);
%!test % anything else
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! Theta1 = [1 2; 3 4];
%! note = 'text';
%! save ('-v7', file, 'Theta1', 'note');
%! [model, info] = nn_load (file);
%! assert (model, struct ('Theta1', Theta1, 'note', note));
%! assert (info.kind, 'tensors');
%!error <nn_load: there is no file 'nowhere.mat'> nn_load ('nowhere.mat')
