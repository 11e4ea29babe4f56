"""Signing in at a provider: the whole way through two real servers, and everything that must not
get in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import page_project
import pytest
from provider import CLIENT, SECRET, Provider, provider
from servers import serve

from app import people, sign_on
from app.main import Running
from app.people import Forbidden, Person
from app.sign_on import SignOn
from app.sign_on_settings import SignOnSettings, check_public_url

GROUPS = {"labellers": "curator", "owners": "admin"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def door(
    issuer: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, SignOn]]:
    """A server with one user of a file, eve, and the provider."""
    folder = tmp_path_factory.mktemp("sign-on")
    cost, people._COST = people._COST, 2**7
    people.add_user(folder / "users.json", "eve", "eve-password", "admin")
    (folder / "secret").write_text(SECRET + "\n")
    settings = SignOnSettings(
        issuer.issuer,
        CLIENT,
        secret_file=str(folder / "secret"),
        label="Example & Sons",
        groups=GROUPS,
    )
    way = SignOn(settings)
    with serve(
        page_project.build(folder / "small", scenes=1), auth=folder / "users.json", sign_on=way
    ) as running:
        yield running, way
    people._COST = cost


@pytest.fixture
def site(door: tuple[Running, SignOn], issuer: Provider) -> Running:
    issuer.reset()
    door[1]._provider.server_metadata.clear()
    return door[0]


@pytest.fixture
def caller(site: Running) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=site.url, headers={"Accept": "text/html"}, trust_env=False, timeout=60
    ) as client:
        yield client


def to_provider(caller: httpx.Client, path: str = "/login/sign-on?next=/step") -> str:
    """The provider's address that the button leads to."""
    answer = caller.get(path)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def back(caller: httpx.Client, address: str, **changes: str) -> httpx.Response:
    """What this server answers when the provider sends the browser back; `changes` of its query."""
    landing = urlsplit(caller.get(address).headers["location"])
    query = {key: values[0] for key, values in parse_qs(landing.query).items()} | changes
    return caller.get(f"{landing.path}?{urlencode(query)}")


