"""Settings: what the file, the environment and mounted secrets say, and how a wrong one is refused."""

import base64
import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings.load import DEFAULT_FILE, SettingsError, read_settings
from gateway.settings.schema import BY_RESOURCE, ConnectorSettings, Section, Settings

PROVIDERS = ("humaans", "second-vendor")
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(b"k" * 32).decode()
SECRET = "marked-and-never-shown"
NOT_IN_THE_FILE = {
    "vault.master_key",
    "vault.further_master_keys",
    "dashboard.password",
    "connectors.humaans.client_secret",
}


def sections() -> dict[str, Section]:
    fields = {name: getattr(Settings(), name) for name in Settings.model_fields}
    return {name: value for name, value in fields.items() if isinstance(value, Section)}


def defaults() -> dict[str, object]:
    """Every setting and its default, as the models say."""
    flat = {
        f"{section}.{name}": value
        for section, model in sections().items()
        for name, value in model
        if name not in BY_RESOURCE
    }
    rows = {
        f"cache.{table}.{resource}": value
        for table in BY_RESOURCE
        for resource, value in getattr(Settings().cache, table).items()
    }
    return flat | rows | {f"connectors.humaans.{name}": value for name, value in ConnectorSettings()}


def flat_file(table: Mapping[str, Any], above: str = "") -> dict[str, object]:
    rows: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            rows |= flat_file(value, f"{above}{name}.")
        else:
            rows[above + name] = tuple(value) if isinstance(value, list) else value
    return rows


def value_of(settings: Settings, name: str) -> object:
    value: Any = settings
    for word in name.split("."):
        value = value[word] if isinstance(value, Mapping) else getattr(value, word)
    return value


def faults(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, PROVIDERS)
    return caught.value.faults


def written(tmp_path: Path, text: str) -> dict[str, str]:
    """An environment that names a file with that text."""
    file = tmp_path / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return {"GATEWAY_CONFIG_FILE": str(file)}


def test_file_and_models_name_the_same_settings_with_the_same_defaults() -> None:
    wanted = {name: value for name, value in defaults().items() if name not in NOT_IN_THE_FILE}
    assert flat_file(tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))) == wanted


def test_every_setting_in_the_file_has_a_line_of_meaning() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for above, line in pairwise(lines)
        if " = " in line and not line.startswith("#") and not above.startswith("#")
    ]
    assert [line.split(" = ")[0] for line in bare] == [name for rows in BY_RESOURCE.values() for name in rows], (
        "explained together, above their table"
    )


def test_every_setting_has_a_docstring() -> None:
    models = [type(section) for section in sections().values()] + [ConnectorSettings]
    bare = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not (field.description or "").endswith(".")
    ]
    assert bare == []


def test_without_a_file_the_defaults_are_the_same(tmp_path: Path) -> None:
    assert read_settings(written(tmp_path, ""), PROVIDERS) == read_settings({}, PROVIDERS)


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("GATEWAY_SERVER_HOST", "0.0.0.0", "server.host", "0.0.0.0"),
        ("GATEWAY_SERVER_PORT", "9", "server.port", 9),
        ("GATEWAY_SERVER_PUBLIC_URL", "https://hris.example/", "server.public_url", "https://hris.example"),
        ("GATEWAY_REDIS_URL", "rediss://cache:6379/0", "redis.url", "rediss://cache:6379/0"),
        ("GATEWAY_REDIS_URL", "redis+sentinel://a:1,b/main", "redis.url", "redis+sentinel://a:1,b/main"),
        ("GATEWAY_REDIS_URL", "rediss+sentinel://u:p@a/m/2?x=/", "redis.url", "rediss+sentinel://u:p@a/m/2?x=/"),
        ("GATEWAY_REDIS_URL", "redis+cluster://a,b", "redis.url", "redis+cluster://a,b"),
        ("GATEWAY_UPSTREAM_DEADLINE_SECONDS", "12.5", "upstream.deadline_seconds", 12.5),
        ("GATEWAY_UPSTREAM_RETRIES", "0", "upstream.retries", 0),
        ("GATEWAY_CACHE_ENABLED", "false", "cache.enabled", False),
        ("GATEWAY_CACHE_FRESH_SECONDS_BANK_DETAILS", "0", "cache.fresh_seconds.bank_details", 0),
        (
            "GATEWAY_POLICY_FORBIDDEN_OPERATIONS",
            "get_employee",
            "policy.forbidden_operations",
            ("get_employee",),
        ),
        ("GATEWAY_POLICY_FORBIDDEN_FIELDS", "a.b, c.d,", "policy.forbidden_fields", ("a.b", "c.d")),
        ("GATEWAY_POLICY_FORBIDDEN_FIELDS", "", "policy.forbidden_fields", ()),
        ("GATEWAY_LOG_LEVEL", "debug", "log.level", "debug"),
        (
            "GATEWAY_HUMAANS_BASE_URL",
            "http://127.0.0.1:8081/api",
            "connectors.humaans.base_url",
            "http://127.0.0.1:8081/api",
        ),
        (
            "GATEWAY_SECOND_VENDOR_BASE_URL",
            "https://v.example",
            "connectors.second-vendor.base_url",
            "https://v.example",
        ),
    ],
)
def test_the_environment_overrides(variable: str, text: str, setting: str, value: object) -> None:
    assert value_of(read_settings({variable: text}, PROVIDERS), setting) == value


