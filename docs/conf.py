"""How Sphinx builds this folder: ``sphinx-build -W --keep-going docs build/docs``.

Warnings are errors, and a link to a page or a heading that is not there is a warning. Pages are Markdown, so that they
can be read in the repository too; ``llms.txt`` leads to their sources, which are published beside them.
"""

import os
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

# The reference of the API is made from the docstrings, with the settings that the tests have.
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

project = "django-openai-chatkit"
copyright = "the contributors of django-openai-chatkit"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"

napoleon_google_docstring = True
napoleon_use_ivar = True


html_theme = "furo"
html_title = "django-openai-chatkit"
html_extra_path = ["llms.txt"]
html_copy_source = False
# What a reader copies is the command, not its prompt.
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
# The tag is Django's, in HTML.
highlight_language = "text"


def publish_sources(app: Sphinx, error: Exception | None) -> None:
    """Copy each page's Markdown beside its HTML."""
    if error is None and app.builder.name == "html":
        for name in app.env.found_docs:
            source = app.env.doc2path(name)
            if source.suffix == ".md":
                shutil.copyfile(source, Path(app.outdir) / f"{name}.md")


def setup(app: Sphinx) -> None:
    import django

    django.setup()
    app.connect("build-finished", publish_sources)
