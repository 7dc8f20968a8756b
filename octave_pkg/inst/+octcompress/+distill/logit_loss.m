function call = logit_loss (loss)
%LOGIT_LOSS  The handle of a loss on logits by its name.
%
%   call = octcompress.distill.logit_loss (loss)
%   names = octcompress.distill.logit_loss ()
%
%   loss  one of names, or the user's own: handle [value, gradient] = loss (teacher, student) of
%         logits K x N, the gradient by the student's
%   call  handle [value, gradient] = call (teacher, student, temperature)
%
%   See also nn_distill.

  if nargin == 0
    call = {'mse', 'mae', 'kl', 'reverse_kl', 'jensen_shannon', 'cosine', 'none'};
  elseif isa (loss, 'function_handle')
    call = @(t, s, ~) own_loss (loss, t, s);
  elseif strcmp (loss, 'none')
    call = [];
  else
    call = str2func (['octcompress.distill.' loss]);
    if any (strcmp (loss, {'mse', 'mae', 'cosine'}))
      call = @(t, s, ~) call (t, s);
    end
  end
end

function [value, gradient] = own_loss (loss, t, s)
  [value, gradient] = loss (t, s);
  if ~isscalar (value) || ~isequal (size (gradient), size (s))
    octcompress.internal.fail ('nn_distill', 'badValue', ...
      ['LOSS must give a number and a gradient of the size of the student''s outputs, %s, but ' ...
       'gave %s and %s'], octcompress.internal.describe (s), ...
      octcompress.internal.describe (value), octcompress.internal.describe (gradient));
  end
end

%!test
%! t = [1 2; 3 4];
%! s = [0 2; 3 1];
%! call = octcompress.distill.logit_loss ('kl');
%! assert (call (t, s, 3), octcompress.distill.kl (t, s, 3));
%! call = octcompress.distill.logit_loss ('mae');
%! assert (call (t, s, 3), 1);
%! call = octcompress.distill.logit_loss (@(t, s) octcompress.distill.mse (2 * t, s));
%! assert (call (t, s, 3), octcompress.distill.mse (2 * t, s));
%! assert (octcompress.distill.logit_loss ('none'), []);
%!function [value, gradient] = wrong (~, ~)
%!  value = 1;
%!  gradient = 3;
%!endfunction
%!error <nn_distill: LOSS must give a number and a gradient of the size of the student's outputs, 2x2 double, but gave 1 and 3>
%! call = octcompress.distill.logit_loss (@wrong);
%! call (ones (2), ones (2), 1);
