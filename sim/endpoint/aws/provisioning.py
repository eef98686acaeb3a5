"""Devices in an account: a key made here, its certificate by AWS, a thing and a policy; changed, taken back, removed.

    provision   key, signing request, certificate, thing, policy; what stands already stays
    rotate      a new key and certificate, at work before the old one goes
    revoke      the certificate is taken back; AWS cuts a live session within minutes (API reference)
    cleanup     everything that the ledger says goes, and the files of keys with it

Each thing is noted in the ledger before it is made and after (see account_ledger). So whatever ends a run, the next
one or `cleanup` knows what may stand. Nothing that is not in the ledger is touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.endpoint.aws.account import DEFAULT
from sim.endpoint.aws.account_ledger import Entry, Ledger
from sim.endpoint.aws.control_plane import ControlPlane, Refused, said
from sim.endpoint.aws.fleet_policies import fleet_policies, policy_name
from sim.endpoint.port import EndpointError
from sim.pki import device_requests
from sim.pki.authority import PkiError

ATTRIBUTE: Final = "wmbench-ledger"  # of a thing: the mark of the ledger that it stands in
_NOT_THERE: Final = "ResourceNotFoundException"


@dataclass
class Provisioning:
    """Of one folder: `identities`/NAME.crt and .key, and its ledger. `prefix`: of the policies' names. `told(line)`
    hears of each step. Raises EndpointError; what was done by then stands in the ledger."""

    aws: ControlPlane
    ledger: Ledger
    identities: Path
    prefix: str = "wmbench"
    told: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self.ledger.check(self.aws.account, self.aws.region)

    # --- verbs ---------------------------------------------------------------------------------------------------

    def provision(self, name: str) -> None:
        """A device that connects under this name. Nothing happens where it stands already."""
        self._settle_doubts(name)
        current = self._current(name)
        self._drop_certificates(name, keep=current)  # of a run that ended before its key was in place
        if current is not None:
            self.told(f"{name}: stands already")
            return
        policy = self._policy(name)
        self._thing(name)
        self._put_in_place(name, self._certificate(name, policy))
        self.told(f"{name}: key made here, certificate, thing and policy {policy}")

    def rotate(self, name: str) -> None:
        """A new key and certificate. The old one goes when the new one is in its file."""
        self._settle_doubts(name)
        old = self._current(name)
        if old is None:
            raise EndpointError(f"{name} has no certificate here to be renewed; `./wmbench aws provision {name}` first")
        self._drop_certificates(name, keep=old)
        made = self._certificate(name, self._policy(name))
        self._put_in_place(name, made)
        self._drop_certificates(name, keep=made[0])
        self.told(f"{name}: a new key and certificate; the old certificate is gone")

    def revoke(self, name: str) -> None:
        """Its certificates are good for no session any more. They stand until `cleanup`."""
        found = [one for one in self.ledger.standing("certificate", name) if one.id]
        if not found:
            raise EndpointError(f"{name} has no certificate in {self.ledger.place}; nothing to take back")
        for one in found:
            said(
                f"revoke the certificate of {name}",
                self.aws.calls.update_certificate, certificateId=one.id, newStatus="REVOKED",
            )  # fmt: skip
        self.told(f"{name}: revoked; a live session ends within minutes")

    def cleanup(self) -> list[str]:
        """Everything goes; the reasons why something did not, empty when nothing is left."""
        left: list[str] = []
        removers: Mapping[str, Callable[[Entry], None]] = {
            "certificate": self._remove_certificate, "thing": self._remove_thing, "policy": self._remove_policy,
        }  # fmt: skip
        for kind, remove in removers.items():  # a thing or policy goes when no certificate holds it
            for one in self.ledger.standing(kind):
                try:
                    remove(one)
                    self.told(f"{kind} {one.name}: gone")
                except EndpointError as error:
                    left.append(f"{kind} {one.name}{' ' + one.id if one.id else ''}: {error}")
        return left

    # --- making --------------------------------------------------------------------------------------------------

    def _policy(self, name: str) -> str:
        """The name of the policy for this device, made at its first use."""
        documents = fleet_policies(arn=self.aws.arn)
        kind = name if name in documents else DEFAULT
        policy = policy_name(kind, self.prefix)
        if not any(not one.doubt for one in self.ledger.standing("policy", policy)):
            text = json.dumps(documents[kind][0])
            self.ledger.intends("policy", policy)
            try:
                said(f"create policy {policy}", self.aws.calls.create_policy, policyName=policy, policyDocument=text)
            except Refused as refused:
                self._not_ours("policy", policy, refused)
                raise
            self.ledger.made("policy", policy)
        return policy

    def _thing(self, name: str) -> None:
        if any(not one.doubt for one in self.ledger.standing("thing", name)):
            return
        calls = self.aws.calls
        if self._mark_of_thing(name) not in (None, self.ledger.mark):
            raise EndpointError(
                f"thing {name} is there already and is not ours; take another name, or remove it yourself"
            )
        self.ledger.intends("thing", name)
        try:
            said(
                f"create thing {name}", calls.create_thing,
                thingName=name, attributePayload={"attributes": {ATTRIBUTE: self.ledger.mark}},
            )  # fmt: skip
        except Refused as refused:
            self._not_ours("thing", name, refused)
            raise
        self.ledger.made("thing", name)

    def _mark_of_thing(self, name: str) -> str | None:
        """Of the thing of this name in the account, empty where it has none of ours; None: there is no such thing."""
        try:
            found = said(f"look at thing {name}", self.aws.calls.describe_thing, thingName=name)
        except Refused as refused:
            if refused.code != _NOT_THERE:
                raise
            return None
        return str(found.get("attributes", {}).get(ATTRIBUTE, ""))

    def _not_ours(self, kind: str, name: str, refused: Refused) -> None:
        """Of what AWS said no to in words, nothing stands that we made; without an answer it may."""
        if refused.code:
            self.ledger.gone(Entry(kind, name))

    def _certificate(self, name: str, policy: str) -> tuple[Entry, bytes]:
        """Active, and attached to thing and policy. Its key waits in NAME.key.new."""
        try:
            request = device_requests.new_request(self._new_key(name), name)
        except PkiError as error:
            raise EndpointError(str(error)) from None
        key, calls = device_requests.key_of_request(request), self.aws.calls
        self.ledger.intends("certificate", name, key)
        try:
            answer = said(
                f"have a certificate made for {name}", calls.create_certificate_from_csr,
                certificateSigningRequest=request.decode(), setAsActive=True,
            )  # fmt: skip
        except Refused as refused:
            if refused.code:
                self.ledger.gone(Entry("certificate", name, key))
            raise
        made = self.ledger.made(
            "certificate", name, key, id=str(answer["certificateId"]), arn=str(answer["certificateArn"])
        )
        pem = str(answer["certificatePem"]).encode()
        if device_requests.key_of_certificate(pem) != key:
            self._remove_certificate(made)
            raise EndpointError(f"the certificate that came for {name} is for another key; it was removed again")
        said(
            f"attach the certificate of {name} to its thing", calls.attach_thing_principal,
            thingName=name, principal=made.arn,
        )  # fmt: skip
        said(
            f"attach policy {policy} to the certificate of {name}", calls.attach_policy,
            policyName=policy, target=made.arn,
        )  # fmt: skip
        return made, pem

    # --- files ---------------------------------------------------------------------------------------------------

    def _new_key(self, name: str) -> Path:
        return self.identities / f"{name}.key.new"

    def _put_in_place(self, name: str, made: tuple[Entry, bytes]) -> None:
        """A crash between the two files leaves a pair that does not fit, which `_current` sees."""
        try:
            fresh = self.identities / f"{name}.crt.new"
            fresh.write_bytes(made[1])
            os.replace(self._new_key(name), self.identities / f"{name}.key")
            os.replace(fresh, self.identities / f"{name}.crt")
        except OSError as error:
            raise EndpointError(
                f"cannot write the certificate of {name}: {error.strerror}; say `rotate` again when there is space"
            ) from None

    def _current(self, name: str) -> Entry | None:
        """The ledger's certificate that NAME.crt holds; None where NAME.key is not its key (a crash between the
        two)."""
        file, key_file = self.identities / f"{name}.crt", self.identities / f"{name}.key"
        if not file.exists() or not key_file.exists():
            return None
        try:
            key = device_requests.key_of_certificate(file.read_bytes())
            if device_requests.key_of_private(key_file.read_bytes()) != key:
                return None
        except (OSError, PkiError) as error:
            raise EndpointError(f"{file}: {error}; remove it, and provision {name} again") from None
        return next((one for one in self.ledger.standing("certificate", name) if one.key == key and one.id), None)

    # --- removing ------------------------------------------------------------------------------------------------

    def _settle_doubts(self, name: str) -> None:
        """What a run before intended and did not come to note: it goes, and is made anew."""
        doubts = [one for one in self.ledger.standing() if one.doubt and (one.name == name or one.kind == "policy")]
        removers = {"certificate": self._remove_certificate, "thing": self._remove_thing, "policy": self._remove_policy}
        for one in sorted(doubts, key=lambda one: list(removers).index(one.kind)):
            removers[one.kind](one)

    def _drop_certificates(self, name: str, keep: Entry | None) -> None:
        for one in self.ledger.standing("certificate", name):
            if one != keep:
                self._remove_certificate(one)

    def _remove_certificate(self, entry: Entry) -> None:
        calls, of = self.aws.calls, f"the certificate of {entry.name}"
        identifier, arn = (entry.id, entry.arn) if entry.id else self._find(entry)
        if identifier:
            try:
                policies = said(f"list the policies of {of}", calls.list_attached_policies, target=arn)["policies"]
                for one in policies:
                    said(f"detach a policy from {of}", calls.detach_policy, policyName=one["policyName"], target=arn)
                for thing in said(f"list the things of {of}", calls.list_principal_things, principal=arn)["things"]:
                    said(f"detach {of}", calls.detach_thing_principal, thingName=thing, principal=arn)
                said(f"take {of} out of use", calls.update_certificate, certificateId=identifier, newStatus="INACTIVE")
                said(f"delete {of}", calls.delete_certificate, certificateId=identifier, forceDelete=True)
            except Refused as refused:
                if refused.code != _NOT_THERE:
                    raise
        self._forget_files(entry)
        self.ledger.gone(entry)

    def _forget_files(self, entry: Entry) -> None:
        """The key of a certificate that is gone is good for nothing but being found."""
        pair = [self.identities / f"{entry.name}.crt", self.identities / f"{entry.name}.key"]
        try:
            if pair[0].exists() and device_requests.key_of_certificate(pair[0].read_bytes()) == entry.key:
                for one in pair:
                    one.unlink(missing_ok=True)
            self._new_key(entry.name).unlink(missing_ok=True)
        except (OSError, PkiError) as error:
            raise EndpointError(f"cannot remove the files of {entry.name}: {error}") from None

    def _find(self, entry: Entry) -> tuple[str, str]:
        """(id, ARN) of a certificate that may have been made for this key; empty when none was."""
        calls, marker = self.aws.calls, ""
        while True:
            page = said(
                "list the account's certificates", calls.list_certificates,
                pageSize=100, **({"marker": marker} if marker else {}),
            )  # fmt: skip
            for one in page["certificates"]:
                found = said("look at a certificate", calls.describe_certificate, certificateId=one["certificateId"])
                described: dict[str, Any] = found["certificateDescription"]
                if device_requests.key_of_certificate(described["certificatePem"].encode()) == entry.key:
                    return str(described["certificateId"]), str(described["certificateArn"])
            marker = str(page.get("nextMarker") or "")
            if not marker:
                return "", ""

    def _remove_thing(self, entry: Entry) -> None:
        try:
            if self._mark_of_thing(entry.name) == self.ledger.mark:  # else it is gone, or another's of the same name
                said(f"delete thing {entry.name}", self.aws.calls.delete_thing, thingName=entry.name)
        except Refused as refused:
            if refused.code != _NOT_THERE:
                raise
        self.ledger.gone(entry)

    def _remove_policy(self, entry: Entry) -> None:
        calls = self.aws.calls
        try:
            if entry.doubt:
                found = said(f"look at policy {entry.name}", calls.get_policy, policyName=entry.name)
                ours = [one for many in fleet_policies(arn=self.aws.arn).values() for one in many]
                if json.loads(found["policyDocument"]) not in ours:  # another's of the same name
                    self.ledger.gone(entry)
                    return
            said(f"delete policy {entry.name}", calls.delete_policy, policyName=entry.name)
        except Refused as refused:
            if refused.code != _NOT_THERE:
                raise
        self.ledger.gone(entry)