def test_the_environment_overrides_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    environ = written(tmp_path, "[server]\nport = 1\nworkers = 2\n[cache.fresh_seconds]\nemployees = 5\n")
    settings = read_settings({**environ, "GATEWAY_SERVER_PORT": "3", "HOME": "/root"}, PROVIDERS)
    assert (settings.server.port, settings.server.workers, settings.server.host) == (3, 2, "127.0.0.1")
    assert settings.cache.fresh_seconds == {**BY_RESOURCE["fresh_seconds"], "employees": 5}


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("GATEWAY_SERVER_PROT", "did you mean GATEWAY_SERVER_PORT"),
        ("GATEWAY_HUMANS_BASE_URL", "did you mean GATEWAY_HUMAANS_BASE_URL?"),
        ("GATEWAY_CACHE_FRESH_SECONDS_EMPLOYES", "did you mean GATEWAY_CACHE_FRESH_SECONDS_EMPLOYEES"),
        ("GATEWAY_LOG_DESTINATION", "known beside it: GATEWAY_LOG_LEVEL, GATEWAY_LOG_REQUESTS"),
        ("GATEWAY_TELEMETRY", "known sections: server, database, redis"),
        ("GATEWAY_SERVICE_HOST", "enableServiceLinks: false"),
        ("GATEWAY_CONNECTORS_HUMAANS_BASE_URL", "is not a setting"),
    ],
)
def test_an_unknown_variable_is_refused_and_the_near_ones_named(variable: str, said: str) -> None:
    (fault,) = faults({variable: SECRET})
    assert fault.startswith(f"{variable} is not a setting; ")
    assert said in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1", "server.prot in {file} is not a setting; did you mean server.port"),
        ("[log]\nx = 1", "known beside it: log.level, log.requests"),
        ("[telemetry]\non = 1", "telemetry.on in {file} is not a setting; known sections: server"),
        ("server = 1", "server in {file} is not a setting"),
        ("[connectors.humans]\nbase_url = ''", "did you mean connectors.humaans.base_url?"),
        (f"[vault]\nmaster_key = '{KEY}'", "vault.master_key must not stand in {file}"),
        (f"[vault]\nfurther_master_keys = '{KEY}'", "vault.further_master_keys must not stand in {file}"),
        (f"[dashboard]\npassword = '{KEY}'", "dashboard.password must not stand in {file}: set GATEWAY_DASHBOARD_PASS"),
        (f"[connectors.humaans]\nclient_secret = '{KEY}'", "client_secret must not stand in {file}: set GATEWAY_HUMA"),
        ("[server]\nport = 'x'", "server.port in {file}: should be a valid integer"),
        ("[server", "{file}: not a TOML file"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    environ = written(tmp_path, text)
    (fault,) = faults(environ)
    assert said.replace("{file}", environ["GATEWAY_CONFIG_FILE"]) in fault
    assert KEY not in fault


def test_a_file_that_is_named_must_exist() -> None:
    (fault,) = faults({"GATEWAY_CONFIG_FILE": "/nowhere/gateway.toml"})
    assert fault == "GATEWAY_CONFIG_FILE: /nowhere/gateway.toml cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("GATEWAY_SERVER_PORT", "65536"),
        ("GATEWAY_SERVER_HOST", ""),
        ("GATEWAY_SERVER_WORKERS", "0"),
        ("GATEWAY_UPSTREAM_DEADLINE_SECONDS", "inf"),
        ("GATEWAY_UPSTREAM_DEADLINE_SECONDS", "0"),
        ("GATEWAY_CACHE_ENABLED", SECRET),
        ("GATEWAY_CACHE_FRESH_SECONDS_GROUPS", "-1"),
        ("GATEWAY_POLICY_FORBIDDEN_FIELDS", "employees"),
        ("GATEWAY_LOG_LEVEL", "LOUD"),
        ("GATEWAY_PAGING_MAX_PAGE_SIZE", "24"),
        ("GATEWAY_DATABASE_URL", f"mysql://user:{SECRET}@host/db"),
        ("GATEWAY_REDIS_URL", f"http://user:{SECRET}@host"),
        ("GATEWAY_REDIS_URL", f"redis+sentinel://user:{SECRET}@host"),
        ("GATEWAY_REDIS_URL", f"redis+sentinel://user:{SECRET}@host/main/x"),
        ("GATEWAY_HUMAANS_BASE_URL", f"ftp://user:{SECRET}@host"),
        ("GATEWAY_VAULT_MASTER_KEY", SECRET),
        ("GATEWAY_VAULT_MASTER_KEY", base64.b64encode(bytes(31)).decode()),
        ("GATEWAY_VAULT_MASTER_KEY_FILE", "/nowhere/key"),
    ],
)
def test_a_bad_value_is_one_readable_line_that_names_the_setting_and_not_the_value(variable: str, text: str) -> None:
    (fault,) = faults({variable: text})
    assert re.search(rf"\b{variable}: ", fault)
    assert "\n" not in fault
    assert SECRET not in fault
    assert "Input" not in fault


