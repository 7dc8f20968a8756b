"""The report on a compressed model: one HTML file that needs no network."""

from __future__ import annotations

from pyoctcompress.reporting.collecting import collect
from pyoctcompress.reporting.page import report

__all__ = ["collect", "report"]
