"""Look at a site's folder and find out everything that tandem.yml says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tandem.ops.adopt import (
    database,
    environment,
    files,
    node,
    processes,
    project,
    python,
    requirements,
    sockets,
)
from tandem.ops.adopt.findings import AdoptError, Findings
from tandem.ops.adopt.folder import Folder
from tandem.ops.adopt.interpreter import Interpreter, variables
from tandem.ops.adopt.values import Scope, plain, truth


def inspect(path: Path, settings: str = "", name: str = "") -> Findings:
    """Return what ``path`` tells of its site.  Nothing of it is imported or run.

    Raises ``AdoptError`` where it is not the folder of one Django site.
    """
    if not path.is_dir():
        raise AdoptError(f"{path} is no folder; give the one in which the site's manage.py is")
    folder = Folder(path.resolve())
    out = Findings()
    python_name = Findings()
    site = project.find(folder, python_name, settings)
    python.name(site, out, name)
    out.found("source", ".")
    for key in ("root", "python_path", "settings"):
        out.keys[key] = python_name.keys[key]
    required = requirements.find(site, out)
    interpreter, scope, chosen = _settings(site, required, out)
    apps = plain(scope.get("INSTALLED_APPS"))
    apps = list(apps) if isinstance(apps, list | tuple) else []
    asgi = sockets.applications(site, scope, out)
    python.version(site, out)
    requirements.debian(required, apps, scope.places, out)
    database.judge(scope, required, interpreter.reads, chosen, out)
    environment.judge(interpreter.reads, scope, required, out)
    files.static(scope, out)
    files.build(site, scope, apps, out)
    node.front_ends(site, apps, out)
    processes.setup(site, scope, out)
    files.health(site, interpreter, scope, out)
    processes.redis(scope, required, out)
    if asgi:
        sockets.paths(site, interpreter, scope, asgi, out)
    processes.processes(site, scope, apps, out)
    for file, why in folder.refused.items():
        out.decide("source", f"{folder.place(file)} {why}")
    return out


def _settings(
    site: project.Project, required: requirements.Requirements, out: Findings
) -> tuple[Interpreter, Scope, dict[str, str]]:
    """Follow the settings with the environment that they will have.

    Returns what chooses PostgreSQL as well: variables, and by which word.
    """

    def follow(assumed: dict[str, str]) -> tuple[Interpreter, Scope]:
        interpreter = Interpreter(site.folder, site.python_path, assumed)
        scope = interpreter.module(site.settings)
        if scope is None:
            raise AdoptError(f"the settings {site.settings} are no Python that could be read")
        return interpreter, scope

    first, scope = follow({})
    assumed = {
        read.name: value
        for read in first.reads
        if (value := database.assumption(read.name)) is not None
    }
    assumed |= {read.name: "random" for read in first.reads if environment.made(read.name)}
    if environment.uses_redis(required):
        assumed["REDIS_URL"] = environment.REDIS_URL
    assumed |= {
        read.name: value
        for read in first.reads
        if (value := environment.provided(read, required)) is not None
    }
    # Where one variable decides, others are compared only then.
    chosen = database.choices(first.compared)
    for _ in range(3):
        more = database.choices(follow(assumed | chosen)[0].compared)
        if more.items() <= chosen.items():
            break
        chosen |= more
    assumed |= chosen
    debug = variables(scope.get("DEBUG"))
    names = {read.name: read for read in first.reads if read.setting == "DEBUG"}
    names |= {one.read.name: one.read for one in debug}
    for variable, read in names.items():

        def becomes(value: str, variable: str = variable) -> Any:
            return truth(follow(assumed | {variable: value})[1].get("DEBUG"))

        if truth(scope.get("DEBUG")) is False and not read.required:
            continue
        value = environment.off(becomes)
        if value is None:
            out.decide(
                "environment", f"{read.name}: set it so that DEBUG is off ({read.place})", {}
            )
        else:
            assumed[variable] = value
            out.entry("environment", variable, value, f"DEBUG ({read.place})")
    interpreter, scope = follow(assumed)
    if truth(scope.get("DEBUG")) is True:
        place = scope.places.get("DEBUG")
        out.decide(
            "settings",
            f"DEBUG is on ({place}); Tandem turns it off, but not what the settings do by it",
        )
    if not isinstance(plain(scope.get("INSTALLED_APPS")), list | tuple):
        out.decide("settings", "INSTALLED_APPS could not be read: much of the rest is a guess")
    return interpreter, scope, chosen
