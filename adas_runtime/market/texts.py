"""What the driver reads: one file per language in `config/texts/`, keyed by alert code.

A code with an argument, such as `fault/lane_departure`, has its text under what stands before the slash, with
`{function}` for the function's name in that language. English is the reference: a code that has no English text does
not exist. Nothing is shown in a language that lacks a single text: `adas market check` refuses such a market.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict, load, shown_path
from adas_runtime.errors import ConfigError
from adas_runtime.market.schema import Language, Text, TextCode

if TYPE_CHECKING:
    from adas_runtime.market.schema import Market

REFERENCE: Final = "en"
PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")


class TextFile(Strict):
    """The texts of one language."""

    format: Literal[1] = Field(description="Format of the file.")
    language: Language = Field(description="ISO 639-1 code, the name of the file.")
    title: str = Field(min_length=1, max_length=32, description="The language's name in itself.")
    direction: Literal["ltr", "rtl"] = Field(description="Direction of writing.")
    conf: Literal["p", "s", "u", "e"] = Field(
        description="How sure the texts are: p written by a native speaker, s checked by one, u nobody has checked "
        "them, e this project's own wording (English)."
    )
    src: str = Field(min_length=1, max_length=128, description="Who wrote or checked them, and when.")
    functions: dict[TextCode, Text] = Field(description="Names of the functions, as a driver may read them.")
    texts: dict[TextCode, Text] = Field(description="Texts by alert code.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for code, text in self.texts.items():
            if any(name != "function" for name in PLACEHOLDER.findall(text)) or "{" in PLACEHOLDER.sub("", text):
                raise ValueError(f"{code} holds a placeholder other than {{function}}; known: {{function}}")
        return self


@lru_cache(maxsize=4)
def _read(folder: Path) -> dict[str, TextFile]:
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        file = load(TextFile, path)
        if file.language != path.stem:
            raise ConfigError(
                f"language = {file.language}: is not the language that the file is named after",
                where=shown_path(path),
                mend=f"write language: {path.stem}, or rename the file",
            )
        found[file.language] = file
    if REFERENCE not in found:
        raise ConfigError("no English texts", where=shown_path(folder), mend="reinstall adas_runtime")
    return found


def text_files(folder: Path | None = None) -> dict[str, TextFile]:
    """The language files, by language.

    Raises:
        ConfigError: A file is wrong.
    """
    from adas_runtime.resources import config_dir

    return _read(folder or config_dir() / "texts")


def codes() -> tuple[str, ...]:
    """Every alert code that the driver may read, in the order of the English file."""
    return tuple(text_files()[REFERENCE].texts)


def missing(language: str, files: dict[str, TextFile] | None = None) -> tuple[str, ...]:
    """Codes and functions that a language has no text for; all where there is no file of it."""
    known = files if files is not None else text_files()
    reference, file = known[REFERENCE], known.get(language)
    wanted = [*reference.texts, *(f"functions.{name}" for name in reference.functions)]
    if file is None:
        return tuple(wanted)
    return tuple(
        [code for code in reference.texts if code not in file.texts]
        + [f"functions.{name}" for name in reference.functions if name not in file.functions]
    )


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Direction of writing of a language; left to right where it is not known."""
    file = text_files().get(language)
    return file.direction if file is not None else "ltr"


def driver_text(market: Market, code: str, language: str = "") -> str:
    """What the driver reads for an alert code.

    Args:
        market: Market whose languages and own wording hold.
        code: Alert code, `fault/lane_departure` as well.
        language: One of its languages; the first where none is given.
    Returns:
        The text; the code itself where it is not known, so that nothing is ever hidden.
    """
    files = text_files()
    chosen = language or market.alerts.languages[0]
    stem, _, argument = code.partition("/")
    own = market.alerts.texts.get(code, market.alerts.texts.get(stem, {})).get(chosen)
    file = files.get(chosen)
    text = own or (file.texts.get(code) or file.texts.get(stem) if file is not None else None)
    if text is None:
        return code
    name = (file.functions.get(argument) if file is not None else None) or argument
    return text.replace("{function}", name)
