import ssl
import warnings
from argparse import Namespace

import pytest
from cryptography.hazmat.primitives import serialization
from raw_server import serve_on

from analysis.outcomes import Outcome
from loadgate.errors import ConfigError
from loadgate.tls import tls_context, trust


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    """PEM files: whom to trust, our certificate, its key (also encrypted, and both in one), and a stranger's key."""
    folder = tmp_path_factory.mktemp("tls")
    ours, stranger = authority.issue_cert("client@example.test"), authority.issue_cert("localhost")
    key = serialization.load_pem_private_key(ours.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    contents = {
        "ca": authority.cert_pem.bytes(),
        "cert": ours.cert_chain_pems[0].bytes(),
        "key": ours.private_key_pem.bytes(),
        "locked": locked,
        "both": ours.private_key_and_cert_chain_pem.bytes(),
        "stranger": stranger.private_key_pem.bytes(),
        "text": b"no PEM",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in (*contents, "missing")}


def context(files, environ=None, *, insecure=False, **named):
    given = {option: files[name] for option, name in named.items()}
    options = Namespace(insecure=insecure, **({"cacert": None, "cert": None, "key": None} | given))
    return tls_context(options, environ or {})


@pytest.mark.parametrize(
    ("named", "environ"),
    [
        ({"cert": "cert", "key": "key"}, {}),
        ({"cert": "both"}, {}),
        ({"cert": "cert", "key": "locked"}, {"LOADGATE_KEY_PASSWORD": "open sesame"}),
    ],
)
def test_a_service_that_asks_for_our_certificate_gets_it(serve, client_of, authority, files, named, environ):
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(asking)
    authority.configure_trust(asking)
    asking.verify_mode = ssl.CERT_REQUIRED
    client = client_of(serve([serve_on], tls=asking), tls=context(files, environ, cacert="ca", **named))

    assert client.send().outcome is Outcome.OK


@pytest.mark.parametrize(
    ("named", "environ", "complaint"),
    [
        ({"cacert": "missing"}, {}, r"--cacert '.*missing' cannot be read \(No such file or directory\)"),
        ({"cacert": "text"}, {}, r"--cacert '.*text' cannot be read \(not a PEM certificate\)"),
        ({"cert": "missing", "key": "key"}, {}, r"--cert '.*missing' cannot be read \(No such file"),
        ({"cert": "cert", "key": "missing"}, {}, r"--key '.*missing' cannot be read \(No such file"),
        ({"cert": "cert", "key": "stranger"}, {}, r"--key '.*stranger' is not the key of --cert '.*cert'"),
        ({"cert": "cert"}, {}, r"is not a PEM certificate with its key; name the key with --key"),
        ({"cert": "text", "key": "key"}, {}, r"are not a PEM certificate and key"),
        ({"cert": "cert", "key": "locked"}, {}, r"\(the key's password, if it has one, comes from LOADGATE_KEY"),
        ({"cert": "cert", "key": "locked"}, {"LOADGATE_KEY_PASSWORD": "x"}, r"are not a PEM certificate and key"),
        ({"cert": "cert", "key": "locked"}, {"LOADGATE_KEY_PASSWORD": "x" * 2000}, r"are not a PEM certificate"),
        ({"key": "key"}, {}, r"--key needs --cert"),
    ],
)
def test_files_that_cannot_be_used_are_named(files, named, environ, complaint):
    with pytest.raises(ConfigError, match=complaint):
        context(files, environ, **named)


@pytest.mark.parametrize(("name", "words"), [("missing", "No such file"), ("text", "not a PEM certificate")])
def test_authorities_of_iam_that_cannot_be_used_are_named(files, name, words):
    with pytest.raises(ConfigError, match=rf"--cacert '.*{name}' cannot be read \({words}"):
        trust(files[name])


def test_iam_is_trusted_by_the_systems_authorities_and_ours(files):
    system = ssl.create_default_context().cert_store_stats()["x509_ca"]

    assert trust(files["ca"]).cert_store_stats()["x509_ca"] == system + 1
    assert trust(None).verify_mode is ssl.CERT_REQUIRED


def test_certificates_are_verified_unless_told_otherwise(files):
    assert context(files).verify_mode is ssl.CERT_REQUIRED
    assert context(files).check_hostname
    assert context(files, insecure=True).verify_mode is ssl.CERT_NONE


def test_a_service_of_tls_1_1_is_refused_even_where_its_certificate_is_not_looked_at(
    serve, client_of, authority, files
):
    for latest, outcome in ((ssl.TLSVersion.TLSv1_1, Outcome.CONNECTION_ERROR), (ssl.TLSVersion.TLSv1_2, Outcome.OK)):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(old)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, latest
        for ours in (context(files, cacert="ca"), context(files, insecure=True), trust(files["ca"])):
            assert client_of(serve([serve_on], tls=old), tls=ours).send().outcome is outcome
