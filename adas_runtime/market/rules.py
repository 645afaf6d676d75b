"""What a market requires, permits or forbids, read from `config/rules/`, and the judgement of a market by it.

A rule file says one state per market and function, as the law stands:

- `mandatory`: the stage must reach `minimum_stage` from `since` on.
- `approval`: `warn` or `on` need an approval that the market file names, in force on the day.
- `none`: no rule was found; the product decides, `warn` at most.
- `forbidden`, `unknown`: locked `off`. `shadow` reaches nobody, but it watches and records, which a country may forbid.

Two switches of assistance are no features (`SWITCHES`): only a checked `approval` in the rules opens them, and there is
none yet for manoeuvres that the system starts by itself.

A market without a rule is unknown. An unchecked word (confidence `u`) opens nothing and forces nothing: `none` then
allows `shadow` at most, `mandatory` counts as a duty to name an approval. The law follows the country, not the file:
whatever a market file extends for its values, it is judged by the rules of its code, of what that is a part of (`US-CA`
of `US`), or of the union it is a member of (`config/unions.yaml`), the nearest first.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.collision.bundle import check_brakes
from adas_runtime.config import Document, Finding, Origin, Strict, dotted, load, read_yaml, shown_path, validate
from adas_runtime.errors import ConfigError
from adas_runtime.market.load import Confidence, Merged
from adas_runtime.market.schema import STAGES, Category, Code, Day, Feature, Market, StageName
from adas_runtime.signals import Stage

if TYPE_CHECKING:
    from adas_runtime.vehicle.schema import Vehicle

State = Literal["mandatory", "approval", "none", "forbidden", "unknown"]
Effective = Literal[State, "unchecked"]
SWITCHES: Final = {"hands_off_enabled": "dcas_hands_off", "sim_enabled": "dcas_sim"}  # key of `dcas`, name in the rules
SILENT: Final = (Stage.OFF, Stage.SHADOW)  # they reach neither driver nor car


class Rule(Strict):
    """The state of one function in one market, for some vehicle categories."""

    market: Code = Field(description="Code of the market; the rule also holds for its members and parts.")
    categories: tuple[Category, ...] = Field(min_length=1, description="UN vehicle categories.")
    state: State = Field(description="How the law stands.")
    minimum_stage: StageName | None = Field(default=None, description="Lowest stage of a mandatory function.")
    since: Day | None = Field(
        default=None, description="First day on which it holds for all new vehicles; nothing: always."
    )
    new_types_since: Day | None = Field(default=None, description="First day on which it holds for new types.")
    needs_certificates: bool = Field(
        default=False,
        description="The function may be used only while the maker's R155 and R156 certificates are valid.",
    )
    conf: Confidence = Field(description="How sure: p primary, s secondary, u uncertain.")
    src: str = Field(min_length=1, description="Instrument and clause.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.state == "mandatory") != (self.minimum_stage is not None):
            raise ValueError("minimum_stage belongs to a mandatory function, and only to one")
        if self.new_types_since is not None and (self.since is None or self.since < self.new_types_since):
            raise ValueError("new_types_since lies after since, or stands alone; new types come first")
        return self

    @property
    def effective(self) -> Effective:
        """The state that a judgement may rest on: an unchecked word opens nothing and forces nothing."""
        if self.conf == "u" and self.state == "none":
            return "unchecked"
        if self.conf == "u" and self.state == "mandatory":
            return "approval"
        return self.state


class RuleFile(Strict):
    """The rules of one function."""

    format: Literal[1] = Field(description="Format of the file.")
    function: str = Field(min_length=1, description="Function, as among the market's features.")
    revision: str = Field(min_length=1, description="State of the law, a date.")
    rules: tuple[Rule, ...] = Field(min_length=1, description="One per market and group of categories.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        seen = set()
        for rule in self.rules:
            for category in rule.categories:
                if (rule.market, category, rule.since) in seen:
                    raise ValueError(f"rules holds {rule.market} {category} twice; keep one")
                seen.add((rule.market, category, rule.since))
        return self


class LegalUnion(Strict):
    """Countries that share the law of one market."""

    members: tuple[Code, ...] = Field(min_length=1, description="Codes of the members.")
    src: str = Field(min_length=1, description="Where it stands.")


class Unions(Strict):
    """The file `config/unions.yaml`."""

    format: Literal[1] = Field(description="Format of the file.")
    revision: str = Field(min_length=1, description="State of the membership, a date.")
    unions: dict[str, LegalUnion] = Field(description="Members by the union's code.")


class RuleBook:
    """The rules of every function, with the line of each, and who is a member of what."""

    def __init__(self, files: list[tuple[RuleFile, Document]], unions: dict[str, tuple[str, ...]]) -> None:
        self._files = {file.function: (file, document) for file, document in files}
        self._unions = unions

    @property
    def functions(self) -> tuple[str, ...]:
        """Functions that have a rule file."""
        return tuple(self._files)

    def members(self, union: str) -> tuple[str, ...]:
        """Codes of the countries in a union."""
        return self._unions.get(union, ())

    @property
    def unions(self) -> tuple[str, ...]:
        """Codes of the unions: they share law, and are no country."""
        return tuple(self._unions)

    def codes(self, code: str) -> tuple[str, ...]:
        """Whose rules may hold in a market, nearest first: its own, those of what it is a part of, of its unions."""
        own = (code, code.partition("-")[0]) if "-" in code else (code,)
        return own + tuple(union for union, members in self._unions.items() if own[-1] in members)

    def rule(self, function: str, code: str, category: str, on: date | None) -> tuple[Rule | None, Origin | None]:
        """The rule in force for a market, and where it stands; the nearest wins, then the latest."""
        if function not in self._files:
            return None, None
        file, document = self._files[function]
        for near in self.codes(code):
            found = [
                (rule, document.origin(("rules", index)))
                for index, rule in enumerate(file.rules)
                if rule.market == near
                and category in rule.categories
                and (on is None or rule.since is None or rule.since <= on)
            ]
            if found:
                return max(found, key=lambda item: item[0].since or date.min)
        return None, None


def load_rules(folder: Path | None = None) -> RuleBook:
    """The shipped rules.

    Raises:
        ConfigError: A rule file is wrong.
    """
    from adas_runtime.resources import config_dir

    return _load_rules(folder or config_dir() / "rules")


@lru_cache(maxsize=8)
def _load_rules(folder: Path) -> RuleBook:
    files = []
    for path in sorted(folder.glob("*.yaml")):
        document = read_yaml(path)
        files.append((validate(RuleFile, document), document))
    if not files:
        raise ConfigError("no rule files", where=shown_path(folder), mend="reinstall adas_runtime")
    unions = load(Unions, folder.parent / "unions.yaml").unions
    return RuleBook(files, {code: union.members for code, union in unions.items()})


def check(merged: Merged, *, on: date | None, rules: RuleBook | None = None) -> list[Finding]:
    """Judges a valid market by the rules.

    Args:
        merged: A market without findings of its own.
        on: Day of use; `None` leaves out what depends on a day.
        rules: The rules; the shipped ones where none are given.
    Returns:
        Everything that is wrong, in the order of the functions.
    """
    market = merged.market
    if market is None:
        return []
    book = rules or load_rules()
    findings: list[Finding] = []
    for function, stage in market.stages().items():
        feature: Feature = getattr(market.features, function)
        for category in market.categories:
            rule, origin = book.rule(function, market.market, category, on)
            fault = _judge(feature, stage, rule, on) or _uncertified(market, stage, rule, on)
            if fault is None:
                continue
            rule_name, key, what, mend = fault
            cited = f"{rule.src}, {origin}" if rule else "no rule in config/rules"
            path: tuple[str, ...] = ("features", function, key)
            value = getattr(feature, key, None)
            if key.startswith("certificates."):
                path = ("certificates", key.partition(".")[2])
                value = getattr(market.certificates, path[-1])
            finding = Finding(
                where=merged.document.origin(path),
                key=".".join(path),
                value=str(value if value is not None else ""),
                what=f"{what} for {category} in {market.market} ({cited})",
                mend=mend,
                rule=rule_name,
            )
            if all(item.what.partition(" for ")[0] != what or item.key != finding.key for item in findings):
                findings.append(finding)
    for key, function in SWITCHES.items():
        if getattr(market.dcas, key):
            findings += _switch(key, function, merged, market, on, book)
    return findings


def _switch(key: str, function: str, merged: Merged, market: Market, on: date | None, book: RuleBook) -> list[Finding]:
    """A switch that a country opens: a maker's word that the text is read is not enough."""
    for category in market.categories:
        rule, origin = book.rule(function, market.market, category, on)
        state: Effective = rule.effective if rule else "unknown"
        if state == "approval" and rule is not None and rule.conf != "u":
            continue
        is_forbidden = state == "forbidden"
        what = "is not allowed" if is_forbidden else "is locked false, since no checked law opens it"
        cited = f"{rule.src}, {origin}" if rule else "no rule in config/rules"
        path = ("dcas", key)
        return [
            Finding(
                where=merged.document.origin(path),
                key=".".join(path),
                value="true",
                what=f"{what} for {category} in {market.market} ({cited})",
                mend="set it false" + ("" if is_forbidden else ", or add the checked state to config/rules"),
                rule="forbidden" if is_forbidden else "unknown-state",
            )
        ]
    return []


