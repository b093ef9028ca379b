"""A report as one self-contained page: templates, styles, scripts, and the data that they show."""
