"""A small OpenID Connect provider on 127.0.0.1 that says what a test wants, right or wrong."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

CLIENT = "visitor-tracker"
RSA = generate_rsa(public_exponent=65537, key_size=2048)
OTHER_RSA = generate_rsa(public_exponent=65537, key_size=2048)
EC = generate_private_key(SECP256R1())
ED = Ed25519PrivateKey.generate()


def public_jwk(algorithm: str, key: Any, key_id: str) -> dict[str, Any]:  # noqa: ANN401 - of three libraries' types
    found = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return {**found, "kid": key_id, "use": "sig", "alg": algorithm}


class FakeProvider:
    """What it answers can be changed by its attributes; `asked` are the forms that came to the token endpoint."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.document: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        }
        self.keys = [
            public_jwk("RS256", RSA, "rsa"),
            public_jwk("ES256", EC, "ec"),
            public_jwk("EdDSA", ED, "ed"),
        ]
        self.userinfo: dict[str, Any] = {}
        self.raw: dict[str, tuple[int, bytes]] = {}  # by path
        self.asked: list[tuple[dict[str, str], str]] = []
        self.requests: list[str] = []
        self.make_token: Callable[[str], str] = self.token
        self.challenge = self.nonce = ""

    def claims(self, said: str, **changes: object) -> dict[str, object]:
        """Return the claims of somebody for a nonce; those of None are left out."""
        now = int(time.time())
        found: dict[str, object] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "1234",
            "iat": now,
            "exp": now + 300,
            "nonce": said,
            "email": "ada@example.com",
            "email_verified": True,
            "preferred_username": "ada",
        }
        return {name: value for name, value in (found | changes).items() if value is not None}

    def token(
        self,
        said: str,
        *,
        key: Any = RSA,  # noqa: ANN401 - of three libraries' types
        algorithm: str = "RS256",
        key_id: str = "rsa",
        **claims: object,
    ) -> str:
        headers = {"kid": key_id} if key_id else {}
        return jwt.encode(self.claims(said, **claims), key, algorithm=algorithm, headers=headers)

    def log_in(self, place: str) -> str:
        """Do what a browser does at the provider; return the address to which it is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.nonce, self.challenge = asked["nonce"], asked["code_challenge"]
        return f"{asked['redirect_uri']}?code=the-code&state={asked['state']}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, object]:
        self.asked.append((form, authorization))
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        assert challenge == self.challenge
        assert (form["grant_type"], form["code"]) == ("authorization_code", "the-code")
        return {"id_token": self.make_token(self.nonce), "access_token": "at", "token_type": "Bearer"}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        self.requests.append(path)
        if path in self.raw:
            return self.raw[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self.document).encode()
        if path == "/jwks":
            return 200, json.dumps({"keys": self.keys}).encode()
        if path == "/token":
            return 200, json.dumps(self.exchange(form, authorization)).encode()
        if path == "/userinfo" and authorization == "Bearer at":
            return 200, json.dumps(self.userinfo).encode()
        return 404, b"{}"


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    """Run a provider until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send({name: values[0] for name, values in parse_qs(body).items()})

        def _send(self, form: dict[str, str]) -> None:
            status, body = provider.answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = FakeProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