def check_change(former: Merged, merged: Merged) -> list[Finding]:
    """Judges a market by its former edition: whatever changes is a new revision, and a stage is software (R156).

    Args:
        former: The edition in use.
        merged: The one that is to follow.
    Returns:
        A finding where something changed under the same revision, and where a stage changed under the same
        software identification.
    """
    if former.market is None or merged.market is None:
        return []
    findings = []
    before, after = former.market, merged.market
    renamed = before.model_copy(update={"revision": after.revision, "title": after.title})
    is_same = renamed.model_dump() == after.model_dump()  # where it was read from does not count
    changed = sorted(
        dotted(key)
        for key in {*former.provenance, *merged.provenance}
        if former.provenance.get(key) != merged.provenance.get(key)
    )
    if before.revision == after.revision and not (is_same and not changed):
        what = f"is that of the former edition, yet {changed[0] if changed else 'a value'} changed"
        findings.append(
            Finding(
                where=merged.document.origin(("revision",)),
                key="revision",
                value=after.revision,
                what=what,
                mend="write a new revision; a value or its confidence changes only with one",
                rule="revision",
            )
        )
    stages = {name for name, stage in after.stages().items() if before.stages().get(name, Stage.OFF) != stage}
    loud = [
        name
        for name in sorted(stages)
        if max(after.stages()[name], before.stages().get(name, Stage.OFF)) > Stage.SHADOW
    ]
    if loud and before.software_id == after.software_id:
        findings.append(
            Finding(
                where=merged.document.origin(("features", loud[0], "stage")),
                key="software_id",
                value=after.software_id,
                what=f"is that of the former edition, yet the stage of {', '.join(loud)} changed: a software update",
                mend="check that the approval covers it, then write the new software identification (RXSWIN)",
                rule="software-id",
            )
        )
    return findings


