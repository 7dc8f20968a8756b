"""`python -m pyoctcompress.cli`."""

import sys

from pyoctcompress.cli import main

sys.exit(main())
