"""A small short message service on loopback that speaks as Tencent Cloud does: signature, errors, receipts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_ID, SECRET_KEY, APP_ID, SIGN = "sample-id", "sample-key", "1400000000", "样例政务"
RECEIPT_SECRET = "a-sample-word-at-the-end-of-the-address"
TEMPLATES = {"accepted": "1001", "returned": "1002", "decided": "1003", "issued": "1004", "overdue": "1005"}
DROP = "drop"
"""Take the message and hang up without an answer."""


def settings_of(url: str) -> dict[str, str]:
    """The settings that a service needs for it, without their prefix."""
    return {
        "sms_provider": "tencent",
        "sms_url": url,
        "sms_secret_id": SECRET_ID,
        "sms_secret_key": SECRET_KEY,
        "sms_app_id": APP_ID,
        "sms_sign_name": SIGN,
        "sms_templates": ",".join(f"{kind}={value}" for kind, value in TEMPLATES.items()),
        "sms_receipt_secret": RECEIPT_SECRET,
    }


@dataclass(slots=True)
class Tencent:
    """What it was sent, and how it answers next."""

    url: str = ""
    answers: deque[str | int] = field(default_factory=deque)
    """Codes of errors (``number:CODE`` for that of one number), HTTP statuses, or :data:`DROP`; empty: all is well."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    """Messages that a carrier would send."""
    calls: int = 0
    on_taken: Callable[[], None] = lambda: None

    def about(self, number: str) -> list[str]:
        """Templates of the messages about an application."""
        return [item["TemplateId"] for item in self.taken if number in item["TemplateParamSet"]]

    def serial(self, place: int) -> str:
        return f"sample-serial-{place}"

    def receipt(self, place: int, *, status: str = "SUCCESS", word: str = "DELIVRD", **extra: str) -> dict[str, str]:
        """As it is posted for a message that was taken; ``place`` is its index."""
        number = self.taken[place]["PhoneNumberSet"][0]
        return {
            "user_receive_time": "2026-11-25 08:03:04",
            "nationcode": "86",
            "mobile": number.removeprefix("+86"),
            "report_status": status,
            "errmsg": word,
            "description": "样例",
            "sid": self.serial(place),
            **extra,
        }

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]] | None:
        self.calls += 1
        wrong = _wrong(headers, body)
        if wrong:
            return 200, _error(wrong)
        order = self.answers.popleft() if self.answers else ""
        if isinstance(order, int):
            return order, {}
        kind, _, code = order.rpartition(":")
        if kind == "number":
            return 200, {"Response": {"SendStatusSet": [{"SerialNo": "", "Code": code, "SessionContext": ""}]}}
        if code and code != DROP:
            return 200, _error(code)
        message = json.loads(body)
        self.taken.append(message)
        self.on_taken()
        if code == DROP:
            return None
        status = {
            "SerialNo": self.serial(len(self.taken) - 1),
            "PhoneNumber": message["PhoneNumberSet"][0],
            "Fee": 1,
            "SessionContext": message["SessionContext"],
            "Code": "Ok",
            "Message": "send success",
            "IsoCode": "CN",
        }
        return 200, {"Response": {"SendStatusSet": [status], "RequestId": "sample"}}


@contextmanager
def serve() -> Iterator[Tencent]:
    """Run it on a free port."""
    state = Tencent()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = state.answer({k.lower(): v for k, v in self.headers.items()}, body)
            if answer is None:
                self.close_connection = True
                return
            status, shown = answer
            data = json.dumps(shown, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _error(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "样例"}, "RequestId": "sample"}}


def _wrong(headers: dict[str, str], body: bytes) -> str:
    """Code of what is wrong with a request's signature, step by step as the document has it."""
    seconds = headers["x-tc-timestamp"]
    day = datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    shape = r"TC3-HMAC-SHA256 Credential=(\S+)/(\S+)/sms/tc3_request, SignedHeaders=(\S+), Signature=([0-9a-f]{64})"
    given = re.fullmatch(shape, headers["authorization"])
    if given is None or given[1] != SECRET_ID or given[2] != day:
        return "AuthFailure.SignatureFailure"
    names = given[3].split(";")
    if not {"content-type", "host"} <= set(names) or names != sorted(names):
        return "AuthFailure.SignatureFailure"
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    request = f"POST\n/\n\n{lines}\n{given[3]}\n{hashlib.sha256(body).hexdigest()}"
    asked = f"TC3-HMAC-SHA256\n{seconds}\n{day}/sms/tc3_request\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = ("TC3" + SECRET_KEY).encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if hmac.digest(key, asked.encode(), "sha256").hex() != given[4]:
        return "AuthFailure.SignatureFailure"
    if (headers["x-tc-action"], headers["x-tc-version"]) != ("SendSms", "2021-01-11"):
        return "InvalidAction"
    message = json.loads(body)
    told = (message["SmsSdkAppId"], message["SignName"])
    return "" if told == (APP_ID, SIGN) else "FailedOperation.SignatureIncorrectOrUnapproved"
