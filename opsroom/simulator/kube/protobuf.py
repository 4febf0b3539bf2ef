"""Reads the protobuf bodies that kubectl sends, for the few messages it builds itself.

kubectl posts reviews, namespaces, ConfigMaps, Deployments and evictions as `application/vnd.kubernetes.protobuf`;
answers may be JSON, because its Accept header takes both. Field numbers: the generated.proto files of K8S
staging/src/k8s.io/{apimachinery,api}. Fields that are not in the tables are skipped; an unknown kind is refused.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.failures import ApiError, unsupported_media_type
from opsroom.simulator.kube.versions import Obj

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

# message → {field number: (JSON name, type)}. Types: str, int, bool, a message's name; "*" before one: repeated;
# "map": string to string.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "Unknown": {1: ("typeMeta", "TypeMeta"), 2: ("raw", "bytes")},
    "TypeMeta": {1: ("apiVersion", "str"), 2: ("kind", "str")},
    "ObjectMeta": {
        1: ("name", "str"),
        2: ("generateName", "str"),
        3: ("namespace", "str"),
        5: ("uid", "str"),
        6: ("resourceVersion", "str"),
        11: ("labels", "map"),
        12: ("annotations", "map"),
        14: ("finalizers", "*str"),
    },
    "SelfSubjectAccessReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "AccessSpec")},
    "AccessSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "PathAttributes")},
    "ResourceAttributes": {
        1: ("namespace", "str"),
        2: ("verb", "str"),
        3: ("group", "str"),
        4: ("version", "str"),
        5: ("resource", "str"),
        6: ("subresource", "str"),
        7: ("name", "str"),
    },
    "PathAttributes": {1: ("path", "str"), 2: ("verb", "str")},
    "SelfSubjectRulesReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "RulesSpec")},
    "RulesSpec": {1: ("namespace", "str")},
    "SelfSubjectReview": {1: ("metadata", "ObjectMeta")},
    "Namespace": {1: ("metadata", "ObjectMeta")},
    "ServiceAccount": {1: ("metadata", "ObjectMeta")},
    "ConfigMap": {1: ("metadata", "ObjectMeta"), 2: ("data", "map"), 4: ("immutable", "bool")},
    "Eviction": {1: ("metadata", "ObjectMeta"), 2: ("deleteOptions", "DeleteOptions")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "int"),
        2: ("preconditions", "Preconditions"),
        4: ("propagationPolicy", "str"),
        5: ("dryRun", "*str"),
    },
    "Preconditions": {1: ("uid", "str"), 2: ("resourceVersion", "str")},
    "Scale": {1: ("metadata", "ObjectMeta"), 2: ("spec", "ScaleSpec")},
    "ScaleSpec": {1: ("replicas", "int")},
    "Deployment": {1: ("metadata", "ObjectMeta"), 2: ("spec", "DeploymentSpec")},
    "DeploymentSpec": {
        1: ("replicas", "int"),
        2: ("selector", "LabelSelector"),
        3: ("template", "PodTemplateSpec"),
        5: ("minReadySeconds", "int"),
        6: ("revisionHistoryLimit", "int"),
        7: ("paused", "bool"),
        9: ("progressDeadlineSeconds", "int"),
    },
    "LabelSelector": {1: ("matchLabels", "map")},
    "PodTemplateSpec": {1: ("metadata", "ObjectMeta"), 2: ("spec", "PodSpec")},
    "PodSpec": {2: ("containers", "*Container"), 3: ("restartPolicy", "str")},
    "Container": {
        1: ("name", "str"),
        2: ("image", "str"),
        3: ("command", "*str"),
        4: ("args", "*str"),
        6: ("ports", "*ContainerPort"),
        7: ("env", "*EnvVar"),
    },
    "ContainerPort": {1: ("name", "str"), 3: ("containerPort", "int"), 4: ("protocol", "str")},
    "EnvVar": {1: ("name", "str"), 2: ("value", "str")},
}
_ROOTS = frozenset(
    {"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SelfSubjectReview", "Namespace", "ServiceAccount"}
    | {"ConfigMap", "Eviction", "Scale", "Deployment", "DeleteOptions"}
)


def decode_protobuf(body: bytes) -> Obj:
    """The object in a protobuf body. Raises ApiError 415 for what is not in the tables."""
    if not body.startswith(_MAGIC):
        raise _refused()
    try:
        envelope = _message(body[len(_MAGIC) :], "Unknown")
        kind = envelope["typeMeta"]["kind"]
        if kind not in _ROOTS:
            raise _refused()
        return {**envelope["typeMeta"], **_message(envelope.get("raw", b""), kind)}
    except (IndexError, KeyError, UnicodeDecodeError):
        raise _refused() from None


def _refused() -> ApiError:
    return unsupported_media_type(["application/json", "application/yaml"])


def _message(data: bytes, name: str) -> dict[str, Any]:
    known, found = _MESSAGES[name], dict[str, Any]()
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire, field = tag & 7, tag >> 3
        value: int | bytes
        if wire == 0:
            value, at = _varint(data, at)
        else:
            size, at = (8, at) if wire == 1 else (4, at) if wire == 5 else _varint(data, at)
            value, at = data[at : at + size], at + size
        if field in known:
            _put(found, *known[field], value)
    return found


def _put(found: dict[str, Any], name: str, type_: str, value: int | bytes) -> None:
    if type_.startswith("*"):
        found.setdefault(name, []).append(_value(type_[1:], value))
    elif type_ == "map":
        found.setdefault(name, {}).update([_pair(value)])
    elif (read := _value(type_, value)) != "":
        # Go writes empty strings out; an object without the field means the same.
        found[name] = read


def _pair(value: int | bytes) -> tuple[str, str]:
    found = ["", ""]
    data, at = bytes(value) if isinstance(value, bytes) else b"", 0
    while at < len(data):
        tag, at = _varint(data, at)
        size, at = _varint(data, at)
        found[(tag >> 3) - 1] = data[at : at + size].decode()
        at += size
    return found[0], found[1]


def _value(type_: str, value: int | bytes) -> Any:
    if isinstance(value, int):
        return bool(value) if type_ == "bool" else value
    if type_ == "bytes":
        return value
    return value.decode() if type_ == "str" else _message(value, type_)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        result |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return result, at
