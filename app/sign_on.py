"""Signing in at an OpenID Connect provider: the journey there and back, and the role.

The Authorization Code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC
9207). Authlib builds the requests and checks the id token: signature against the provider's keys,
issuer, audience, expiry, nonce.  Nothing is asked of the provider before somebody signs in, and
every request to it has a time limit.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import StarletteIntegration, StarletteOAuth2App
from fastapi import Request, Response
from joserfc.errors import JoseError

from app.guard import LOOPBACK
from app.people import SIGN_ON_COOKIE, Forbidden, Person, SignOnProblem
from app.sign_on_settings import SignOnSettings, check_public_url, is_safe
from workbench.records import ROLES, Role

CALLBACK = "/login/callback"
"""Where the provider sends people back to; register it there behind the server's address."""
MINUTES = 10
"""A journey to the provider and back takes at most so long."""
PENDING = 1000
"""Journeys under way at once; beyond that the oldest is forgotten."""
SECONDS = 10.0
"""The provider's time for one answer."""
LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
REFRESH = 3600
"""Seconds until the provider's addresses and keys are read again; unknown keys are read at once."""

_SIGNATURES = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
"""Signatures by a private key.  Never `none`, and never one by a secret that others know."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
_NAME = re.compile(r"[\w.@+-]{1,80}")


class _Provider(StarletteOAuth2App):  # type: ignore[misc]
    """Authlib's client, which keeps of the provider's own document only what was checked."""

    issuer = ""

    async def load_server_metadata(self) -> dict[str, Any]:
        if time.time() - self.server_metadata.get("_loaded_at", 0) > REFRESH:
            self.server_metadata.clear()
        if "_loaded_at" not in self.server_metadata:
            document = dict(await super().load_server_metadata())
            # Authlib keeps the document before anybody could check it.
            self.server_metadata.clear()
            self.server_metadata.update(self._checked(document))
        return cast(dict[str, Any], self.server_metadata)

    def _checked(self, document: Mapping[str, Any]) -> dict[str, Any]:
        if document.get("issuer") != self.issuer:
            raise SignOnProblem(
                f"The sign-on is set up for {self.issuer}, but the provider there calls itself "
                f"{str(document.get('issuer'))[:200]}. Whoever runs this server has to correct the "
                "issuer.",
                502,
            )
        addresses = {key: document[key] for key in _ENDPOINTS if key in document}
        if not all(map(is_safe, addresses.values())) or not addresses.keys() >= set(_ENDPOINTS[:3]):
            raise SignOnProblem(
                "The provider lacks an address that can be reached safely; nobody can sign in.", 502
            )
        offered = document.get("id_token_signing_alg_values_supported") or ["RS256"]
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        kept = {
            "issuer": self.issuer,
            "_loaded_at": document["_loaded_at"],
            "id_token_signing_alg_values_supported": [
                name for name in _SIGNATURES if name in offered
            ],
            **addresses,
        }
        if self.client_secret and "client_secret_basic" not in methods:
            kept["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105
        return kept


class SignOn:
    """One provider, and the journeys there that are under way.

    Args:
        settings: who the provider is and which roles people get.
        public_url: this server's own address; empty where it is reached on this machine alone.

    Raises:
        InputError: the client's secret is not where the settings say.
    """

    def __init__(self, settings: SignOnSettings, public_url: str = "") -> None:
        self.settings = settings
        self.public_url = check_public_url(public_url) if public_url else ""
        self._provider = _Provider(
            StarletteIntegration("sign_on"),
            name="sign_on",
            client_id=settings.client_id,
            client_secret=settings.secret(),
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(settings.scopes),
                "code_challenge_method": "S256",
                "timeout": SECONDS,
            },
        )
        self._provider.issuer = settings.issuer
        self._pending: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    @property
    def secure(self) -> bool:
        """Whether browsers reach this server by https, whatever a proxy in front makes of it."""
        return self.public_url.startswith("https:")

    @property
    def cookie_path(self) -> str:
        """Where browsers bring the cookie of a journey, below the path of a proxy in front."""
        return f"{urlsplit(self.public_url).path}/login"

    async def begin(self, request: Request, target: str) -> Response:
        """Send somebody to the provider.

        Args:
            request: of the browser that asks.
            target: path of this server to show after the sign-in.

        Raises:
            SignOnProblem: the provider does not answer, or this server's own address is unknown.
        """
        session: dict[str, Any] = {"target": target}
        request.scope["session"] = session  # where Authlib keeps state, nonce and the PKCE verifier
        try:
            answer: Response = await self._provider.authorize_redirect(
                request, self._redirect_address(request)
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError, RuntimeError) as error:
            raise self._silent(error) from error
        token = secrets.token_urlsafe(32)
        with self._lock:
            now = time.monotonic()
            fresh = [(key, row) for key, row in self._pending.items() if row[0] > now]
            self._pending = {**dict(fresh[-PENDING + 1 :]), token: (now + MINUTES * 60, session)}
        secure = self.secure or request.url.scheme == "https"
        answer.set_cookie(
            SIGN_ON_COOKIE,
            token,
            max_age=MINUTES * 60,
            path=self.cookie_path,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
        return answer

    async def finish(self, request: Request) -> tuple[Person, str]:
        """Read what somebody brings back from the provider: who it is, and the path to show.

        Raises:
            SignOnProblem: it does not prove anything.
            Forbidden: it does, but the person has no role here.
        """
        with self._lock:  # taken out, so that it serves once
            until, session = self._pending.pop(request.cookies.get(SIGN_ON_COOKIE, ""), (0.0, {}))
        if until < time.monotonic():
            raise SignOnProblem(
                "This sign-in was not begun in this browser, or it took more than "
                f"{MINUTES} minutes. Sign in again."
            )
        if request.query_params.get("iss", self.settings.issuer) != self.settings.issuer:
            raise SignOnProblem(
                "This sign-in comes from another provider than this server's. Sign in again."
            )
        request.scope["session"] = session
        try:
            return await self._person(request), str(session["target"])
        except OAuthError as error:
            raise SignOnProblem(_oauth_words(str(error.error), self.settings.button)) from error
        except JoseError as error:
            raise SignOnProblem(
                f"What {self.settings.button} sent does not prove who you are ({_reason(error)}). "
                "Sign in again; if it happens again, tell whoever runs this server."
            ) from error
        except (
            httpx2.HTTPError,
            httpx2.InvalidURL,
            ValueError,
            TypeError,
            KeyError,
            RuntimeError,
        ) as error:
            raise self._silent(error) from error

    async def _person(self, request: Request) -> Person:
        ours = {"iss": self.settings.issuer, "aud": self.settings.client_id}
        options = {key: {"essential": True, "value": value} for key, value in ours.items()}
        token = await self._provider.authorize_access_token(
            request, claims_options=options, leeway=LEEWAY
        )
        claims = token.get("userinfo")
        if not claims:
            raise SignOnProblem(
                f"{self.settings.button} sent no proof of who you are (no id token). Sign in again."
            )
        lacking = [name for name in self._needed() if _claim(claims, name) is None]
        if lacking and "userinfo_endpoint" in await self._provider.load_server_metadata():
            more = await self._provider.userinfo(token=token)
            if more.get("sub") != claims["sub"]:
                raise SignOnProblem(
                    "The provider told of another person than the one who signed in. Sign in again."
                )
            claims = {**more, **claims}
        return person_of_claims(self.settings, claims)

    def _needed(self) -> list[str]:
        """The claims that decide; what the id token lacks of them may stand in the user info."""
        needed = [self.settings.name_claim]
        if self.settings.groups:
            needed.append(self.settings.groups_claim)
        if self.settings.emails or self.settings.name_claim == "email":
            needed += ["email", "email_verified"]
        return needed

    def _redirect_address(self, request: Request) -> str:
        if self.public_url:
            return self.public_url + CALLBACK
        if request.url.hostname not in LOOPBACK:
            raise SignOnProblem(
                "This server does not know under which address people reach it, so nobody can sign "
                "in. Start it with --public-url https://its.address",
                403,
            )
        return str(request.url.replace(path=CALLBACK, query="", fragment=""))

    def _silent(self, error: Exception) -> SignOnProblem:
        if isinstance(error, httpx2.TimeoutException):
            what = f"did not answer within {SECONDS:.0f} seconds"
        elif isinstance(error, httpx2.TransportError):
            what = "cannot be reached"
        else:
            what = "answered with something else than a sign-in"
        return SignOnProblem(
            f"{self.settings.button} {what}. Wait a little and sign in again.", 503
        )


def person_of_claims(settings: SignOnSettings, claims: Mapping[str, Any]) -> Person:
    """The name and the role of somebody whom the provider vouches for.

    Args:
        settings: which claims count, and the roles they give.
        claims: of a checked id token.

    Raises:
        Forbidden: there is no name that can be used, or no role.
    """
    verified = ""
    if claims.get("email_verified") is True:
        verified = str(claims.get("email") or "").lower()
    name = _claim(claims, settings.name_claim)
    if settings.name_claim == "email" and not verified:
        raise Forbidden(
            f"{settings.button} does not say that your e-mail address is yours, so it cannot be "
            "your name here"
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Forbidden(
            f"{settings.button} gave no name that can be kept with decisions: "
            f"{settings.name_claim} is {name!r:.100}, and 1 to 80 letters, digits or . _ @ + - are "
            "needed"
        )
    roles = _roles(settings, claims, verified)
    if not roles and settings.default_role is None:
        raise Forbidden(
            f"{name} is known to {settings.button}, but has no role here; ask whoever runs this "
            "server to give one to your group or e-mail address"
        )
    return Person(name, max(roles, key=ROLES.index, default=cast(Role, settings.default_role)))


def _roles(settings: SignOnSettings, claims: Mapping[str, Any], email: str) -> list[Role]:
    """The roles that a person has here by group, e-mail address, or its part from the @ on.

    Args:
        settings: the roles that groups and addresses give.
        claims: of a checked id token.
        email: the address, where the provider says that it is the person's; else empty.
    """
    groups = _claim(claims, settings.groups_claim)
    names = [groups] if isinstance(groups, str) else groups or ()
    roles = [
        settings.groups[name] for name in names if isinstance(name, str) and name in settings.groups
    ]
    addresses = (email, email[email.find("@") :]) if email else ()
    return roles + [settings.emails[one] for one in addresses if one in settings.emails]


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by its way through nested ones."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _oauth_words(code: str, provider: str) -> str:
    """An error of the protocol in plain words.

    Its description stands in an address that anybody may write, so it is not shown.
    """
    if code == "access_denied":
        return f"{provider} did not let you in, or you went back. Sign in again, or ask for access."
    if code == "mismatching_state":
        return "This answer belongs to another sign-in than the one begun here. Sign in again."
    if code == "invalid_grant":
        return "This sign-in was used before, or took too long. Sign in again."
    if code == "invalid_client":
        return (
            f"{provider} does not accept this server; whoever runs it has to check the client's id "
            "and secret."
        )
    return (
        f"{provider} refused the sign-in. Sign in again; if it happens again, tell whoever runs "
        "this server."
    )


def _reason(error: JoseError) -> str:
    """Authlib's reason in a few words, without what the token holds."""
    what = f"{error.error} {getattr(error, 'claim', '')}"
    return what.replace("_", " ").strip()[:60]