def refused(answer: httpx.Response, status: int, words: str) -> None:
    """A page in plain words, and no session."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text.replace("&#39;", "'")
    assert "Sign in with Example &amp; Sons" in answer.text
    assert people.COOKIE not in answer.cookies


def test_the_button_leads_to_the_provider_and_back_to_the_page(
    caller: httpx.Client, issuer: Provider
) -> None:
    login = caller.get("/browse?q=dog", follow_redirects=True)
    assert 'href="login/sign-on?next=browse%3Fq%3Ddog"' in login.text
    assert 'name="password"' in login.text
    assert issuer.requests == [], "the login page waits for nobody"
    address = to_provider(caller)
    query = parse_qs(urlsplit(address).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 20
    assert len(query["nonce"][0]) >= 20
    assert SECRET not in address
    answer = back(caller, address)
    assert (answer.status_code, answer.headers["location"]) == (303, "../step")
    cookie = next(
        line for line in answer.headers.get_list("set-cookie") if line.startswith(people.COOKIE)
    )
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    shell = caller.get("/browse").text
    assert "ann@example.org" in shell
    assert 'data-role="curator"' in shell
    caller.post("/logout")
    assert caller.get("/data/shell", headers={"Accept": "*/*"}).status_code == 401


def test_below_a_path_of_a_proxy_the_way_back_is_below_it_too(
    caller: httpx.Client, site: Running, door: tuple[Running, SignOn], monkeypatch: Any
) -> None:
    """The proxy takes its path off what it hands on; the provider and the browser need it."""
    monkeypatch.setattr(door[1], "public_url", check_public_url(site.url + "team/vpd/"))
    answer = caller.get("/login/sign-on?next=/step")
    assert "; Path=/team/vpd/login;" in answer.headers["set-cookie"]
    address = answer.headers["location"]
    way_back = parse_qs(urlsplit(address).query)["redirect_uri"]
    assert way_back == [site.url + "team/vpd/login/callback"]
    landing = urlsplit(caller.get(address).headers["location"])
    assert landing.path == "/team/vpd/login/callback"
    cookie = answer.headers["set-cookie"].partition(";")[0]
    caller.cookies.clear()  # httpx keeps to the cookie's path, which the proxy takes off
    at = landing.path.removeprefix("/team/vpd")
    ending = caller.get(f"{at}?{landing.query}", headers={"Cookie": cookie})
    assert (ending.status_code, ending.headers["location"]) == (303, "../step")
    assert any("Path=/team/vpd/login" in one for one in ending.headers.get_list("set-cookie"))


def test_chromium_is_let_through_by_our_own_policy(
    site: Running, visit: Callable[..., Any]
) -> None:
    page = visit(site.url + "login?next=/dashboard")
    page.get_by_role("link", name="Sign in with Example & Sons").click()
    page.wait_for_url("**/dashboard")
    assert page.locator(".who b").inner_text() == "ann@example.org"
    page.locator("button.who").click()
    page.wait_for_url("**/login")
    assert page.get_by_role("button", name="Log in").is_visible()


def test_the_password_still_opens(caller: httpx.Client) -> None:
    assert (
        caller.post("/login", data={"username": "eve", "password": "eve-password"}).status_code
        == 303
    )
    assert "eve" in caller.get("/browse").text


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_never_leads_elsewhere(caller: httpx.Client, target: str) -> None:
    answer = back(caller, to_provider(caller, "/login/sign-on?" + urlencode({"next": target})))
    assert (answer.status_code, answer.headers["location"]) == (303, "../start")


def test_a_foreign_host_gets_no_redirect_address(caller: httpx.Client) -> None:
    answer = caller.get("/login/sign-on", headers={"Host": "evil.example"})
    refused(answer, 403, "--public-url")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "guessed"}, "belongs to another sign-in"),
        ({"state": ""}, "belongs to another sign-in"),
        ({"code": "guessed"}, "was used before"),
        ({"iss": "https://evil.example"}, "from another provider"),
        ({"error": "access_denied", "error_description": "CALL 555"}, "did not let you in"),
        ({"error": "<script>", "error_description": "CALL 555"}, "refused the sign-in"),
    ],
)
def test_what_the_browser_brings_back_has_to_fit(
    caller: httpx.Client, changes: dict[str, str], words: str
) -> None:
    answer = back(caller, to_provider(caller), **changes)
    refused(answer, 400, words)
    assert "555" not in answer.text
    assert "<script>" not in answer.text


def test_a_journey_serves_once(caller: httpx.Client) -> None:
    landing = caller.get(to_provider(caller)).headers["location"]
    cookie = caller.cookies[people.SIGN_ON_COOKIE]
    assert caller.get(landing).status_code == 303
    caller.cookies.clear()
    caller.cookies.set(people.SIGN_ON_COOKIE, cookie)
    refused(caller.get(landing), 400, "not begun in this browser")


def test_a_code_serves_once(caller: httpx.Client) -> None:
    landing = parse_qs(urlsplit(caller.get(to_provider(caller)).headers["location"]).query)
    assert (
        caller.get(
            f"/login/callback?{urlencode({key: row[0] for key, row in landing.items()})}"
        ).status_code
        == 303
    )
    caller.cookies.clear()
    refused(back(caller, to_provider(caller), code=landing["code"][0]), 400, "was used before")


def test_another_browser_cannot_end_the_journey(caller: httpx.Client) -> None:
    landing = caller.get(to_provider(caller)).headers["location"]
    caller.cookies.clear()
    refused(caller.get(landing), 400, "not begun in this browser")


def test_a_journey_ends_after_ten_minutes(
    caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_on, "MINUTES", 0)
    address = to_provider(caller)
    caller.cookies.set(people.SIGN_ON_COOKIE, "gone")
    refused(back(caller, address), 400, "not begun in this browser")


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another client"}, "aud"),
        ({"aud": [CLIENT, "another client"]}, "azp"),
        ({"aud": [CLIENT], "azp": "another client"}, "azp"),
        ({"aud": None}, "aud"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iat": NOW - 7200, "exp": NOW - 3600}, "expired"),
        ({"exp": None}, "exp"),
        ({"sub": None}, "sub"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(
    caller: httpx.Client, issuer: Provider, claims: dict[str, object], words: str
) -> None:
    issuer.claims |= claims
    answer = back(caller, to_provider(caller))
    refused(answer, 400, "does not prove who you are")
    assert words in answer.text


@pytest.mark.parametrize("way", ["none", "HS256", "stranger"])
def test_a_signature_of_somebody_else_is_refused(
    caller: httpx.Client, issuer: Provider, way: str
) -> None:
    """Even where the provider says that it signs in such a way."""
    issuer.way = way
    refused(back(caller, to_provider(caller)), 400, "does not prove who you are")


def test_no_token_is_no_proof(caller: httpx.Client, issuer: Provider) -> None:
    issuer.way = "missing"
    refused(back(caller, to_provider(caller)), 400, "no proof of who you are")


def test_new_keys_of_the_provider_are_looked_up(caller: httpx.Client, issuer: Provider) -> None:
    assert back(caller, to_provider(caller)).status_code == 303
    issuer.rotate()
    caller.cookies.clear()
    assert back(caller, to_provider(caller)).status_code == 303
    assert issuer.requests.count("jwks") == 2
    assert issuer.requests.count("configuration") == 1


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example"}, "calls itself https://evil.example"),
        ({"token_endpoint": "http://evil.example/token"}, "lacks an address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "lacks an address"),
        ({"jwks_uri": None}, "lacks an address"),
    ],
)
def test_a_provider_that_is_not_what_it_should_be_is_not_asked_again(
    caller: httpx.Client, issuer: Provider, document: dict[str, object], words: str
) -> None:
    issuer.document = document
    for _ in range(2):
        refused(caller.get("/login/sign-on"), 502, words)
    issuer.document = {}
    assert back(caller, to_provider(caller)).status_code == 303


def test_a_silent_provider_is_said_to_be_so_and_stops_no_page(
    caller: httpx.Client, issuer: Provider, door: tuple[Running, SignOn]
) -> None:
    client = door[1]._provider.client_kwargs
    client["timeout"], issuer.wait = 0.2, 1.0
    try:
        refused(caller.get("/login/sign-on"), 503, "did not answer")
        assert caller.get("/login").status_code == 200
    finally:
        client["timeout"] = sign_on.SECONDS


def test_an_absent_provider_is_said_to_be_so(
    caller: httpx.Client, door: tuple[Running, SignOn]
) -> None:
    client = door[1]._provider
    address, client._server_metadata_url = client._server_metadata_url, "http://127.0.0.1:9/x"
    try:
        refused(caller.get("/login/sign-on"), 503, "cannot be reached")
    finally:
        client._server_metadata_url = address


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (
            {"groups": ["strangers"]},
            "ann@example.org is known to Example &amp; Sons, but has no role here",
        ),
        ({"groups": None}, "has no role here"),
        ({"email_verified": False}, "does not say that your e-mail address is yours"),
        ({"email": "<b>@example.org"}, "no name that can be kept"),
    ],
)
def test_who_has_no_role_or_name_is_refused(
    caller: httpx.Client, issuer: Provider, claims: dict[str, object], words: str
) -> None:
    issuer.claims |= claims
    refused(back(caller, to_provider(caller)), 403, words)


def test_nobody_takes_the_name_of_a_user_with_a_password(
    caller: httpx.Client, issuer: Provider, site: Running
) -> None:
    with pytest.raises(Forbidden, match="eve is a user of this server with a password"):
        site.site.people.admit(Person("eve", "viewer"))


def test_groups_may_stand_in_the_user_info(caller: httpx.Client, issuer: Provider) -> None:
    issuer.claims["groups"] = None
    issuer.info = {"groups": ["owners"]}
    assert back(caller, to_provider(caller)).status_code == 303
    assert 'data-role="admin"' in caller.get("/browse").text


def test_the_user_info_may_say_that_an_address_is_verified(
    caller: httpx.Client, issuer: Provider
) -> None:
    issuer.claims["email_verified"] = None
    issuer.info = {"email_verified": True}
    assert back(caller, to_provider(caller)).status_code == 303


def test_the_user_info_of_somebody_else_is_refused(caller: httpx.Client, issuer: Provider) -> None:
    issuer.claims["groups"] = None
    issuer.info = {"groups": ["owners"], "sub": "another"}
    refused(back(caller, to_provider(caller)), 400, "another person")
