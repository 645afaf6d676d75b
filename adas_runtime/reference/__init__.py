"""The generated pages of the documentation: what the code already says of itself, never written a second time.

`pages()` holds every generated file under `docs/`; `script/gen_docs` writes them, a test holds the two together.
"""

from adas_runtime.reference.pages import pages

__all__ = ["pages"]
