"""A control room that shares no code with Alcove: a plain grpcio client, generated from proto/ when it runs.

    control_room.py PROTO_DIR INTAKE_ADDRESS FORCE INCIDENT_NUMBER IDENTITY

Opens a call, triages it, records consent, asks for the desk, and prints every update of WatchCall as a JSON line, the
call's id first, until the call is sealed: over as many broken connections as there are. Then says how bad input was
answered. IDENTITY is a folder with the control room's certificate.pem and key.pem, and roots.pem, who signs Alcove's own.
"""

import atexit
import json
import shutil
import sys
import tempfile
import time
import uuid
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path

import grpc
from grpc_tools import protoc
from google.rpc import error_details_pb2, status_pb2


def generate(protos: str) -> None:
    """Makes the Python bindings in a scratch folder, and makes them importable."""
    out = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, out)
    files = [f"{protos}/alcove/intake/v1/{name}.proto" for name in ("service", "events")]
    include = str(Path(protoc.__file__).parent / "_proto")
    if protoc.main(["protoc", f"-I{protos}", f"-I{include}", f"--python_out={out}", f"--grpc_python_out={out}", *files]):
        sys.exit("protoc failed")
    sys.path.insert(0, out)


def connect(address: str, identity: str) -> grpc.Channel:
    file = lambda name: (Path(identity) / name).read_bytes()
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(file("roots.pem"), file("key.pem"), file("certificate.pem")))


def pauses():
    """How long to wait before trying again, in seconds: ever longer."""
    wait = 0.25
    while True:
        yield wait
        wait = min(2 * wait, 10)


# Nobody answered: Alcove or the network is away.
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def surely(rpc, request):
    """Does it until it is answered: the request carries its id, so that it is done once. A refusal is an answer."""
    for wait in pauses():
        try:
            return rpc(request, timeout=10)
        except grpc.RpcError as error:
            if error.code() not in AWAY:
                raise
            time.sleep(wait)


def watch(rpc, request):
    """Every update once, in order, though the stream breaks."""
    waits = pauses()
    while True:
        try:
            for update in rpc(request):
                yield update
                request.after_sequence = update.sequence
                waits = pauses()
            return
        except grpc.RpcError as error:
            if error.code() not in AWAY:
                raise
            time.sleep(next(waits))


def say(**what) -> None:
    print(json.dumps(what), flush=True)


def reason(error: grpc.RpcError) -> str:
    """The machine-readable reason, from the standard error details."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


def main() -> None:
    protos, address, force, number, identity = sys.argv[1:]
    generate(protos)
    v1 = import_module("alcove.intake.v1.service_pb2")
    rpc = import_module("alcove.intake.v1.service_pb2_grpc")
    intake = rpc.IntakeServiceStub(connect(address, identity))

    def request_id() -> str:
        return str(uuid.uuid4())

    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    opened = surely(intake.OpenCall, v1.OpenCallRequest(
        request_id=request_id(), force_id=force, line=v1.LINE_101, incident=v1.Incident(date=today, number=number)))
    call = {"force_id": force, "call_id": opened.call_id}
    triage = surely(intake.RecordTriage, v1.RecordTriageRequest(
        request_id=request_id(), thrive=v1.Thrive(threat="none now"), device_safety=v1.DeviceSafety(),
        can_join=True, risk=v1.RISK_GRADE_MEDIUM, language="en", **call))
    if not triage.eligibility.eligible:
        sys.exit(f"not eligible: {triage.eligibility.reason}")
    kinds = (v1.CONSENT_KIND_VIDEO, v1.CONSENT_KIND_RECORDING)
    surely(intake.RecordConsent, v1.RecordConsentRequest(
        request_id=request_id(), taken_by="CH-22",
        consents=[v1.Consent(kind=kind, given=True, how="spoken on the 101 line") for kind in kinds], **call))
    surely(intake.RequestTransfer, v1.RequestTransferRequest(request_id=request_id(), **call))
    say(call_id=opened.call_id)

    for update in watch(intake.WatchCall, v1.WatchCallRequest(**call)):
        say(sequence=update.sequence, kind=update.update.WhichOneof("kind"))

    try:
        intake.GetCall(v1.GetCallRequest(force_id=force, call_id=str(uuid.uuid4())), timeout=10)
    except grpc.RpcError as error:
        say(refused=error.code().name, reason=reason(error))


if __name__ == "__main__":
    main()
