"""An OpenID provider that does whatever a test wants, on a port of its own.

Attributes control what it does wrong; ``reset`` makes it honest again. No browser is
involved: a test reads the authorization request and calls back by itself.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwt.algorithms import RSAAlgorithm

from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey

CLIENT_ID = "spar-test"
SUBJECT = "subject-of-asha"
GENERATED_CODE = "mosip:idp:acr:generated-code"


class HostileProvider:
    """The provider: ``issuer`` is its address while it runs."""

    def __init__(self):
        self.keys = {
            name: PrivateKey.generate(name) for name in ("PS256", "ES256", "EdDSA")
        }
        self.unknown_key = PrivateKey.generate("PS256")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.provider = self
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.reset()

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def reset(self):
        """Set each attribute to its value for an honest provider."""
        self.algorithm = "PS256"
        #: Claims that replace the ID token's; None leaves one out.
        self.id_token_claims = {}
        #: The same for userinfo, and its format: json, jws or jwe.
        self.userinfo_claims = {}
        self.userinfo_format = "jws"
        #: What is written into the headers of tokens, and who signs them.
        self.id_token_header = {}
        self.userinfo_header = {}
        self.id_token_signer = None
        self.userinfo_signer = None
        self.raw_id_token = None
        self.encryption_key = None
        self.jwks = None
        #: Path -> (status, body, content type).
        self.responses = {}
        #: Path -> seconds to wait before the response.
        self.delays = {}
        #: The requests received: (path, form with the headers).
        self.requests = []
        #: The parameters with which the browser came.
        self.authorization_request = {}

    # === RESPONSES === #

    @property
    def metadata(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["PS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": [
                "private_key_jwt",
                "client_secret_basic",
                "client_secret_post",
            ],
            "authorization_response_iss_parameter_supported": True,
        }

    def get_key_set(self):
        """Return the key set like eSignet's: without ``alg``."""
        if self.jwks is not None:
            return self.jwks
        keys = []
        for key in self.keys.values():
            jwk = {k: v for k, v in key.public.jwk.items() if k != "alg"}
            keys.append(jwk)
        return {"keys": keys}

    def sign(self, claims, header, signer):
        key = signer or self.keys[self.algorithm]
        header = {"kid": key.public.kid, **header}
        algorithm = header.pop("alg", key.algorithm)
        if algorithm == "none":
            return self.build_unsigned(claims, header)
        if algorithm == "HS256":
            # The public key as if it were a shared secret.
            return self.build_with_shared_secret(claims, header)
        return jwt.encode(claims, key.key, algorithm=algorithm, headers=header)

    def build_unsigned(self, claims, header):
        parts = ({"alg": "none", **header}, claims)
        return ".".join(encode(json.dumps(part).encode()) for part in parts) + "."

    def build_with_shared_secret(self, claims, header):
        public = self.keys["PS256"].key.public_key()
        secret = public.public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        parts = ({"alg": "HS256", **header}, claims)
        signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{encode(mac)}"

    def build_id_token(self):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": self.authorization_request.get("nonce"),
            "acr": GENERATED_CODE,
            **self.id_token_claims,
        }
        sent = {name: value for name, value in claims.items() if value is not None}
        return self.raw_id_token or self.sign(
            sent, self.id_token_header, self.id_token_signer
        )

    def build_userinfo(self):
        claims = {
            "sub": SUBJECT,
            "name": "Asha Devi",
            "individual_id": "7712345678",
            "email": "asha@people.example",
            "email_verified": True,
            "phone_number": "+99900001",
            **self.userinfo_claims,
        }
        sent = {name: value for name, value in claims.items() if value is not None}
        if self.userinfo_format == "json":
            return json.dumps(sent).encode(), "application/json"
        token = self.sign(sent, self.userinfo_header, self.userinfo_signer)
        if self.userinfo_format == "jwe":
            token = encrypt(token, self.encryption_key)
        return token.encode(), "application/jwt"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.respond({})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        form = parse_qs(self.rfile.read(length).decode())
        self.respond({name: values[0] for name, values in form.items()})

    def respond(self, form):
        provider, path = self.server.provider, self.path.partition("?")[0]
        provider.requests.append((path, {**form, "headers": dict(self.headers)}))
        time.sleep(provider.delays.get(path, 0))
        response = provider.responses.get(path) or self.build_response(path)
        status, body, content_type = response
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def build_response(self, path):
        provider = self.server.provider
        if path == "/token":
            tokens = {
                "access_token": "access-token",
                "token_type": "Bearer",
                "id_token": provider.build_id_token(),
            }
            return 200, json.dumps(tokens).encode(), "application/json"
        if path == "/userinfo":
            return 200, *provider.build_userinfo()
        documents = {
            "/jwks": provider.get_key_set(),
            "/.well-known/openid-configuration": provider.metadata,
        }
        if path not in documents:
            return 404, b"{}", "application/json"
        return 200, json.dumps(documents[path]).encode(), "application/json"

    def log_message(self, *_arguments):
        """Log nothing."""


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encrypt(token, jwk, enc="A256GCM"):
    """Return a JWE of ``token`` for the public key ``jwk`` (RSA-OAEP-256)."""
    key = RSAAlgorithm.from_jwk(jwk)
    content_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    header = {
        "alg": "RSA-OAEP-256",
        "enc": enc,
        "kid": jwk.get("kid", ""),
        "cty": "JWT",
    }
    protected = encode(json.dumps(header).encode())
    encrypted = AESGCM(content_key).encrypt(nonce, token.encode(), protected.encode())
    parts = (key.encrypt(content_key, oaep), nonce, encrypted[:-16], encrypted[-16:])
    return ".".join([protected, *map(encode, parts)])
