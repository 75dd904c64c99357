"""How the documentation is built by `make docs`. Nothing is fetched, now or by the reader."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import pictures  # noqa: E402
import rendering  # noqa: E402

from polydescent import __version__  # noqa: E402

project = "polydescent"
author = "The polydescent developers"
copyright = "The polydescent developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build", "_help", "_pages", "_pictures"]
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

default_role = "code"  # docstrings quote names with single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
html_math_renderer = "mathml"

html_theme = "pydata_sphinx_theme"
html_title = "polydescent"
html_static_path = ["_static"]
html_extra_path = ["_pages"]
html_css_files = ["polydescent.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "polydescent"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "header_links_before_dropdown": 7,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {
    name: [] for name in ("index", "lesson", "triangle", "descent", "numerics", "bad-inputs")
}


def setup(app):
    pictures.write_page(HERE / "_pages")  # before Sphinx looks whether it is there
    app.connect("builder-inited", lambda app: pictures.draw_all(HERE / "_pictures"))
    app.connect("builder-inited", lambda app: rendering.write_help(HERE / "_help"))
    rendering.setup(app)
