"""The service's functions in one place; HTTP routes and pages call these and nothing below.

Each takes the opened :class:`Context` first and the :class:`Caller` second where
somebody must have signed in, does one unit of work and returns JSON values.
"""

from __future__ import annotations

from docproc.flow.accounts.seats import Seat, hold, leave, resume, seat, sign_in, sign_out
from docproc.flow.applications.applications import (
    add_page,
    correct_field,
    create_application,
    list_applications,
    page_file,
    page_preview,
    remove_page,
    submit,
    view_application,
    withdraw,
)
from docproc.flow.applications.forms import (
    Known,
    blank_form,
    form_by_follow,
    form_by_licence,
    form_of_holder,
    form_of_papers,
    known_of_papers,
)
from docproc.flow.applications.notices import notice_by_code, notice_file, seal_again
from docproc.flow.applications.progress import follow, progress
from docproc.flow.applications.uploads import begin_upload, continue_upload, drop_upload, upload_state
from docproc.flow.blobs.links import licence_link, linked_file, page_link, wallet_link
from docproc.flow.core.access import MAY, ROLES, Act, Caller, Role
from docproc.flow.core.api_keys import (
    audit_lines,
    authenticate,
    check_audit,
    create_key,
    events,
    first_key,
    list_keys,
    revoke_key,
)
from docproc.flow.core.context import Context, open_context
from docproc.flow.core.idempotency import Once, ReusedKeyError
from docproc.flow.counter.custody import (
    chain_of_custody,
    compare,
    find_case,
    hand_over,
    receipt_pdf,
    receive_originals,
    return_originals,
)
from docproc.flow.counter.paper_check import check_papers, checked_so_far
from docproc.flow.licences.bulk import look_up_many, verify_many
from docproc.flow.licences.licences import (
    change_licence,
    licence_by_code,
    licence_by_number,
    licence_file,
    licence_file_by_code,
    view_licence,
)
from docproc.flow.licences.photographs import verify_photo
from docproc.flow.licences.verification import verify_file, verify_report
from docproc.flow.licences.versions import new_version, status_list
from docproc.flow.messages.sms import AGAIN, keep_receipts, send_again, sms_log
from docproc.flow.messages.webhooks import add_webhook, deliveries, list_webhooks, post_again, remove_webhook
from docproc.flow.review.decisions import Seen, StaleError, accept, decide, release
from docproc.flow.wallet.wallet import revoke_share, share, shared, shared_file, wallet, wallet_file, wallet_licence

__all__ = [
    "AGAIN",
    "MAY",
    "ROLES",
    "Act",
    "Caller",
    "Context",
    "Known",
    "Once",
    "ReusedKeyError",
    "Role",
    "Seat",
    "Seen",
    "StaleError",
    "accept",
    "add_page",
    "add_webhook",
    "audit_lines",
    "authenticate",
    "begin_upload",
    "blank_form",
    "chain_of_custody",
    "change_licence",
    "check_audit",
    "check_papers",
    "checked_so_far",
    "compare",
    "continue_upload",
    "correct_field",
    "create_application",
    "create_key",
    "decide",
    "deliveries",
    "drop_upload",
    "events",
    "find_case",
    "first_key",
    "follow",
    "form_by_follow",
    "form_by_licence",
    "form_of_holder",
    "form_of_papers",
    "hand_over",
    "hold",
    "keep_receipts",
    "known_of_papers",
    "leave",
    "licence_by_code",
    "licence_by_number",
    "licence_file",
    "licence_file_by_code",
    "licence_link",
    "linked_file",
    "list_applications",
    "list_keys",
    "list_webhooks",
    "look_up_many",
    "new_version",
    "notice_by_code",
    "notice_file",
    "open_context",
    "page_file",
    "page_link",
    "page_preview",
    "post_again",
    "progress",
    "receipt_pdf",
    "receive_originals",
    "release",
    "remove_page",
    "remove_webhook",
    "resume",
    "return_originals",
    "revoke_key",
    "revoke_share",
    "seal_again",
    "seat",
    "send_again",
    "share",
    "shared",
    "shared_file",
    "sign_in",
    "sign_out",
    "sms_log",
    "status_list",
    "submit",
    "upload_state",
    "verify_file",
    "verify_many",
    "verify_photo",
    "verify_report",
    "view_application",
    "view_licence",
    "wallet",
    "wallet_file",
    "wallet_licence",
    "wallet_link",
    "withdraw",
]
