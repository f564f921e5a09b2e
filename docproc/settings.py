"""Every setting of the service, read from the environment with the prefix ``DOCPROC_``.

The table in ``docs/settings.md`` is made from this class by ``docproc doctor --settings``.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEV_REGION = "510116"


class Settings(BaseSettings):
    """Settings with their defaults for one machine without any server."""

    model_config = SettingsConfigDict(env_prefix="DOCPROC_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("var"), description="Folder of the embedded database, blobs and caches")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the data folder")
    database_passwords: SecretStr = Field(
        SecretStr(""),
        description="For `docproc migrate` alone, `web=…,reader=…,sealer=…,auditor=…`: makes these roles in PostgreSQL",
    )
    blobs: str = Field("", description="`file:FOLDER` or `s3://HOST:PORT/BUCKET`; empty: `blobs` in the data folder")
    process_keys: str = Field(
        "", description="Folder of the processes' own keys and of those they trust; empty: `keys` in the data folder"
    )
    s3_access_key: str = Field("", description="Access key of the S3 server")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret key of the S3 server")
    s3_secure: bool = Field(True, description="Speak TLS to the S3 server")
    s3_encryption: str = Field("", description="Encryption by the S3 server: empty, `s3`, or `kms:` and a key's name")
    s3_public_url: str = Field(
        "", description="Where clients reach the S3 server, for download links; empty: the service answers them itself"
    )
    link_seconds: int = Field(60, ge=5, le=3600, description="How long a download link lives")
    ingest_access_key: str = Field("", description="Access key of the bucket that `docproc ingest` reads")
    ingest_secret_key: SecretStr = Field(
        SecretStr(""), description="Secret key of the bucket that `docproc ingest` reads"
    )
    host: str = Field("127.0.0.1", description="Address that the web process listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port that the web process listens on; 0: any free one")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="Address in QR codes and links; where it is https, cookies and browsers keep to https too",
    )
    trusted_proxies: str = Field(
        "",
        description="Proxies that are believed when they tell who asked: addresses and networks, separated by commas",
    )
    worker_name: str = Field("embedded", description="Stable name of this worker; two of one name cannot run")
    queues: str = Field("read,check,seal,notify", description="Queues this worker listens to, separated by commas")
    read_workers: int = Field(1, ge=1, le=64, description="Worker processes that `docproc serve` starts")
    spare_readers: int = Field(
        1,
        ge=0,
        le=4,
        description="Readers that `docproc serve` keeps loaded and idle, to stand in at once for one that died",
    )
    application_version: str = Field("1", description="Changed only when running workflows become incompatible")
    max_upload_bytes: int = Field(50 * 2**20, description="Largest upload, bytes")
    spool_dir: str = Field("", description="Folder for files on their way in; empty: `spool` in the data folder")
    spool_bytes: int = Field(
        2 * 2**30, ge=2**20, description="Bytes of files on their way in, all together; half of them of who has no key"
    )
    body_memory_bytes: int = Field(
        96 * 2**20, ge=2**20, description="Memory for bodies that are being read or verified; others wait for it"
    )
    max_bodies: int = Field(
        512, ge=32, description="Bodies on their way in; an eighth of them of one key, a thirty-second of one address"
    )
    body_bytes_per_second: int = Field(4096, ge=1, description="Slowest body that is taken in")
    body_idle_seconds: float = Field(30, gt=0, description="Longest time without any byte of a body")
    head_seconds: float = Field(15, gt=0, description="Longest time for the head of a request")
    keep_alive_seconds: int = Field(10, ge=1, description="How long a connection stays open between two requests")
    max_connections: int = Field(1024, ge=16, description="Open connections of the web process")
    max_connections_per_address: int = Field(
        256, ge=1, description="Open connections of one address; trusted proxies have no limit of their own"
    )
    max_pages: int = Field(200, description="Most pages in one upload")
    max_pixels: int = Field(60_000_000, description="Most pixels of one page")
    page_cpu_seconds: float = Field(
        10.0, gt=0, description="CPU time for opening one page of an upload; what is dearer is refused, once for all"
    )
    parse_cpu_seconds: int = Field(30, description="CPU time for parsing one upload in its child process")
    parse_memory_mb: int = Field(2048, description="Memory for parsing one upload in its child process, MiB")
    sandbox_uid: int = Field(
        65533,
        ge=1,
        le=4_294_967_294,
        description="User and group that foreign files are parsed as where docproc is root",
    )
    allow_weak_sandbox: bool = Field(
        False, description="Parse foreign files even where the kernel cannot shut their parser in: never for real"
    )
    verify_cpu_seconds: int = Field(
        1,
        ge=1,
        description="CPU time for verifying a file with one signature; up to 16 times as much for one with more",
    )
    parse_slots: int = Field(
        0, ge=0, le=256, description="Files that the web process has opened at a time; 0: one for each core"
    )
    parse_seconds_per_minute: float = Field(
        60.0, gt=0, description="CPU seconds a minute for opening what one public address sends without a key"
    )
    parse_seconds_per_minute_key: float = Field(
        600.0, gt=0, description="CPU seconds a minute for opening what is sent under one key or account"
    )
    rate_limit_per_minute: int = Field(120, description="Requests a minute from one public address without a key")
    max_queue: int = Field(5000, description="Pages that may wait before the service answers 503 with Retry-After")
    kiosk_session_minutes: int = Field(
        30, ge=1, le=720, description="How long a kiosk's key still sees what it handed in; then the receipt opens it"
    )
    kiosk_days: int = Field(
        1,
        ge=1,
        le=31,
        description="Midnights until a kiosk's browser is signed out; a citizen's session ends at one",
    )
    key_days: int = Field(365, ge=1, le=3650, description="Days until a new API key ends, unless it says otherwise")
    access_log_days: int = Field(
        1095, ge=183, le=36500, description="How long the log of who was given what is kept, days"
    )
    certs_dir: Path = Field(Path("certs/dev"), description="Folder of the seal's PKCS#12, its chain and the TSA")
    allow_dev_pki: bool = Field(
        False, description="Use the development PKI even where others reach the service: to try it out, never for real"
    )
    trust_dir: Path = Field(Path("certs/dev/trust"), description="Folder of trusted root certificates")
    seal_key: str = Field(
        "seal-rsa.p12", description="Key file of the authority's seal there: PKCS#12, or PEM with an SM2 key"
    )
    seal_passphrase: SecretStr = Field(
        SecretStr(""), description="Passphrase of the key files; empty: the file beside them"
    )
    pkcs11_module: str = Field("", description="PKCS#11 library; empty: PKCS#12 is used")
    pkcs11_token: str = Field("", description="Label of the PKCS#11 token")
    pkcs11_key: str = Field("", description="Label of the key in the token; after commas those of joint seals")
    pkcs11_pin: SecretStr = Field(SecretStr(""), description="PIN of the token; only the sealer has it")
    tsa_url: str = Field("", description="RFC 3161 time-stamp service; empty: the development TSA in the process")
    authority_name: str = Field("示例市市场监督管理局（样例）", description="Name of the issuing authority on licences")
    authority_code: str = Field(
        "", description="Credit code of the issuing authority; empty: a test code, for development seals alone"
    )
    webhook_url: str = Field("", description="Address that events are posted to; empty: only the feed `/v1/events`")
    webhook_private: bool = Field(False, description="Webhooks of enterprises may stand in private networks")
    webhook_ports: str = Field("443", description="Ports that these may have, separated by commas")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Key of the HMAC signature on posted events")
    sms_provider: Literal["", "tencent"] = Field("", description="Short messages to applicants: `tencent`; empty: none")
    sms_url: str = Field("https://sms.tencentcloudapi.com", description="Address of the short message service")
    sms_region: str = Field("ap-guangzhou", description="Region of the short message service")
    sms_secret_id: str = Field("", description="Name of the key at the short message service")
    sms_secret_key: SecretStr = Field(SecretStr(""), description="Key at the short message service")
    sms_app_id: str = Field("", description="Application at the short message service, `SmsSdkAppId`")
    sms_sign_name: str = Field("", description="Registered signature that stands before each short message")
    sms_templates: str = Field(
        "", description="Registered templates, `accepted=ID,returned=ID,decided=ID,issued=ID,overdue=ID`"
    )
    sms_receipt_secret: SecretStr = Field(
        SecretStr(""), description="End of the address of receipts, 32 letters or more; empty: none"
    )
    oidc_issuer: str = Field("", description="OpenID Connect provider that officials sign in with; empty: none")
    oidc_client_id: str = Field("", description="Name of this service at the provider")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Secret of this service at the provider")
    oidc_scope: str = Field("openid profile", description="Scopes asked of the provider")
    oidc_claim: str = Field("groups", description="Claim that lists an official's groups; dots lead into objects")
    oidc_roles: str = Field(
        "", description="Who may do what: `GROUP=ROLE@ORGANISATION`, separated by commas; others are not let in"
    )
    oidc_acr: str = Field(
        "", description="Ways of signing in at the provider that are enough (`acr`), separated by commas; empty: any"
    )
    oidc_name: str = Field("统一身份认证", description="What the provider is called on the sign-in page")
    holidays_file: str = Field(
        "", description="TOML with `holidays` and `workdays` that go before the kept table; empty: none"
    )
    engine_threads: int = Field(1, ge=1, le=64, description="Threads of the reading engine in each worker")
    log_json: bool = Field(False, description="Logs as JSON lines")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_000,
        description="Port of this process for Prometheus (a worker's has `/readyz` too), the next ones for the workers "
        "that `docproc serve` starts; 0: none",
    )
    metrics_host: str = Field("", description="Address that this port listens on; empty: all")
    traces_url: str = Field(
        "", description="OpenTelemetry collector, OTLP over HTTP: `http://HOST:4318/v1/traces`; empty: no traces"
    )
    traces_share: float = Field(1.0, ge=0, le=1, description="Share of traces that are kept")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    def environment(self, leave_out: Container[str] = ()) -> dict[str, str]:
        """All settings as environment variables for a child process; those of ``leave_out`` are empty."""
        env = {}
        for name, value in self.model_dump().items():
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            env[f"DOCPROC_{name.upper()}"] = "" if name in leave_out else text
        return env

    @property
    def database(self) -> str:
        """The database URL in use."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'docproc.db').resolve()}"

    @property
    def has_database(self) -> bool:
        """Whether the database exists; assumed for one on a server."""
        scheme, _, name = self.database.partition(":///")
        return not scheme.startswith("sqlite") or (bool(name) and Path(name).exists())

    @property
    def blob_store(self) -> str:
        """The blob store in use."""
        return self.blobs or f"file:{(self.data_dir / 'blobs').resolve()}"

    @property
    def spool_folder(self) -> Path:
        """The folder for files on their way in."""
        return Path(self.spool_dir) if self.spool_dir else self.data_dir.resolve() / "spool"

    @property
    def keys_folder(self) -> Path:
        """The folder of the processes' keys in use."""
        return Path(self.process_keys) if self.process_keys else self.data_dir.resolve() / "keys"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is SQLite on this machine."""
        return self.database.startswith("sqlite")


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def settings_table() -> str:
    """All settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, item in Settings.model_fields.items():
        default = item.default.get_secret_value() if isinstance(item.default, SecretStr) else item.default
        shown = f"`{default}`" if str(default) else "(empty)"
        lines.append(f"| `DOCPROC_{name.upper()}` | {shown} | {item.description} |")
    return "\n".join(lines) + "\n"
