"""The pictures of a report, and the only door to matplotlib (which is slow to load, so it is loaded when first used).

canvas    style, and how a figure leaves: as SVG in a page, as a file
timeline  what happened in one world: timeline, refusals, losses
bars      counts by reason
attack_figures   what an attack got, how old what it sent was, values before and after, the curve of an outcome
site_map  a map of delivery over the blocks of a city
house_map a map of a given site
served_curve     the share served over the number of gateways
sweep_figures    delivery against load with its closed form, losses over the points of a sweep
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
