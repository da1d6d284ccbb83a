"""The files in docs/deploy say what the program and those who read them understand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from fluxboard.cli.main import cli
from fluxboard.server.listening import DRAIN_SECONDS
from fluxboard.server.metrics import Metrics
from fluxboard.server.workers import END_SECONDS

DOCS = Path(__file__).parents[2] / "docs"
DEPLOY = DOCS / "deploy"


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def kubernetes(kind: str) -> Any:
    return next(found for found in documents("kubernetes.yaml") if found["kind"] == kind)


def pod() -> Any:
    return kubernetes("Deployment")["spec"]["template"]["spec"]


def understood(arguments: list[str]) -> None:
    """Fails for a command or an option that the command line does not have."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        context = click.Context(command)
        rest = command.make_parser(context).parse_args(list(arguments))[1]
        if not rest:
            return
        name, *arguments = rest
        assert name in command.commands, f"{command.name} has no {name}"
        command = command.commands[name]
    command.make_parser(click.Context(command)).parse_args(list(arguments))


def commands_in(text: str) -> Iterator[list[str]]:
    """The commands of the lines that begin with ``fluxboard``, in fenced blocks."""
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["fluxboard"]:
                yield words[1:]


# -- commands


def test_the_service_starts_the_program_as_it_is() -> None:
    unit = (DEPLOY / "fluxboard.service").read_text()
    start = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert start is not None
    program, *arguments = shlex.split(start[1])
    assert Path(program).name == "fluxboard"
    understood(arguments)
    assert re.search(r"^ExecReload=/bin/kill -HUP \$MAINPID$", unit, re.MULTILINE)
    patience = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert patience is not None
    assert int(patience[1]) > END_SECONDS


def test_the_containers_start_the_program_as_it_is() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    start = re.search(r"^CMD (.*)$", image, re.MULTILINE)
    assert start is not None
    understood(json.loads(start[1]))
    board = documents("compose.yaml")[0]["services"]["board"]
    understood(board["command"])
    assert int(board["stop_grace_period"].removesuffix("s")) > END_SECONDS
    understood(pod()["containers"][0]["args"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert pod()["containers"][0][probe]["httpGet"]["path"].split("?")[0] in {"/health", "/ready"}
    assert pod()["terminationGracePeriodSeconds"] >= 5 + 2 * DRAIN_SECONDS + 5


@pytest.mark.parametrize("name", ["operations.md", "deploy/README.md", "../README.md"])
def test_the_commands_of_the_documents_exist(name: str) -> None:
    found = list(commands_in((DOCS / name).read_text()))
    for arguments in found:
        understood(arguments)
    assert found or name == "deploy/README.md"


def test_a_command_that_is_not_there_would_be_found() -> None:
    with pytest.raises(AssertionError, match="no vanish"):
        understood(["admin", "users", "vanish"])
    with pytest.raises(click.NoSuchOption):
        understood(["serve", "--wrokers", "2"])


# -- what belongs together


def test_what_the_compose_file_names_is_there() -> None:
    (compose,) = documents("compose.yaml")
    for name, service in compose["services"].items():
        assert set(service.get("secrets", ())) <= compose["secrets"].keys(), name
        assert service.get("depends_on", {}).keys() <= compose["services"].keys(), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), volume
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            # That of the board is in its image.
            assert other == "board" or "healthcheck" in compose["services"][other], other
    secrets = {f"/run/secrets/{name}" for name in compose["services"]["board"]["secrets"]}
    files = {v for k, v in compose["services"]["board"]["environment"].items() if k.endswith("_FILE")}
    assert files == secrets


def test_the_manifest_selects_its_own_pods() -> None:
    labels = kubernetes("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert kubernetes("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes("Service")["spec"]["selector"] == labels
    (container,) = pod()["containers"]
    ports = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in kubernetes("Service")["spec"]["ports"]} == ports
    assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in pod()["volumes"]}
    paths = kubernetes("Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert {path["backend"]["service"]["name"] for path in paths} == {"fluxboard"}
    assert {path["path"] for path in paths} == {"/api", "/socket.io", "/health"}


# -- metrics


def series() -> set[str]:
    """The names that a server exports."""
    names = set()
    for family in Metrics()._registry.collect():
        if family.type == "counter":
            names.add(f"{family.name}_total")
        elif family.type == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
        else:
            names.add(family.name)
    return names


def asked_in(text: str) -> set[str]:
    return set(re.findall(r"\bfluxboard_[a-z_]+", text))


def test_the_dashboard_and_the_alerts_ask_for_what_is_exported() -> None:
    board = json.loads((DEPLOY / "grafana.json").read_text())
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    (alerts,) = documents("alerts.yaml")
    rules = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    known = series()
    for expression in (*targets, *rules):
        assert asked_in(expression) <= known, expression
    families = {re.sub("_(bucket|count|sum)$", "", name) for name in known}
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in asked_in(" ".join(targets))}
    assert families == shown, "what is measured is on the dashboard"
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in board["panels"])


# -- what others check


def test_nginx_understands_its_file(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("nginx is not installed")
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = (openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x")
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    ours = (DEPLOY / "nginx.conf").read_text().replace("/etc/ssl/fluxboard", str(tmp_path))
    # It tries the ports, which may not be ours to have, and not every machine has IPv6.
    ours = re.sub(r"^ *listen \[::\].*\n", "", ours, flags=re.MULTILINE)
    ours = ours.replace("listen 80;", "listen 127.0.0.1:18080;").replace(
        "listen 443 ", "listen 127.0.0.1:18443 "
    )
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{\n{ours}\n}}")
    command = [nginx, "-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_caddy_understands_its_file(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("Caddy is not installed")
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert told.returncode == 0, told.stderr


def test_systemd_understands_its_file(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "fluxboard.service"
    program = shutil.which("true")
    unit.write_text(
        (DEPLOY / "fluxboard.service").read_text().replace("/opt/fluxboard/bin/fluxboard", str(program))
    )
    told = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in told.stderr.splitlines() if "fluxboard.service" in line]
    assert (told.returncode, ours) == (0, [])