def check_vehicle(market: Market, vehicle: Vehicle) -> None:
    """Refuse a car that the market was never judged for: the law differs by category.

    Raises:
        ConfigError: The market is not released for the vehicle's category.
    """
    if vehicle.category not in market.categories:
        raise ConfigError(
            f"vehicle {vehicle.name} is of category {vehicle.category}, market {market.market} is released for "
            f"{', '.join(market.categories)}",
            where="--vehicle",
            mend=f"take a market file whose categories hold {vehicle.category}, such as one of your own that extends "
            f"{market.name}",
        )


def check_car(market: Market, vehicle: Vehicle) -> None:
    """Refuse a car that may not be driven with this market: its category, or brakes that emergency braking trusts.

    Raises:
        ConfigError: As `check_vehicle`; or emergency braking, at stage `on`, counts on more than the car's brakes give
            or limits let through.
    """
    check_vehicle(market, vehicle)
    if market.stages()["aeb"] is Stage.ON:
        check_brakes(market, vehicle)


def _judge(feature: Feature, stage: Stage, rule: Rule | None, on: date | None) -> tuple[str, str, str, str] | None:
    """Rule name, key, what is wrong, mend; `None` where nothing is."""
    if stage is Stage.OFF and (rule is None or rule.effective != "mandatory"):
        return None
    state: Effective = rule.effective if rule else "unknown"
    if state == "forbidden":
        return "forbidden", "stage", "is not allowed", "set the stage to off"
    if state == "unknown":
        return (
            "unknown-state",
            "stage",
            "is locked off, since nobody knows how the law stands",
            "set the stage to off, or add the checked state to config/rules with its source",
        )
    if stage > Stage.SHADOW and on is not None and feature.valid_from is not None and feature.valid_from > on:
        return (
            "not-yet-valid",
            "valid_from",
            f"lies after {on}, yet the stage is {feature.stage}",
            f"set the stage to shadow until {feature.valid_from}",
        )
    if stage > Stage.SHADOW and on is not None and feature.valid_until is not None and feature.valid_until < on:
        return (
            "no-longer-valid",
            "valid_until",
            f"lies before {on}, yet the stage is {feature.stage}",
            "renew the approval and its last day, or set the stage to shadow",
        )
    if state == "mandatory":
        assert rule is not None and rule.minimum_stage is not None
        is_undated = on is None and rule.since is not None  # a duty of some day, and no day is asked about
        if stage < STAGES[rule.minimum_stage] and not is_undated:
            return (
                "below-mandatory",
                "stage",
                f"is below {rule.minimum_stage}, which is mandatory",
                f"set the stage to {rule.minimum_stage} or higher",
            )
        return None
    if stage in SILENT:
        return None
    if state == "unchecked":
        return (
            "unknown-state",
            "stage",
            "is locked at shadow: that no rule holds is hearsay",
            "set the stage to shadow or off, or add the checked state to config/rules with its source",
        )
    if state == "approval" and not feature.approval_ref.strip():
        return (
            "approval-missing",
            "stage",
            "needs an approval that the file does not name",
            "give approval_ref and valid_from, or set the stage to shadow or off",
        )
    if state == "none" and stage > Stage.WARN:
        return (
            "above-sign-off",
            "stage",
            "is above warn where no rule permits more",
            "set the stage to warn",
        )
    return None


def _uncertified(market: Market, stage: Stage, rule: Rule | None, on: date | None) -> tuple[str, str, str, str] | None:
    """A function that may be used only under the maker's valid certificates (VAF 8(2) in Switzerland)."""
    if rule is None or not rule.needs_certificates or stage in SILENT:
        return None
    for key in type(market.certificates).model_fields:
        last = getattr(market.certificates, key)
        if last is None or (on is not None and last < on):
            return (
                "certificate-invalid",
                f"certificates.{key}",
                "is not stated, which this function depends on" if last is None else f"lies before {on}",
                f"renew the certificate and write {key}, or set the stage to shadow or off",
            )
    return None
