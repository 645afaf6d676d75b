"""Input maps as files: which topic, read how, feeds which signal. `config/inputs/*.yaml` are instances of `MapFile`."""

from __future__ import annotations

import difflib
import re
from typing import Final, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from adas_runtime.cabin import MEND, PICTURES, WHAT, is_cabin_name
from adas_runtime.config import Strict
from adas_runtime.errors import ConfigError
from adas_runtime.inputs.feed import (
    ANCHOR,
    CONVERTER_OF_TYPE,
    CONVERTERS,
    FIELDS,
    FILL_MAX_AGE_S,
    OUTPUTS,
    SOURCE_OF,
    Link,
    target_names,
    target_shape,
)
from adas_runtime.inputs.paths import NUMBERS, PATH, list_kind, value_kind
from adas_runtime.inputs.types import TYPE_NAME, defined_types, known_types
from adas_runtime.interfaces import Kind
from adas_runtime.units import UNITS, factor_to

TOPIC: Final = re.compile(r"/[A-Za-z_~{}][\w~{}]*(/[A-Za-z_~{}0-9][\w~{}]*)*\Z")
Direction = Literal["forward", "back", "left", "right", "up", "down"]
_ACROSS: Final = {"forward": 0, "back": 0, "left": 1, "right": 1, "up": 2, "down": 2}
_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False}


