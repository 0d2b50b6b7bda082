"""What leaves a study: tables for papers, the checklist of a fit, a page that opens offline."""

from bayescale.reporting.reporting import Report, report
from bayescale.reporting.tables import to_paper

__all__ = ["Report", "report", "to_paper"]
