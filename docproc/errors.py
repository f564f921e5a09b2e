"""Every error that docproc raises on purpose.

DocprocError
├── InputError                 what was handed in cannot be used; the message says what to do
│   ├── UnknownMaterialError   a material that the matter does not have
│   ├── UnsupportedFileError   not JPEG, PNG, TIFF or PDF, or damaged
│   ├── UnstorableError        characters or numbers that no database holds
│   └── LimitError             over a limit on bytes, pages, pixels, time or memory
│       └── OverdueError       not done in time by the clock, which may be this machine's fault
├── CatalogueError             a matter file is wrong; carries file, line and remedy
├── NotFoundError              no such application, page, licence, matter, material or file
├── ConflictError              the state does not allow it, or somebody else was faster
├── AccessError                the key or role does not allow it
├── BusyError                  too much work is waiting; try again after some seconds
│   └── UnavailableError       the database or the blob store is out of reach, full or restarting: nothing was done
│       └── AuditError         the audit log is not what this process knows it to be: nothing is done on it
├── SetupError                 something is missing on this machine; the message names the command that fixes it
└── SealError                  a seal could not be made
    └── SealUnavailableError   TSA, OCSP, CRL or key store is out of reach: wait and try again
        └── SealKeyUnavailableError   the token with the key: open it again
            └── SealPinError   the token refuses the PIN: wait for a person, and never try it twice

``code`` is stable and meant for programs; the message is English and meant for
developers and logs; what a citizen or official reads is in Chinese and comes
from ``message_zh``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DocprocError(Exception):
    """Base of all errors raised on purpose."""

    code = "error"
    message_zh = "处理失败，请稍后重试或联系工作人员"

    def __init__(self, message: str, *, message_zh: str | None = None, code: str | None = None) -> None:
        """Keep the developer's message and, where given, the citizen's."""
        super().__init__(message)
        if message_zh is not None:
            self.message_zh = message_zh
        if code is not None:
            self.code = code


class InputError(DocprocError):
    """What was handed in cannot be used."""

    code = "bad_input"
    message_zh = "提交的内容无法使用，请检查后重新提交"
    errors: tuple[Mapping[str, object], ...] = ()
    """Parts of the request that are at fault: place (``where``), ``problem`` and, of names, those ``known``."""

    def __init__(
        self,
        message: str,
        *,
        message_zh: str | None = None,
        code: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """As every error, with the parts at fault."""
        super().__init__(message, message_zh=message_zh, code=code)
        self.errors = tuple(errors)


class UnknownMaterialError(InputError):
    """The matter asks for no such material; the message lists those that it has."""

    code = "unknown_material"


class UnsupportedFileError(InputError):
    """The bytes are not a readable JPEG, PNG, TIFF or PDF."""

    code = "unsupported_file"
    message_zh = "文件无法打开，请上传 JPEG、PNG、HEIC、TIFF 或 PDF 格式的扫描件"


class LimitError(InputError):
    """A limit on bytes, pages, pixels, time or memory was exceeded."""

    code = "limit_exceeded"
    message_zh = "文件过大或页数过多，请分开上传"


class OverdueError(LimitError):
    """Not done in time by the clock on the wall: it says as much of a busy machine as of the file."""

    code = "too_slow"


class UnstorableError(InputError):
    """A text with a null or half a surrogate pair, or a number, that no database holds."""

    code = "unstorable"
    message_zh = "内容含有无法处理的字符或数字，请检查后重新提交"


class CatalogueError(DocprocError):
    """A matter file breaks the catalogue's rules."""

    code = "catalogue"

    def __init__(self, file: str, line: int, problem: str, remedy: str) -> None:
        """Point at the line (1-based) and say how to mend it."""
        super().__init__(f"{file}:{line}: {problem}; {remedy}")
        self.file, self.line, self.problem, self.remedy = file, line, problem, remedy


class NotFoundError(DocprocError):
    """The thing that was named does not exist, or not for this caller."""

    code = "not_found"
    message_zh = "没有找到"


class ConflictError(DocprocError):
    """The present state does not allow the action."""

    code = "conflict"
    message_zh = "当前状态不允许此操作，请刷新后再试"


class AccessError(DocprocError):
    """The caller's key or role does not allow the action."""

    code = "forbidden"
    message_zh = "没有权限"


class BusyError(DocprocError):
    """Too much work is waiting or too many requests came; nothing was done, try again later."""

    code = "busy"
    message_zh = "当前办理人数较多，请稍后再试"

    def __init__(self, message: str, *, retry_after: int = 30, message_zh: str | None = None) -> None:
        """``retry_after`` is in seconds."""
        super().__init__(message, message_zh=message_zh)
        self.retry_after = retry_after


class UnavailableError(BusyError):
    """The database or the blob store is out of reach, full or restarting; nothing was done, try again soon."""

    code = "unavailable"
    message_zh = "系统正在维护，请稍后再试"

    def __init__(self, message: str, *, retry_after: int = 10, message_zh: str | None = None) -> None:
        """``retry_after`` is in seconds."""
        super().__init__(message, retry_after=retry_after, message_zh=message_zh)


class AuditError(UnavailableError):
    """The audit log lost lines, or has lines that nobody of ours wrote."""

    code = "audit_broken"
    message_zh = "审计日志校验未通过，系统暂停办理，请联系系统管理员"


class SetupError(DocprocError):
    """Something is missing on this machine; the message names the command that fixes it."""

    code = "setup"


class SealError(DocprocError):
    """A seal could not be made."""

    code = "seal"
    message_zh = "签章失败"


class SealUnavailableError(SealError):
    """A time-stamp, revocation or key service is out of reach; nothing was sealed, try again later."""

    code = "seal_unavailable"
    message_zh = "签章服务暂不可用，系统将自动重试"


class SealKeyUnavailableError(SealUnavailableError):
    """The token that holds the seal's key is gone or refuses; it must be opened again."""

    code = "seal_key_unavailable"
    message_zh = "签章密钥（密码机）暂不可用，尚未签章，系统将自动重试；如持续出现请联系管理员"


class SealPinError(SealKeyUnavailableError):
    """The token refuses the PIN, which is not tried again: a token locks itself after a few wrong ones."""

    code = "seal_pin"
    message_zh = "密码机不接受口令（PIN），已停止尝试以免密码机锁死；请管理员更正口令并重启签章服务，办件仍在排队"