def test_all_faults_are_reported_at_once() -> None:
    environ = {"GATEWAY_SERVER_PORT": "x", "GATEWAY_REDIS_TIMEOUT_SECONDS": "-1", "GATEWAY_TELEMETRY": "on"}
    assert sorted(re.split("[ :]", fault)[0] for fault in faults(environ)) == sorted(environ)


@pytest.mark.parametrize(
    ("url", "with_driver"),
    [
        ("", "sqlite+aiosqlite:///var/gateway.db"),
        ("sqlite:///data/g.db", "sqlite+aiosqlite:///data/g.db"),
        ("sqlite:////data/g.db", "sqlite+aiosqlite:////data/g.db"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite://"),
        ("postgres://u@h/g", "postgresql+asyncpg://u@h/g"),
        ("postgresql://u@h/g?sslmode=require", "postgresql+asyncpg://u@h/g?ssl=require"),
        ("postgresql+asyncpg://u@h/g", "postgresql+asyncpg://u@h/g"),
    ],
)
def test_a_database_url_gets_our_driver(url: str, with_driver: str) -> None:
    assert read_settings({"GATEWAY_DATABASE_URL": url}, PROVIDERS).database.async_url == with_driver


def test_the_master_key_comes_from_the_environment_or_a_mounted_file(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_text(f"{KEY}\n", encoding="utf-8")
    by_variable = read_settings({"GATEWAY_VAULT_MASTER_KEY": KEY}, PROVIDERS)
    by_file = read_settings({"GATEWAY_VAULT_MASTER_KEY_FILE": str(file)}, PROVIDERS)
    assert by_variable.vault.key == by_file.vault.key == bytes(range(32))
    assert read_settings({}, PROVIDERS).vault.key == b""
    (fault,) = faults({"GATEWAY_VAULT_MASTER_KEY": KEY, "GATEWAY_VAULT_MASTER_KEY_FILE": str(file)})
    assert fault.endswith("set one of the two, not both")


@pytest.mark.parametrize("text", [f"{KEY},{OTHER_KEY}", f" {KEY}, {OTHER_KEY} ", f"{KEY}\n{OTHER_KEY}\n"])
def test_further_master_keys_are_several(tmp_path: Path, text: str) -> None:
    file = tmp_path / "older.keys"
    file.write_text(text, encoding="utf-8")
    by_variable = read_settings({"GATEWAY_VAULT_FURTHER_MASTER_KEYS": text}, PROVIDERS)
    by_file = read_settings({"GATEWAY_VAULT_FURTHER_MASTER_KEYS_FILE": str(file)}, PROVIDERS)
    assert by_variable.vault.further_keys == by_file.vault.further_keys == (bytes(range(32)), b"k" * 32)
    assert read_settings({}, PROVIDERS).vault.further_keys == ()
    assert KEY not in repr(by_file)
    (fault,) = faults({"GATEWAY_VAULT_FURTHER_MASTER_KEYS": f"{KEY},c2hvcnQ="})
    assert fault.startswith("GATEWAY_VAULT_FURTHER_MASTER_KEYS: should be 32 bytes")


@pytest.mark.parametrize("content", [b"", b"short\n", bytes(range(128, 255))])
def test_a_wrong_master_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(content)
    (fault,) = faults({"GATEWAY_VAULT_MASTER_KEY_FILE": str(file)})
    assert fault.startswith("GATEWAY_VAULT_MASTER_KEY_FILE: ")
    assert "short" not in fault


def test_secrets_are_not_in_repr() -> None:
    environ = {
        "GATEWAY_VAULT_MASTER_KEY": KEY,
        "GATEWAY_DATABASE_URL": f"postgresql://u:{SECRET}@h/g",
        "GATEWAY_REDIS_URL": f"redis://:{SECRET}@h",
    }
    shown = repr(read_settings(environ, PROVIDERS))
    assert SECRET not in shown
    assert KEY not in shown


@pytest.mark.parametrize("part", [Settings(), *sections().values()], ids=lambda part: type(part).__name__)
def test_settings_do_not_change(part: Section | Settings) -> None:
    with pytest.raises(ValidationError):
        setattr(part, next(iter(type(part).model_fields)), None)
