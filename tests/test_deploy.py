"""What deploy/ says, read by the tools that will carry it out: hadolint, Compose, kubectl, and our own command line."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from itertools import dropwhile, pairwise
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loadgate.commands import COMMANDS, loadgate

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.executable).parent  # they come as wheels, so none is ever missing
CREDENTIALS = re.findall(r"LOADGATE_\w+", (ROOT / "docs/credentials.md").read_text("utf-8"))
MOST_IN_FLIGHT = 10_000  # of one process, unless --max-in-flight says more
LONGEST_ANSWER_S = 40 + 5  # the gateway's limit and --grace
TEMPORARY = "/tmp"  # noqa: S108 - HOME and MPLCONFIGDIR of the image are there
KUBERNETES = ("1.29", kubernetes_validate.utils.major_minor(kubernetes_validate.latest_version()))


def said_by(tool: str, *arguments: object, **environ: str) -> str:
    command = [TOOLS / tool, *map(str, arguments)]
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}  # no settings of who runs the tests
    return subprocess.run(command, env=known | environ, capture_output=True, text=True, check=True, timeout=60).stdout


def given(arguments: list[str]) -> dict[str, Any]:
    """What a command line of ours means. Raises click.UsageError where it would be refused."""
    command = loadgate.get_command(click.Context(loadgate), arguments[0])
    assert command, arguments[0]
    return command.make_context(arguments[0], arguments[1:]).params


# The image


def instructions() -> list[tuple[str, str]]:
    lines = (line for line in (DEPLOY / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#"))
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.splitlines() if line)]


def all_of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def test_hadolint_finds_nothing():
    assert said_by("hadolint", "--no-color", "--failure-threshold", "style", DEPLOY / "Dockerfile") == ""


def test_the_image_is_of_a_pinned_base_and_built_where_no_tool_is_left():
    (argument,), (build, final) = all_of("ARG"), all_of("FROM")

    assert re.fullmatch(r"PYTHON=python:3\.\d+-slim-[a-z]+", argument)
    assert (build, final) == ("${PYTHON} AS build", "${PYTHON}")
    last_stage = instructions()[instructions().index(("FROM", final)) :]
    assert [rest for word, rest in last_stage if word == "COPY"] == ["--from=build /opt/loadgate /opt/loadgate"]
    assert not re.search(
        r"\b(pip|apt|apt-get|curl|wget)\b", " ".join(rest for word, rest in last_stage if word == "RUN")
    )


def test_the_image_runs_the_command_itself_as_a_user_by_number():
    assert json.loads(all_of("ENTRYPOINT")[-1]) == ["loadgate"]  # not through a shell, which would keep signals
    assert int(all_of("USER")[-1].partition(":")[0]) > 0
    assert all_of("HEALTHCHECK") == []  # no check is true of master, worker and stand-in


def test_nothing_gets_into_a_layer_that_the_image_is_not_made_of():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = {source for rest in all_of("COPY") if "--from" not in rest for source in rest.split()[:-1]}
    secret = re.compile("token|password|secret|key|LOADGATE_", re.IGNORECASE)

    assert next(line for line in ignored if not line.startswith("#")) == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / source).exists() for source in copied)
    assert all_of("ADD") == []
    assert not [rest for rest in all_of("ARG") + all_of("ENV") if secret.search(rest)]


def test_the_pinned_releases_are_what_the_project_asks_for():
    lines = (DEPLOY / "requirements.txt").read_text("utf-8").replace("\\\n", "").splitlines()
    pins = [line.split() for line in lines if not line.startswith("#")]
    released = dict(pin[0].split("==") for pin in pins)
    asked = [
        Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]

    assert all(len(pin) > 1 and all(part.startswith("--hash=sha256:") for part in pin[1:]) for pin in pins)
    assert {need.name: need.specifier.contains(released[canonicalize_name(need.name)]) for need in asked} == {
        need.name: True for need in asked
    }


# Compose


@cache
def composed(**environ: str) -> dict[str, Any]:
    """The services, as Compose understands them in this environment. It refuses what its schema does not know."""
    services = json.loads(
        said_by("docker-compose", "-f", DEPLOY / "compose.yaml", "config", "--format=json", **environ)
    )
    return services["services"]


SERVICES = ("stand-in", "master", "worker")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_needs(name: str):
    service = composed()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == [TEMPORARY]
    assert service["ulimits"]["nofile"] > MOST_IN_FLIGHT + 1000
    assert not {"privileged", "user", "ports", "network_mode", "cap_add"} & set(service)


def test_a_credential_comes_from_the_environment_alone():
    unset, token = composed(), composed(LOADGATE_TOKEN="of-the-environment")

    for sender in ("master", "worker"):
        assert set(unset[sender]["environment"]) >= {name for name in CREDENTIALS if not name.endswith("_")}
        assert set(unset[sender]["environment"].values()) == {None}
    assert [token[name]["environment"]["LOADGATE_TOKEN"] for name in SERVICES] == ["of-the-environment"] * 3


def test_master_and_workers_are_as_many_and_send_what_the_environment_says():
    load = "--file bodies --rate 9 --slo 'p99<800ms'"
    services = composed(LOADGATE_WORKERS="5", LOADGATE_URL="https://HOST/x", LOADGATE_LOAD=load, LOADGATE_BODIES="/b")
    master, worker = services["master"], services["worker"]

    assert master["command"][:2] == ["run", "https://HOST/x"]
    assert master["command"][-6:] == shlex.split(load)
    assert master["command"][master["command"].index("--workers") + 1] == str(worker["deploy"]["replicas"]) == "5"
    assert worker["volumes"] == [v for v in master["volumes"] if v["target"] == "/data/bodies"]
    assert (worker["volumes"][0]["source"], worker["volumes"][0]["read_only"]) == ("/b", True)


def test_the_end_of_the_master_is_the_end_and_leaves_it_time_for_its_report():
    services = composed()

    assert {name for name in SERVICES if services[name].get("attach", True)} == {"master"}
    assert services["master"]["depends_on"].keys() == {"stand-in", "worker"}
    assert services["master"]["stop_grace_period"] == "2m0s"  # over LONGEST_ANSWER_S
    assert [v["source"] for v in services["master"]["volumes"] if v["target"] == "/data/reports"] == ["reports"]


@pytest.mark.parametrize("name", SERVICES)
def test_our_command_line_takes_what_a_service_says(name: str):
    assert given(composed()[name]["command"])


# Kubernetes

FOLDERS = ("base", "overlays/example")
SENDERS = ("master", "worker")


@cache
def objects(folder: str = "overlays/example") -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(said_by("kubectl", "kustomize", DEPLOY / "kubernetes" / folder)))


def copier() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes/reports.yaml").read_text("utf-8"))


def one(kind: str, name: str, folder: str = "overlays/example") -> dict[str, Any]:
    """The spec of the one object of that name."""
    (found,) = [each for each in objects(folder) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found["spec"]


def template(role: str, folder: str = "overlays/example") -> dict[str, Any]:
    return one("Job" if role == "master" else "Deployment", f"loadgate-{role}", folder)["template"]


def pod(role: str, folder: str = "overlays/example") -> dict[str, Any]:
    return copier()["spec"] if role == "reports" else template(role, folder)["spec"]


def container(role: str, folder: str = "overlays/example") -> dict[str, Any]:
    (only,) = pod(role, folder)["containers"]
    return only


def labels(role: str) -> dict[str, str]:
    return template(role)["metadata"]["labels"]


def after(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("folder", [*FOLDERS, "reports.yaml"])
def test_every_object_is_one_that_kubernetes_knows(folder: str, version: str):
    among = [copier()] if folder == "reports.yaml" else objects(folder)

    assert {kubernetes_validate.validate(each, version, strict=True) for each in among} == {version}


@pytest.mark.parametrize("role", [*SENDERS, "reports"])
def test_a_pod_may_do_no_more_than_it_needs(role: str):
    """The restricted level of the Pod Security Standards, and a root that nobody writes to."""
    only = container(role)

    assert pod(role)["automountServiceAccountToken"] is False
    assert pod(role)["securityContext"]["runAsNonRoot"] is True
    assert pod(role)["securityContext"]["runAsUser"] > 0
    assert pod(role)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["requests"] == only["resources"]["limits"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod(role))
    assert all({"emptyDir", "configMap", "persistentVolumeClaim"} & set(volume) for volume in pod(role)["volumes"])


@pytest.mark.parametrize("role", SENDERS)
def test_a_pod_has_a_place_to_write_whole_cores_and_a_credential_that_is_kept_elsewhere(role: str):
    only = container(role)
    (temporary,) = [mount["name"] for mount in only["volumeMounts"] if mount["mountPath"] == TEMPORARY]

    assert {"name": temporary, "emptyDir": {}} in pod(role)["volumes"]
    assert int(only["resources"]["limits"]["cpu"]) >= 1
    assert only["envFrom"] == [{"secretRef": {"name": "loadgate-credentials"}}]
    assert "env" not in only
    assert pod(role)["enableServiceLinks"] is False
    assert "Secret" not in {each["kind"] for folder in FOLDERS for each in objects(folder)}


def test_a_run_is_never_sent_again_and_may_end_in_peace():
    assert one("Job", "loadgate-master")["backoffLimit"] == 0
    assert pod("master")["restartPolicy"] == "Never"
    assert pod("master")["terminationGracePeriodSeconds"] > 2 * LONGEST_ANSWER_S


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_master_waits_for_as_many_workers_as_there_are(folder: str):
    workers = one("Deployment", "loadgate-worker", folder)

    assert after("--workers", container("master", folder)["args"]) == str(workers["replicas"])
    assert workers["strategy"] == {"type": "Recreate"}
    assert "HorizontalPodAutoscaler" not in {each["kind"] for each in objects(folder)}


def test_workers_find_the_master_and_nobody_else_reaches_it():
    service, policy = one("Service", "loadgate-master"), one("NetworkPolicy", "loadgate-master")

    assert labels("master") != labels("worker")
    assert service["selector"] == policy["podSelector"]["matchLabels"] == labels("master")
    assert [port["port"] for port in service["ports"]] == [5557]
    assert after("--listen", container("master")["args"]) == "0.0.0.0:5557"
    assert container("worker")["args"][:2] == ["worker", "loadgate-master:5557"]
    assert policy["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": labels("worker")}}], "ports": [{"port": 5557}]}
    ]
    assert one("NetworkPolicy", "loadgate-worker") == {
        "podSelector": {"matchLabels": labels("worker")},
        "policyTypes": ["Ingress"],
    }


def test_no_two_workers_share_a_node():
    (term,) = pod("worker")["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]

    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"] == labels("worker")


def test_master_and_workers_read_the_same_bodies_at_the_same_path():
    (bodies,) = [each for each in objects() if each["kind"] == "ConfigMap"]
    source = {"name": "bodies", "configMap": {"name": bodies["metadata"]["name"]}}
    folder, _, file = after("--json", container("master")["args"]).rpartition("/")

    assert all(json.loads(line) for line in bodies["data"][file].splitlines())
    for role in SENDERS:
        assert source in pod(role)["volumes"]
        assert {"name": "bodies", "mountPath": f"/data/{folder}", "readOnly": True} in container(role)["volumeMounts"]


def test_the_reports_are_where_the_copier_looks_for_them():
    place = {"name": "reports", "persistentVolumeClaim": {"claimName": "loadgate-reports"}}

    assert one("PersistentVolumeClaim", "loadgate-reports")
    assert copier()["metadata"]["name"] == "loadgate-reports"
    for role in ("master", "reports"):
        assert place in pod(role)["volumes"]
        assert ("reports", "/data/reports") in {(m["name"], m["mountPath"]) for m in container(role)["volumeMounts"]}


@pytest.mark.parametrize("role", SENDERS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_our_command_line_takes_what_a_pod_says(folder: str, role: str):
    assert given(container(role, folder)["args"])


# What docs/deploying.md has people type


def typed() -> list[list[str]]:
    """Every command of the page's blocks, without the variables before it."""
    blocks = re.findall(r"```\n(.*?)```", (ROOT / "docs/deploying.md").read_text("utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    commands = (shlex.split(part, comments=True) for line in lines for part in re.split(r" && | \| ", line))
    return [list(dropwhile(lambda word: re.match("[A-Z_]+=", word), words)) for words in commands if words]


def parts(words: list[str]) -> tuple[list[str], list[str]]:
    """What a tool reads of a command, and what our command line in a container does."""
    for at, (container_of, command) in enumerate(pairwise(words)):
        if container_of in ("loadgate", "master") and command in COMMANDS:
            return words[:at], words[at + 1 :]
    return words, []


@pytest.mark.parametrize("words", [words for words in typed() if words[0] in ("docker", "kubectl")], ids=" ".join)
def test_each_command_of_the_page_is_one(words: list[str]):
    of_tool, ours = parts(words)

    if words[0] == "kubectl":
        assert "Usage" in said_by(*of_tool, "--help")
    elif words[1] == "compose":
        assert "Usage" in said_by("docker-compose", "-f", DEPLOY / "compose.yaml", *of_tool[4:], "--help")
    assert not ours or given(ours)
