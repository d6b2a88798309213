"""A mail server that takes letters, over TLS if it is told so, or fails in whichever way the recipient's name says.

mail_server.py FOLDER PORT HOW [CERTIFICATE KEY]; HOW is plain, starttls or implicit (the last wants the login "alcove", "open sesame").
Says "ready" once it listens. Each letter that it has is a file N.eml in the folder, whole once it has that name.
"""

import asyncio
import pathlib
import ssl
import sys
from collections import Counter

from aiosmtpd.smtp import SMTP, AuthResult

folder, port, how, *pair = sys.argv[1:]
folder = pathlib.Path(folder)
seen = Counter()
letters = Counter()


def keep(content):
    letters["all"] += 1
    part = folder / "part"
    part.write_bytes(content)
    part.rename(folder / f"{letters['all']}.eml")


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        who = address.split("@")[0]
        seen[who] += 1
        first = seen[who] == 1
        if who == "refuse":
            return "550 5.1.1 nobody of that name"
        if who == "greylist" and first:
            return "451 4.7.1 come again"
        if who == "stall" and first:
            await asyncio.sleep(3600)
        if who == "drop" and first:
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        who = envelope.rcpt_tos[0].split("@")[0]
        if who == "spam":
            return "554 5.7.1 it is not wanted"
        if who == "full" and seen[who] == 1:
            return "452 4.2.2 the mailbox is full"
        keep(envelope.original_content)
        if who == "lost" and seen[who] == 1:
            server.transport.abort()
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    # Not handled: it is the server that answers.
    return AuthResult(success=(data.login, data.password) == (b"alcove", b"open sesame"), handled=False)


def session():
    if how == "implicit":
        return SMTP(Handler(), authenticator=login, auth_required=True, auth_require_tls=False)
    return SMTP(Handler(), tls_context=tls, require_starttls=tls is not None)


tls = None
if pair:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*pair)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", int(port), ssl=tls if how == "implicit" else None)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
