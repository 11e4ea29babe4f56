"""A small OpenID provider on loopback: real keys, real tokens, PKCE; each test may bend one thing.

It is written with joserfc and Starlette alone, so that both sides of the protocol do not share
their mistakes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "vpd"
SECRET = "a secret with / and + and :"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Provider:
    """An issuer.  What is public may be changed by a test; `reset` puts it right again."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.requests: list[str] = []
        self.keys = [self._key()]
        self.reset()

    def reset(self) -> None:
        self.claims: dict[str, Any] = {
            "email": "ann@example.org",
            "email_verified": True,
            "groups": ["labellers"],
        }
        self.document: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.answer: dict[str, str] = {}
        """Changes of what the browser brings back."""
        self.way = "RS256"
        self.wait = 0.0
        self.codes: dict[str, dict[str, str]] = {}
        self.requests.clear()

    @staticmethod
    def _key() -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    def rotate(self) -> None:
        self.keys = [self._key()]

    def token(self, nonce: str) -> str:
        now = int(time.time())
        plain = {
            "iss": self.issuer,
            "sub": "1234",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
        }
        claims = {key: value for key, value in (plain | self.claims).items() if value is not None}
        if self.way == "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.way == "HS256":  # signed with the public key, which everybody knows
            head = f"{_part({'alg': 'HS256', 'kid': self.keys[0].kid})}.{_part(claims)}"
            mark = hmac.digest(self.keys[0].as_pem(private=False), head.encode(), "sha256")
            return f"{head}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
        key = self._key() if self.way == "stranger" else self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": self.keys[0].kid}, claims, key)

    # --- what is asked of it

    async def configuration(self, request: Request) -> Response:
        self.requests.append("configuration")
        time.sleep(self.wait)
        return JSONResponse(
            {
                "issuer": self.issuer,
                **{
                    f"{name}_endpoint": f"{self.issuer}/{name}"
                    for name in ("authorization", "token", "userinfo")
                },
                "jwks_uri": f"{self.issuer}/jwks",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "timeout": 0.000001,
                "verify": False,
            }
            | self.document
        )

    async def jwks(self, request: Request) -> Response:
        self.requests.append("jwks")
        return JSONResponse(KeySet(self.keys).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        self.requests.append("authorize")
        query = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer} | self.answer
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 302)

    async def exchange(self, request: Request) -> Response:
        self.requests.append("token")
        kind, _, pair = request.headers.get("authorization", "").partition(" ")
        form = await request.form()
        if kind != "Basic" or base64.b64decode(pair).decode() != f"{CLIENT}:{SECRET}":
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(str(form["code"]), None)  # a code serves once
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if (
            asked["code_challenge_method"] != "S256"
            or base64.urlsafe_b64encode(digest).decode().rstrip("=") != (asked["code_challenge"])
        ):
            return JSONResponse({"error": "invalid_grant", "error_description": "PKCE"}, 400)
        token = {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if self.way != "missing":
            token["id_token"] = self.token(asked["nonce"])
        return JSONResponse(token)

    async def userinfo(self, request: Request) -> Response:
        self.requests.append("userinfo")
        return JSONResponse({"sub": "1234"} | self.info)


@contextmanager
def provider() -> Iterator[Provider]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    issuer = Provider(f"http://127.0.0.1:{port}")
    routes = [
        Route("/.well-known/openid-configuration", issuer.configuration),
        Route("/jwks", issuer.jwks),
        Route("/authorization", issuer.authorize),
        Route("/token", issuer.exchange, methods=["POST"]),
        Route("/userinfo", issuer.userinfo),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join(10)
