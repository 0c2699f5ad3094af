"""Reads the settings: environment variables, mounted key files and `config/gateway.toml`.

Precedence: environment, key file, configuration file, defaults of `gateway.settings.schema`. All faults are reported
at once, one line each. A line names the variable, or the file and key, and never repeats a value.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
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
"""Settings that may be read from a file of their own, named by the setting `<name>_file`."""
ENVIRONMENT_ONLY = ("password", "client_secret")
KUBERNETES_LINKS = ("GATEWAY_PORT", "GATEWAY_SERVICE_")
"""Variables that Kubernetes sets in every container beside a Service called `gateway`."""

SettingPath: TypeAlias = tuple[str, ...]
"""The keys of a setting: `("server", "port")`, `("connectors", "humaans", "base_url")`."""


class SettingsError(ValueError):
    """The gateway must not start. `faults` has one readable line for each fault, without values."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class SettingValue:
    """The value of a setting, and the name by which a fault refers to it."""

    value: object
    origin: str


def read_settings(environ: Mapping[str, str], providers: Collection[str]) -> Settings:
    """Returns the settings of a process. Raises `SettingsError` with every fault.

    `providers` are the keys of the connectors: each has settings of its own.
    """
    paths = {_variable(path): path for path in _paths(providers)}
    faults: list[str] = []
    found = _read_file(environ.get(CONFIG_FILE, ""), paths, faults)
    found |= _read_environment(environ, paths, faults)
    for path in MASTER_KEYS:
        _read_key_file(path, found, faults)
    settings = _validate(found, providers, faults)
    if faults or settings is None:
        raise SettingsError(faults)
    return settings


def _paths(providers: Collection[str]) -> Iterator[SettingPath]:
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from ((section, name) for name in field.annotation.model_fields if name not in BY_RESOURCE)
    yield from (("cache", table, resource) for table, rows in BY_RESOURCE.items() for resource in rows)
    yield from (("connectors", each, name) for each in providers for name in ConnectorSettings.model_fields)


def _variable(path: SettingPath) -> str:
    keys = path[1:] if path[0] == "connectors" else path
    return PREFIX + "_".join(keys).upper().replace("-", "_")


def _read_file(named: str, paths: Mapping[str, SettingPath], faults: list[str]) -> dict[SettingPath, SettingValue]:
    file = Path(named) if named else DEFAULT_FILE
    if not named and not file.exists():
        return {}  # pragma: no cover - an installed package has no config/ folder; the defaults are the same
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(f"{CONFIG_FILE}: {file} cannot be read: {error.strerror}")
        return {}
    except ValueError as error:
        faults.append(f"{file}: not a TOML file: {error}")
        return {}
    found = {}
    known = {".".join(path): path for path in paths.values()}
    for path, value in _flatten(tables, known.values()):
        name = ".".join(path)
        if name not in known:
            faults.append(f"{name} in {file} is not a setting; {_suggest(name, known)}")
        elif path in MASTER_KEYS:
            faults.append(f"{name} must not stand in {file}: set {_variable(path)} or {name}_file")
        elif path[-1] in ENVIRONMENT_ONLY:
            faults.append(f"{name} must not stand in {file}: set {_variable(path)}")
        else:
            found[path] = SettingValue(value, f"{name} in {file}")
    return found


def _flatten(
    table: Mapping[str, Any], known: Collection[SettingPath], parent: SettingPath = ()
) -> Iterator[tuple[SettingPath, object]]:
    for name, value in table.items():
        path = (*parent, name)
        if isinstance(value, dict) and path not in known:
            yield from _flatten(value, known, path)
        else:
            yield path, value


def _read_environment(
    environ: Mapping[str, str], paths: Mapping[str, SettingPath], faults: list[str]
) -> dict[SettingPath, SettingValue]:
    found = {}
    for name, value in sorted(environ.items()):
        if name in paths:
            found[paths[name]] = SettingValue(value, name)
        elif name.startswith(PREFIX) and name != CONFIG_FILE:
            hint = ""
            if name.startswith(KUBERNETES_LINKS):
                hint = " (if Kubernetes has set it: enableServiceLinks: false in the pod)"
            faults.append(f"{name} is not a setting; {_suggest(name, paths)}{hint}")
    return found


def _suggest(name: str, known: Iterable[str]) -> str:
    """Names the settings that were probably meant, else those of the same section, else all sections."""
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


def _read_key_file(path: SettingPath, found: dict[SettingPath, SettingValue], faults: list[str]) -> None:
    named = found.get((*path[:-1], f"{path[-1]}_file"))
    if named is None or not isinstance(named.value, str) or not named.value:
        return
    file = named.value
    if path in found and found[path].value:
        faults.append(f"{_variable(path)} and {named.origin}: set one of the two, not both")
        return
    try:
        key = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        faults.append(f"{named.origin}: {file} cannot be read: {reason}")
        return
    if not key:
        faults.append(f"{named.origin}: {file} is empty")
    found[path] = SettingValue(key, named.origin)


def _validate(
    found: Mapping[SettingPath, SettingValue], providers: Collection[str], faults: list[str]
) -> Settings | None:
    tables: dict[str, Any] = {"connectors": {each: {} for each in providers}}
    for path, setting in found.items():
        table = tables
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = setting.value
    try:
        return Settings(**tables)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            origin = _origin(found, tuple(str(key) for key in fault["loc"]))
            message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
            faults.append(f"{origin}: {message}")
        return None


def _origin(found: Mapping[SettingPath, SettingValue], path: SettingPath) -> str:
    """Returns the name of a setting, or the names of all settings of its section that were given."""
    for known in (path, path[:2]):
        if known in found:
            return found[known].origin
    section = [setting.origin for known, setting in found.items() if known[: len(path)] == path]
    return ", ".join(section) or ".".join(path)
