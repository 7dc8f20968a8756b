function [read, total] = all_outputs (caller, group, x, count, kind, file)
%ALL_OUTPUTS  The teachers' outputs for all observations, computed once.
%
%   [read, total] = octcompress.distill.all_outputs (caller, group, x, count, kind, file)
%
%   group    of octcompress.distill.teachers
%   x        inputs of COUNT observations, as octcompress.model.batches has checked them
%   kind     'single' or 'double'
%   file     a cache to read them from, or to write them to where there is none; '' for none
%   read     handle: read (which) gives group.rows x numel (which)
%   total    a number that changes with the outputs
%
%   Errors: octcompress:CALLER:notFinite, :cacheMismatch, :notWritten.
%
%   See also octcompress.distill.teach, octcompress.distill.open_cache.

  outputs = @(which) finite_outputs (caller, group, x, which, kind);
  if isempty (file)
    whole = zeros (group.rows, count, kind);
    for first = 1:256:count
      which = first:min (first + 255, count);
      whole(:, which) = outputs (which);
    end
    read = @(which) whole(:, which);
  else
    models = cellfun (@(member) rmfield (member.model, setdiff (fieldnames (member.model), ...
                        {'layers', 'input_size', 'quantization'})), group.members, ...
                      'UniformOutput', false);
    places = cellfun (@(member) member.plan.outputs, group.members, 'UniformOutput', false);
    mark = [1, count, octcompress.distill.fingerprint(x), ...
            octcompress.distill.fingerprint(models), ...
            octcompress.distill.fingerprint(places), 4 * (1 + strcmp (kind, 'double'))];
    layout = octcompress.distill.cache_layout (group.rows, count, kind);
    if ~isfile (file)
      octcompress.distill.write_cache (caller, file, mark, layout, outputs);
    end
    read = octcompress.distill.open_cache (caller, file, mark, layout);
  end
  sample = read (1:max (1, floor (count / 100)):count);
  total = sum (double (sample(:)));
end

function values = finite_outputs (caller, group, x, which, kind)
  values = octcompress.distill.teach (group, x, which, kind);
  if ~all (isfinite (values(:)))
    octcompress.internal.fail (caller, 'notFinite', ...
      ['the outputs of TEACHER are not all finite on X; scale X as it was in the teacher''s ' ...
       'training']);
  end
end

%!shared group, x
%! teacher.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 0; 0 1; 1 1])};
%! group = octcompress.distill.teachers ('f', teacher, [], {});
%! x = reshape (sin (1:1200), 2, 600);
%!test % in memory, and through a file that is written once
%! read = octcompress.distill.all_outputs ('f', group, x, 600, 'double', '');
%! assert (read (300:400), [1 0; 0 1; 1 1] * x(:, 300:400));
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! for round = 1:2
%!   read = octcompress.distill.all_outputs ('f', group, x, 600, 'double', file);
%!   assert (read ([7 300]), [1 0; 0 1; 1 1] * x(:, [7 300]));
%!   group.members{1}.plan.run{1} = @(varargin) error ('not again');
%! end
%!test % it is for this teacher and these data alone
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! octcompress.distill.all_outputs ('f', group, x, 600, 'double', file);
%! tried = {};
%! other = group;
%! other.members{1}.model.layers{1}.weights(1) = 2;
%! y = x;
%! y(3) = 5;
%! for again = {{other, x, 600, 'double'}, {group, y, 600, 'double'}, ...
%!              {group, x(:, 1:500), 500, 'double'}, {group, x, 600, 'single'}}
%!   try
%!     octcompress.distill.all_outputs ('f', again{1}{:}, file);
%!   catch problem
%!     tried{end + 1} = problem.message;
%!   end
%! end
%! assert (~cellfun (@isempty, regexp (tried, {'of another teacher', 'on other data', ...
%!                                             'on other data', 'of another class'})), true (1, 4));
%!error <f: the outputs of TEACHER are not all finite on X>
%! octcompress.distill.all_outputs ('f', group, [1e308 1; 1e308 1], 2, 'double', '');
