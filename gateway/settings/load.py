"""The one place that reads the environment, `config/gateway.toml` and mounted secrets.

The environment overrides the file, the file overrides the defaults of `gateway.settings.schema`. All faults are told
at once, each in one line that names the setting as an operator writes it and never repeats its value.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from gateway.settings.schema import BY_RESOURCE, ConnectorSettings, Section, Settings

__all__ = ["Settings", "SettingsError", "read_settings"]

PREFIX = "GATEWAY_"
CONFIG_FILE = "GATEWAY_CONFIG_FILE"
DEFAULT_FILE = Path(__file__).resolve().parents[2] / "config" / "gateway.toml"

MASTER_KEYS = (("vault", "master_key"), ("vault", "further_master_keys"))
"""What may stand in a file of its own, which `…_file` names."""
PASSWORD = ("dashboard", "password")
KUBERNETES_LINKS = ("GATEWAY_PORT", "GATEWAY_SERVICE_")
"""What Kubernetes sets by itself in every container beside a Service that is called `gateway`."""

SettingPath: TypeAlias = tuple[str, ...]
"""Where a setting stands: `("server", "port")`, `("connectors", "humaans", "base_url")`."""


class SettingsError(ValueError):
    """The gateway must not start: one readable line for each fault, none of which repeats a value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class _Reading:
    """What was found so far: values and where each stood, and every fault."""

    def __init__(self) -> None:
        self.values: dict[SettingPath, object] = {}
        self.origins: dict[SettingPath, str] = {}
        self.faults: list[str] = []

    def put(self, path: SettingPath, value: object, origin: str) -> None:
        self.values[path] = value
        self.origins[path] = origin

    def origin(self, path: SettingPath) -> str:
        """The name to blame: of the setting itself, or of those that stand under it."""
        for known in (path, path[:2]):
            if known in self.origins:
                return self.origins[known]
        under = [origin for known, origin in self.origins.items() if known[: len(path)] == path]
        return ", ".join(under) or ".".join(path)


def read_settings(environ: Mapping[str, str], providers: Collection[str]) -> Settings:
    """Settings for a process, or `SettingsError` with all that is wrong with them.

    `providers` are the connectors there are: each may be given its own base URL.
    """
    known = {_variable(path): path for path in _paths(providers)}
    reading = _Reading()
    _read_file(reading, environ.get(CONFIG_FILE, ""), known)
    _read_environment(reading, environ, known)
    for path in MASTER_KEYS:
        _read_key_file(reading, path)
    settings = _validated(reading, providers)
    if reading.faults or settings is None:
        raise SettingsError(reading.faults)
    return settings


def _paths(providers: Collection[str]) -> Iterator[SettingPath]:
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from ((section, name) for name in field.annotation.model_fields if name not in BY_RESOURCE)
    yield from (("cache", table, resource) for table, rows in BY_RESOURCE.items() for resource in rows)
    yield from (("connectors", each, name) for each in providers for name in ConnectorSettings.model_fields)


def _variable(path: SettingPath) -> str:
    words = path[1:] if path[0] == "connectors" else path
    return PREFIX + "_".join(words).upper().replace("-", "_")


def _read_file(reading: _Reading, named: str, known: Mapping[str, SettingPath]) -> None:
    file = Path(named) if named else DEFAULT_FILE
    if not named and not file.exists():
        return  # pragma: no cover - a package without config/ beside it: the defaults are the same
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reading.faults.append(f"{CONFIG_FILE}: {file} cannot be read: {error.strerror}")
        return
    except ValueError as error:
        reading.faults.append(f"{file}: not a TOML file: {error}")
        return
    names = {".".join(path): path for path in known.values()}
    for path, value in _leaves(tables, (), set(known.values())):
        name = ".".join(path)
        if name not in names:
            reading.faults.append(f"{name} in {file} is not a setting; {_near(name, names)}")
        elif path in MASTER_KEYS:
            reading.faults.append(f"{name} must not stand in {file}: set {_variable(path)} or {name}_file")
        elif path == PASSWORD:
            reading.faults.append(f"{name} must not stand in {file}: set {_variable(path)}")
        else:
            reading.put(path, value, f"{name} in {file}")


def _leaves(
    table: Mapping[str, Any], above: SettingPath, known: Collection[SettingPath]
) -> Iterator[tuple[SettingPath, object]]:
    for name, value in table.items():
        path = (*above, name)
        if isinstance(value, dict) and path not in known:
            yield from _leaves(value, path, known)
        else:
            yield path, value


def _read_environment(reading: _Reading, environ: Mapping[str, str], known: Mapping[str, SettingPath]) -> None:
    for name, value in sorted(environ.items()):
        if name in known:
            reading.put(known[name], value, name)
        elif name.startswith(PREFIX) and name != CONFIG_FILE:
            hint = ""
            if name.startswith(KUBERNETES_LINKS):
                hint = " (if Kubernetes has set it: enableServiceLinks: false in the pod)"
            reading.faults.append(f"{name} is not a setting; {_near(name, known)}{hint}")


def _near(name: str, known: Iterable[str]) -> str:
    """The known names that were probably meant; else those of the same section; else all sections."""
    names = sorted(known)
    close = get_close_matches(name, names, n=3, cutoff=0.8)
    if close:
        return f"did you mean {' or '.join(close)}?"
    separator = "." if "." in name else "_"
    section = separator.join(name.split(separator)[: 1 if separator == "." else 2]) + separator
    beside = [each for each in names if each.startswith(section)]
    if beside:
        return f"known beside it: {', '.join(beside)}"
    return f"known sections: {', '.join(Settings.model_fields)}"


def _read_key_file(reading: _Reading, path: SettingPath) -> None:
    named = (*path[:-1], f"{path[-1]}_file")
    file = reading.values.get(named)
    if not isinstance(file, str) or not file:
        return
    origin = reading.origin(named)
    if reading.values.get(path):
        reading.faults.append(f"{_variable(path)} and {origin}: set one of the two, not both")
        return
    try:
        key = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        reading.faults.append(f"{origin}: {file} cannot be read: {reason}")
        return
    if not key:
        reading.faults.append(f"{origin}: {file} is empty")
    reading.put(path, key, origin)


def _validated(reading: _Reading, providers: Collection[str]) -> Settings | None:
    tables: dict[str, Any] = {"connectors": {each: {} for each in providers}}
    for path, value in reading.values.items():
        table = tables
        for word in path[:-1]:
            table = table.setdefault(word, {})
        table[path[-1]] = value
    try:
        return Settings(**tables)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            path = tuple(str(word) for word in fault["loc"])
            reading.faults.append(f"{reading.origin(path)}: {_plain(fault['msg'])}")
        return None


def _plain(message: str) -> str:
    """Pydantic's words, without the ones that speak of Python rather than of a setting."""
    return message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