class FieldEntry(Strict):
    """One value of the message that becomes one field of a signal."""

    target: str = Field(description="Signal and field, such as vehicle_state.speed_mps.")
    field: str = Field(description="Path of the value in the message, such as twist.twist.linear.x or position[0].")
    scale: float = Field(
        default=1.0, description="The message's number is multiplied by this; negative turns the sign."
    )
    offset: float = Field(default=0.0, description="Added after the scale, in the unit given.")
    unit: str = Field(default="", description="Unit after scale and offset; empty: the signal's own.")
    values: dict[str, str | None] = Field(
        default_factory=dict,
        description="For enumerations and truth values: message's value to the signal's; nothing (null) says nothing.",
    )
    max_age_s: float = Field(
        default=FILL_MAX_AGE_S,
        gt=0.0,
        le=5.0,
        description="How long it fills in a signal that another topic makes [s].",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        shape = target_shape(self.target)
        if shape is None:
            near = difflib.get_close_matches(self.target, target_names(), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"signals: {', '.join(SOURCE_OF)}"
            raise ValueError(f"target {self.target!r} is no field of an input signal; {hint}")
        if not PATH.match(self.field):
            raise ValueError(f"field {self.field!r} is no path; write it like twist.linear.x or position[0]")
        if shape.kind in (Kind.ENUM, Kind.BOOL):
            if self.unit or self.scale != 1.0 or self.offset != 0.0:
                name = "unit" if self.unit else "scale" if self.scale != 1.0 else "offset"
                raise ValueError(f"{name}: {self.target} is no number; use values:")
            if shape.enum is not None and not self.values:
                names = ", ".join(member.name.lower() for member in shape.enum)
                raise ValueError(
                    f"target {self.target} is an enumeration: values: must say what each number means; one of {names}"
                )
            self.converted_values()
        elif self.values:
            raise ValueError(f"values: {self.target} is a number; use scale, offset and unit")
        elif self.unit and factor_to(shape.note.unit, self.unit) is None:
            fitting = [shape.note.unit, *(u for u in UNITS if factor_to(shape.note.unit, u) is not None)]
            raise ValueError(f"unit {self.unit!r} is none of {self.target}; take one of {', '.join(fitting)}")
        if self.scale == 0.0:
            raise ValueError("scale 0 makes every value the same; leave the field out instead")
        return self

    def converted_values(self) -> tuple[tuple[str, int | bool | None], ...]:
        """The table of values with the signal's own."""
        shape = target_shape(self.target)
        assert shape is not None
        found: list[tuple[str, int | bool | None]] = []
        for key, name in self.values.items():
            if name is None:
                found.append((key, None))
            elif shape.enum is not None:
                members = {member.name.lower(): int(member) for member in shape.enum}
                if name.lower() not in members:
                    raise ValueError(f"values: {name!r} is unknown; take one of {', '.join(members)}")
                found.append((key, members[name.lower()]))
            else:
                if name.lower() not in _TRUTH:
                    raise ValueError(f'values: {name!r} is unknown; take "true" or "false", in quotes')
                found.append((key, _TRUTH[name.lower()]))
        return tuple(found)

    def link(self) -> Link:
        """The entry as the binder takes it."""
        shape = target_shape(self.target)
        assert shape is not None
        factor = factor_to(shape.note.unit, self.unit) if self.unit else 1.0
        assert factor is not None
        return Link(
            target=self.target,
            path=self.field,
            scale=self.scale,
            offset=self.offset,
            factor=factor,
            values=self.converted_values(),
            max_age_s=self.max_age_s,
        )


class TopicEntry(Strict):
    """What one topic is used for: by a named converter, or value by value."""

    topic: str = Field(min_length=2, max_length=256, description="Full name of the topic.")
    type: str = Field(
        default="", description="Message type, pkg/msg/Type; needed in the car, in a recording the recording tells it."
    )
    converter: str = Field(default="", description="Name of a converter; empty: by type. Not with fields.")
    targets: tuple[str, ...] = Field(
        default=(), description="What to take of all that the converter gives; empty: everything. Not with fields."
    )
    fields: tuple[FieldEntry, ...] = Field(default=(), max_length=64, description="Values by path.")
    each: str = Field(default="", description="Path of a list of radar targets whose items the fields read.")
    axes: tuple[Direction, Direction, Direction] | None = Field(
        default=None, description="Where the message's x, y and z point on the car; for odometry, imu, twist and radar."
    )
    rate_unit: Literal["rad/s", "deg/s"] | None = Field(default=None, description="Unit of angular rates.")
    accel_unit: Literal["m/s^2", "g"] | None = Field(default=None, description="Unit of accelerations.")
    joint: str = Field(default="", description="Name of the joint, for joint_state; empty: the first.")
    clock: Literal["stamp", "recording"] | None = Field(
        default=None, description="Which time counts in a recording; left out: judged by the first messages."
    )
    max_age_s: float = Field(
        default=FILL_MAX_AGE_S, gt=0.0, le=5.0, description="How long values fill in another topic's signal [s]."
    )
    definition: str = Field(default="", description="Text of the .msg file, where the recording does not hold it.")
    note: str = Field(default="", max_length=200, description="Shown with the topic.")

    @field_validator("topic")
    @classmethod
    def _topic(cls, value: str) -> str:
        if not TOPIC.match(value):
            raise ValueError(f"{value!r} is no full topic name; write it like /vehicle/speed")
        if value.startswith(OUTPUTS):
            raise ValueError(
                f"{value} is an output of the runtime or a truth, never an input; name the topic of a sensor"
            )
        return value

    @field_validator("type")
    @classmethod
    def _type(cls, value: str) -> str:
        if value and not TYPE_NAME.match(value):
            raise ValueError(f"{value!r} is no message type; write it like sensor_msgs/msg/Imu")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self._has_pictures and is_cabin_name(self.topic):
            raise ValueError(f"topic {self.topic} {WHAT}; {MEND}")
        if self.fields:
            for name in ("converter", "targets", "axes", "rate_unit", "accel_unit", "joint"):
                if getattr(self, name):
                    raise ValueError(f"{name} does not go with fields; take one of the two")
            self._check_fields()
            return self
        if self.each:
            raise ValueError("each goes with fields alone; add fields")
        name = self.converter or CONVERTER_OF_TYPE.get(self.type, "")
        if not name:
            told = f"no converter reads {self.type}" if self.type else "neither type, converter nor fields are given"
            raise ValueError(f"topic {self.topic}: {told}; add fields, or take one of {', '.join(CONVERTERS)}")
        if name not in CONVERTERS:
            near = difflib.get_close_matches(name, CONVERTERS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"take one of {', '.join(CONVERTERS)}"
            raise ValueError(f"converter {name!r} is unknown; {hint}")
        converter = CONVERTERS[name]
        if self.type and self.type not in converter.types:
            raise ValueError(f"converter {name} does not read {self.type}; it reads {', '.join(converter.types)}")
        if name == "own" and not self.type:
            raise ValueError("converter own needs the type; add type: adas_interfaces/msg/...")
        for target in self.targets:
            if target not in converter.targets:
                raise ValueError(f"targets: {name} does not give {target!r}; it gives {', '.join(converter.targets)}")
        if self.axes is not None:
            if name not in ("odometry", "imu", "twist", "point_cloud2_radar"):
                raise ValueError(f"axes do not go with {name}; leave them out")
            if sorted(_ACROSS[item] for item in self.axes) != [0, 1, 2]:
                raise ValueError("axes must name one of forward/back, one of left/right, one of up/down; set all three")
        if self.joint and name != "joint_state":
            raise ValueError(f"joint does not go with {name}; leave it out")
        if self.rate_unit and name not in ("odometry", "imu", "twist"):
            raise ValueError(f"rate_unit does not go with {name}; leave it out")
        if self.accel_unit and name != "imu":
            raise ValueError(f"accel_unit does not go with {name}; leave it out")
        return self

    @property
    def _has_pictures(self) -> bool:
        return self.type in PICTURES or self.converter in ("compressed_image", "image")

    def _check_fields(self) -> None:
        is_radar = [item.target.startswith("radar.") for item in self.fields]
        if self.each and not all(is_radar):
            raise ValueError("each reads radar targets alone; give other fields in an entry of their own")
        if any(is_radar) and not self.each:
            raise ValueError("fields of radar need each:, the list that holds the targets; add each")
        if self.each:
            if not PATH.match(self.each) or "[" in self.each:
                raise ValueError(f"each {self.each!r} is no path; write it like tracks")
            for needed in ("radar.x_m", "radar.y_m"):
                if needed not in {item.target for item in self.fields}:
                    raise ValueError(f"fields do not give {needed}, without which there is no target; add it")
        twice = [item.target for item in self.fields]
        for target in twice:
            if twice.count(target) > 1:
                raise ValueError(f"fields give {target} twice; leave one out")
        try:
            types = defined_types(self.type, self.definition) if self.definition else known_types()
        except ConfigError as error:
            raise ValueError(f"definition: {error.what}; {error.mend}") from None
        if self.type not in types:
            return  # the recording or the car has it; judged there
        self.check_paths(types, self.type)

    def check_paths(self, types: object, kind: str) -> None:
        """Judge the paths against a type's definition.

        Raises:
            ValueError: A path leads nowhere, or to something that is no single value.
        """
        assert isinstance(types, dict)
        if self.each:
            found, why = list_kind(types, kind, self.each)
            if found is None:
                raise ValueError(f"each {self.each}: {why}; see the message's definition")
            kind = found
        for item in self.fields:
            basic, why = value_kind(types, kind, item.field)
            if basic is None:
                raise ValueError(f"fields: {item.field}: {why}; see the message's definition")
            shape = target_shape(item.target)
            assert shape is not None
            if basic not in NUMBERS and not item.values:
                raise ValueError(
                    f"fields: {item.field} is a {basic}, {item.target} needs a number; "
                    "name another field, or give values:"
                )

    @property
    def converter_name(self) -> str:
        """Name of the converter that reads it."""
        return FIELDS if self.fields else self.converter or CONVERTER_OF_TYPE[self.type]

    def feeds(self) -> tuple[str, ...]:
        """Sources and fields that it feeds."""
        if self.each:
            return ("radar",)
        if self.fields:
            return tuple(item.target for item in self.fields)
        if self.converter_name == "own":
            return tuple(name for name, source in SOURCE_OF.items() if self.type.endswith("/" + source.signal.__name__))
        return self.targets or CONVERTERS[self.converter_name].targets


class MapFile(Strict):
    """One input map."""

    format: Literal[1] = Field(description="Format of the file.")
    name: str = Field(min_length=1, max_length=64, description="Name in reports.")
    summary: str = Field(default="", max_length=300, description="What recordings or cars it is for.")
    inputs: tuple[TopicEntry, ...] = Field(
        max_length=256, description="Topics, the preferred one first where several give the same."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.inputs:  # as a bound of the list, it would hide what is wrong with its only entry
            raise ValueError("inputs name no topic; add one")
        given = {target for item in self.inputs for target in item.feeds()}
        for source, anchor in ANCHOR.items():
            if source in given or source == "radar":
                continue
            if any(target.startswith(source + ".") for target in given) and f"{source}.{anchor}" not in given:
                raise ValueError(
                    f"inputs give no {source}.{anchor}, without which there is no {source}; add the topic that holds it"
                )
        if "pose_fix.latitude_deg" in given and "pose_fix.longitude_deg" not in given:
            raise ValueError("inputs give a latitude without a longitude; add pose_fix.longitude_deg")
        topics = [item.topic for item in self.inputs]
        for topic in topics:
            if topics.count(topic) > 1:
                raise ValueError(f"inputs name {topic} twice; put all that it feeds into one entry")
        return self
