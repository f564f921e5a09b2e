"""Short messages over Tencent Cloud: SendSms of 2021-01-11, requests signed by TC3-HMAC-SHA256, receipts by callback.

The provider gives ``SessionContext`` back but does not refuse a repetition by it, so whatever may have been taken
counts as ``unknown`` and is never handed over again.
Sources: Tencent Cloud API documents "Signature v3", "SendSms" and "SMS Sending Status Notification".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from docproc.canonical import JsonObject
from docproc.errors import InputError
from docproc.flow.messages.sms_templates import Message, Receipt, Sent, State

SERVICE, ACTION, VERSION = "sms", "SendSms", "2021-01-11"
CONTENT_TYPE = "application/json; charset=utf-8"
SIGNED = "content-type;host;x-tc-action"
TIMEOUT_SECONDS = 10.0
NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
PASSING = (
    "RequestLimitExceeded",
    "LimitExceeded",
    "ResourceInsufficient",
    "ResourceUnavailable",
    "AuthFailure",
    "UnauthorizedOperation",
    "FailedOperation.InsufficientBalanceInSmsPackage",
)
"""Codes of refusals that time or an administrator cures; ``LimitExceeded`` among them is a limit of one number."""
MOST_RECEIPTS = 1000


@dataclass(frozen=True, slots=True)
class TencentSms:
    """One application (``SmsSdkAppId``) of an account."""

    url: str
    region: str
    secret_id: str
    secret_key: str = field(repr=False)
    app_id: str
    sign_name: str

    def send(self, message: Message, at: datetime) -> Sent:
        """SendSms to one number."""
        body = json.dumps(
            {
                "PhoneNumberSet": [f"+86{message.mobile}"],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": message.template,
                "TemplateParamSet": list(message.params),
                "SessionContext": message.session,
            },
            ensure_ascii=False,
        ).encode()
        seconds, host = int(at.timestamp()), urlsplit(self.url).netloc
        headers = {
            "Authorization": authorization(self.secret_id, self.secret_key, SERVICE, ACTION, host, body, seconds),
            "Content-Type": CONTENT_TYPE,
            "Host": host,
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Timestamp": str(seconds),
            "X-TC-Region": self.region,
        }
        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
                answer = client.post(self.url, content=body, headers=headers)
        except NOT_CONNECTED as error:
            return Sent("put off", type(error).__name__)
        except httpx.HTTPError as error:
            return Sent("unknown", type(error).__name__)
        if answer.status_code != httpx.codes.OK:
            return Sent("unknown" if answer.status_code >= 500 else "put off", f"HTTP {answer.status_code}")
        try:
            return _outcome(answer.json()["Response"])
        except (ValueError, KeyError, TypeError, IndexError):
            return Sent("unknown", "unreadable answer")

    def receipts(self, body: object) -> list[Receipt]:
        """The array of states that the callback posts; numbers in it are left where they are."""
        try:
            if not isinstance(body, list) or len(body) > MOST_RECEIPTS:
                raise TypeError
            return [
                Receipt(
                    str(item["sid"])[:80],
                    str(item.get("ext") or "")[:80],
                    item["report_status"] == "SUCCESS",
                    str(item.get("errmsg") or "")[:80],
                )
                for item in body
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError("not an array of states", message_zh="回执格式不正确") from error


def authorization(
    secret_id: str,
    secret_key: str,
    service: str,
    action: str,
    host: str,
    body: bytes,
    seconds: int,
    content_type: str = CONTENT_TYPE,
) -> str:
    """The Authorization header of a POST to ``/`` under Signature v3.

    Args:
        secret_id: names the account.
        secret_key: its secret.
        service: product, ``sms``.
        action: what is called.
        host: the Host header.
        body: bytes that are posted.
        seconds: Unix time; the server takes five minutes of difference.
        content_type: the Content-Type header.
    """
    day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    named = f"content-type:{content_type.lower()}\nhost:{host}\nx-tc-action:{action.lower()}\n"
    canonical = "\n".join(("POST", "/", "", named, SIGNED, hashlib.sha256(body).hexdigest()))
    scope = f"{day}/{service}/tc3_request"
    signed = "\n".join(("TC3-HMAC-SHA256", str(seconds), scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    digest = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={SIGNED}, Signature={digest}"


def _outcome(response: JsonObject) -> Sent:
    if "Error" in response:
        code = str(response["Error"]["Code"])[:80]
        return Sent(_state(code), code)
    status = response["SendStatusSet"][0]
    if status["Code"] == "Ok":
        return Sent("accepted", "Ok", str(status["SerialNo"])[:80])
    code = str(status["Code"])[:80]
    return Sent(_state(code), code)


def _state(code: str) -> State:
    if code.startswith("InternalError"):
        return "unknown"  # among them time-outs on the way to the carrier
    return "put off" if code.startswith(PASSING) else "refused"
