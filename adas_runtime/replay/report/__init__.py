"""`report.html`: one self-contained page per replay, and an index over many; both open offline by `file://`.

Plots are drawn by uPlot 1.6.32 (MIT, 51 kB, in `assets/`), which the page carries inside: Plotly would make the same
page 4.8 MB and three seconds slower to open. The timeline is plain HTML bars, so that it can be read, printed and
reached by keyboard without a script. The page holds a content security policy that forbids every request and every
script but its own, because names of bags, topics and causes come from recordings that others made.
"""

from __future__ import annotations

from adas_runtime.replay.report.index import Refused, write_index
from adas_runtime.replay.report.page import REPORT_FILE, write_report

__all__ = ["REPORT_FILE", "Refused", "write_index", "write_report"]
