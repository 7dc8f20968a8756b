function [log_p, log_q] = softened (caller, teacher_logits, student_logits, temperature)
%SOFTENED  Logarithms of the softened probabilities of two networks.
%
%   [log_p, log_q] = octcompress.distill.softened (caller, teacher_logits, student_logits, ...
%                                                  temperature)
%
%   caller       char, the loss
%   teacher_logits, student_logits  K x N
%   temperature  T, above 0
%   log_p, log_q  K x N: log (softmax (logits / T)), of the teacher and the student. Large logits
%                do not overflow.
%
%   Errors: octcompress:CALLER:badSize, :badValue.
%
%   See also octcompress.distill.kl.

  % Once a step of training, where a call costs as much as the arithmetic of a few classes: what is
  % fine is seen here, and both networks are computed as one.
  if ~ismatrix (teacher_logits) || ~ismatrix (student_logits) ...
        || any (size (teacher_logits) ~= size (student_logits))
    octcompress.internal.check_pair (caller, 'LOGITS', teacher_logits, student_logits);
  end
  if ~isa (temperature, 'double') || ~isscalar (temperature) || ~(temperature >= realmin)
    octcompress.internal.check (caller, 'temperature', temperature, 'number', [realmin Inf]);
  end
  z = [teacher_logits, student_logits] / temperature;
  z = z - max (z, [], 1);
  z = z - log (sum (exp (z), 1));
  count = size (student_logits, 2);
  log_p = z(:, 1:count);
  log_q = z(:, count + 1:end);
end

%!test
%! t = [1 2; 3 -1; 0 4];
%! s = [0 5; -3 1; 0.5 4];
%! [log_p, log_q] = octcompress.distill.softened ('f', t, s, 2);
%! assert (log_p, log (exp (t / 2) ./ sum (exp (t / 2), 1)), 1e-14);
%! assert (log_q, log (exp (s / 2) ./ sum (exp (s / 2), 1)), 1e-14);
%!test
%! [log_p, log_q] = octcompress.distill.softened ('f', single ([1e30; 0]), single ([0; 0]), 1);
%! assert ({log_p, log_q}, {single([0; -1e30]), -log(single ([2; 2]))});
%!error <f: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x4 double and 4x3 double> octcompress.distill.softened ('f', ones (3, 4), ones (4, 3), 1)
%!error <f: TEMPERATURE must be a number from .* to Inf, but is NaN> octcompress.distill.softened ('f', 1, 1, NaN)
%!error <f: TEMPERATURE must be a number from .* to Inf, but is \[1 2\]> octcompress.distill.softened ('f', 1, 1, [1 2])
