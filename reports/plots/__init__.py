"""The pictures of a report, and the only door to matplotlib (which is slow to load, so it is loaded when first used).
"""

from reports.plots.attack_figures import age_of_shots, curves, got_of_tried, values_of_shots
from reports.plots.bars import bars_of
from reports.plots.canvas import as_svg, drawn, placed, style, write_png, write_svg
from reports.plots.site_map import heat_map
from reports.plots.sweep_figures import against, stacked
from reports.plots.timeline import losses, refused, timeline

__all__ = [
    "against", "age_of_shots", "as_svg", "bars_of", "curves", "drawn", "got_of_tried", "heat_map", "losses", "placed",
    "refused", "stacked", "style", "timeline", "values_of_shots", "write_png", "write_svg",
]  # fmt: skip
