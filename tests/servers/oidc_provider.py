"""A small real OpenID Connect provider, its own process: discovery, keys, code flow with PKCE, ID tokens.

``python -m tests.servers.oidc_provider PORT_FILE CLIENT_ID CLIENT_SECRET REDIRECT_URI``. People sign in by their name
alone; ``NAME:GROUP,GROUP`` gives them groups, and ``NAME:GROUPS:SPOIL`` an ID token in which one thing is wrong.
"""

from __future__ import annotations

import html
import json
import secrets
import sys
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}, private=True)
STRANGER = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}, private=True)
SPOILS: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "aud": {"aud": ["somebody-else"]},
    "iss": {"iss": "http://127.0.0.1:9"},
    "expired": {"exp": 1},
    "acr": {"acr": "password-only"},
}


@dataclass
class Client:
    client_id: str
    secret: str
    redirect_uri: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    user: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    auth_time: int

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str:
        return "two-factors"

    def get_amr(self) -> list[str]:
        return ["pwd", "otp"]


CODES: dict[str, Code] = {}


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: Any) -> None:
        sent = request.payload.data
        CODES[code] = Code(
            request.user,
            request.payload.redirect_uri,
            request.payload.scope,
            sent.get("nonce", ""),
            sent.get("code_challenge", ""),
            sent.get("code_challenge_method", ""),
            int(time.time()),
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        for code, item in list(CODES.items()):
            if item is authorization_code:
                del CODES[code]

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.user


class Tokens(OpenIDCode):  # type: ignore[misc]
    def __init__(self, issuer: str, secret: str) -> None:
        super().__init__(require_nonce=True)
        self.issuer, self.secret = issuer, secret

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return any(item.nonce == nonce for item in CODES.values())

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.issuer, "aud": [client.client_id]}

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return KEY

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": "first"}

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        name, groups, spoil = (*user.split(":"), "", "")[:3]
        told = UserInfo(sub=f"id-of-{name}", preferred_username=name, name=f"{name}（样例）", groups=groups.split(","))
        told.update(SPOILS.get(spoil, {}))
        return told

    def encode_id_token(self, token: Any, request: Any) -> str:
        good = str(super().encode_id_token(token, request))
        spoil = request.user.split(":")[2] if request.user.count(":") == 2 else ""
        if spoil == "key":
            return jwt.encode({"alg": "RS256", "kid": "first"}, jwt.decode(good, KEY).claims, STRANGER)
        if spoil == "shared":
            return jwt.encode({"alg": "HS256"}, jwt.decode(good, KEY).claims, OctKey.import_key(self.secret))
        return good


class Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, client: Client, issuer: str) -> None:
        super().__init__(scopes_supported=["openid", "profile"])
        self.client = client
        self.register_token_generator("default", BearerTokenGenerator(lambda *a, **k: secrets.token_urlsafe(24)))
        self.register_grant(CodeGrant, [CodeChallenge(required=True), Tokens(issuer, client.secret)])

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == self.client.client_id else None

    def save_token(self, token: Any, request: Any) -> None:
        """No resource is behind the tokens."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers


class Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, method: str, uri: str, sent: dict[str, str], headers: Any) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload, self._sent = BasicOAuth2Payload(sent), sent

    @property
    def args(self) -> dict[str, str]:
        return self._sent

    @property
    def form(self) -> dict[str, str]:
        return self._sent


FORM = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<title>样例身份认证</title><link rel="icon" href="data:,">
<main><h1>样例身份认证</h1><form method="post" action="/authorize">{hidden}
<label>登录名 <input name="user" autofocus></label><button>登录</button></form></main></html>"""


def serve(port_file: Path, client_id: str, secret: str, redirect_uri: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, sent = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
            if path == "/.well-known/openid-configuration":
                self.say(200, about(), [])
            elif path == "/keys":
                self.say(200, {"keys": [KEY.as_dict(private=False)]}, [])
            elif path == "/authorize":
                request = Request("GET", issuer + self.path, sent, self.headers)
                provider.get_consent_grant(request)
                hidden = "".join(f'<input type="hidden" name="{k}" value="{html.escape(v)}">' for k, v in sent.items())
                self.say(200, FORM.replace("{hidden}", hidden), [])
            else:
                self.say(404, {}, [])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            sent = dict(parse_qsl(body))
            request = Request("POST", issuer + self.path, sent, self.headers)
            if self.path == "/token":
                self.say(*provider.create_token_response(request))
                return
            user = sent.pop("user")
            request = Request("GET", issuer + self.path, sent, self.headers)
            request.user = user
            grant = provider.get_consent_grant(request, user)
            self.say(*provider.create_authorization_response(request, grant_user=user, grant=grant))

        def say(self, status: int, body: Any, headers: Any) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            given = {"Content-Type": "text/html" if isinstance(body, str) else "application/json", **dict(headers)}
            for name, value in given.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    provider = Server(Client(client_id, secret, redirect_uri), issuer)

    def about() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    waiting = port_file.with_suffix(".new")
    waiting.write_text(issuer)
    waiting.rename(port_file)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), *sys.argv[2:])
