function record_end (model, file, bits, validating, X, Y, started)
%RECORD_END  Put the biases on a grid too, judge the network, and save it as it will be counted.
%
%   record_end (model, file, bits, validating, X, Y, started)
%
%   file        the name, beside this function; not written while validating
%   bits        of the biases: they are few, and rounding them needs no training to mend
%   X, Y        the images that judge
%   started     of tic

  model = quantize_biases (nn_shrink (model, 'sort', true), bits);
  report_record ('biases', model, X, Y, started);
  if ~validating
    file = fullfile (fileparts (mfilename ('fullpath')), file);
    info = nn_save (file, only_what_counts (model), 'coding', 'auto');
    fprintf ('%s: %d bytes\n', info.file, info.bytes);
  end
end
