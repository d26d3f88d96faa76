"""A real SMTP server that does what a script tells it, and a strict reader of messages; for the mail tests.

    smtp_server.py serve '{"folder": "...", "tls": "starttls", ...}'
        prints one line `{"port": ..., "ca": "..."}`, then serves until its standard input closes. What it takes over
        is written to <folder>/taken.jsonl (one JSON object a copy, message bytes in base64), every command to
        <folder>/commands.jsonl with whether it came encrypted.
    smtp_server.py parse FILE
        parses a message so strictly that any defect is an error, and prints what a reader gets as JSON.

Options of serve: tls = none | starttls | implicit; name = host name of the certificate; auth = true asks for
user:secret; size = largest message in bytes; script = what to do with each transaction in turn (the last one does not
repeat, "take" follows): take, mail-4xx, mail-5xx, data-4xx, data-5xx, rcpt-some (refuses 'gone@', defers 'later@'),
rcpt-all, drop-before-data, drop-in-data, drop-after-dot, hang, hang-rcpt, hang-data, hang-in-data, hang-after-dot,
close-421; hello = the same for each greeting in turn: take, hang. Where it begins to hang, it says so in
<folder>/hung.jsonl.
"""

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path


def certify(context, folder, name):
    """Gives a context a certificate for a host name, and returns the file of the authority that vouches for it."""
    import datetime
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(subject, issuer, key, signer, is_authority):
        builder = x509.CertificateBuilder(
            issuer_name=issuer,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(days=1),
            not_valid_after=now + datetime.timedelta(days=30),
        ).add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def called(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = called("test authority")
    ca = folder / "ca.pem"
    ca.write_bytes(certificate(authority, authority, authority_key, authority_key, True))
    chain = folder / "server.pem"
    chain.write_bytes(certificate(called(name), authority, key, authority_key, False) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context.load_cert_chain(str(chain))
    return ca


def serve(options):
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    folder = Path(options["folder"])
    script = list(options.get("script", []))
    tls = options.get("tls", "none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca = certify(context, folder, options.get("name", "localhost"))
    (folder / "taken.jsonl").touch()
    (folder / "commands.jsonl").touch()
    (folder / "hung.jsonl").touch()
    hello = list(options.get("hello", []))

    def write(name, value):
        with open(folder / name, "a", encoding="utf-8") as out:
            out.write(json.dumps(value) + "\n")

    async def hang(step):
        write("hung.jsonl", {"step": step})
        await asyncio.sleep(3600)

    class Server(SMTP):
        def log(self, command, arg=None):
            encrypted = self.transport.get_extra_info("ssl_object") is not None
            write("commands.jsonl", {"command": command, "encrypted": encrypted})

        async def smtp_EHLO(self, arg):
            self.log("EHLO")
            if hello and hello.pop(0) == "hang":
                await hang("hello")
            await super().smtp_EHLO(arg)

        async def smtp_STARTTLS(self, arg):
            self.log("STARTTLS")
            await super().smtp_STARTTLS(arg)

        async def smtp_AUTH(self, arg):
            self.log("AUTH")
            await super().smtp_AUTH(arg)

        async def smtp_MAIL(self, arg):
            self.log("MAIL")
            self.step = script.pop(0) if script else "take"
            if self.step == "mail-4xx":
                await self.push("451 4.3.0 busy, come back later")
            elif self.step == "mail-5xx":
                await self.push("550 5.7.1 this sender is not wanted")
            elif self.step == "close-421":
                await self.push("421 4.3.2 closing down")
                self.transport.close()
            elif self.step == "hang":
                await hang(self.step)
            else:
                await super().smtp_MAIL(arg)

        async def smtp_RCPT(self, arg):
            self.log("RCPT")
            address = arg.lower()
            if self.step == "hang-rcpt":
                await hang(self.step)
            if self.step == "rcpt-all" or self.step == "rcpt-some" and "<gone@" in address:
                await self.push(f"550 5.1.1 {arg[3:]} is not here")
            elif self.step == "rcpt-some" and "<later@" in address:
                await self.push("450 4.2.1 mailbox busy")
            else:
                await super().smtp_RCPT(arg)

        async def smtp_DATA(self, arg):
            self.log("DATA")
            if self.step == "drop-before-data":
                self.transport.abort()
            elif self.step == "hang-data":
                await hang(self.step)
            elif self.step == "hang-in-data":
                await self.push("354 go on")
                await self._reader.readline()
                await hang(self.step)
            elif self.step == "drop-in-data":
                await self.push("354 go on")
                await self._reader.readline()
                self.transport.abort()
            else:
                await super().smtp_DATA(arg)

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            step = server.step
            if step == "data-4xx":
                return "452 4.3.1 no room at the moment"
            if step == "data-5xx":
                return "554 5.6.0 not this content"
            write("taken.jsonl", {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "bytes": base64.b64encode(envelope.original_content).decode(),
            })
            if step == "drop-after-dot":
                server.transport.abort()
            if step == "hang-after-dot":
                await hang(step)
            return "250 2.0.0 taken over"

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"secret")
        return AuthResult(success=good, handled=False)

    settings = {"data_size_limit": options.get("size", 33554432), "enable_SMTPUTF8": False}
    if tls == "starttls":
        settings |= {"tls_context": context}
    if options.get("auth"):
        settings |= {"auth_required": True, "authenticator": authenticate, "auth_require_tls": tls == "starttls"}

    class Host(Controller):
        def factory(self):
            return Server(self.handler, hostname="localhost", loop=self.loop, **settings)

    async def main():
        host = Host(Handler(), hostname="127.0.0.1", port=0)
        host.loop = asyncio.get_running_loop()
        wrapped = context if tls == "implicit" else None
        listener = await host.loop.create_server(host.factory, "127.0.0.1", 0, ssl=wrapped)
        print(json.dumps({"port": listener.sockets[0].getsockname()[1], "ca": str(ca)}), flush=True)
        await host.loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


def parse(path):
    import email
    import email.policy

    policy = email.policy.SMTP.clone(raise_on_defect=True)
    raw = Path(path).read_bytes()
    message = email.message_from_bytes(raw, policy=policy)
    defects = [str(d) for part in message.walk() for d in part.defects]
    defects += [str(d) for name in message.keys() for d in message[name].defects]

    def body(kind):
        return message.get_body((kind,)).get_content().replace("\r\n", "\n")

    def people(name):
        return [[a.display_name, a.addr_spec] for a in message[name].addresses] if message[name] else []

    print(json.dumps({
        "type": message.get_content_type(),
        "subject": message["Subject"],
        "from": people("From"),
        "to": people("To"),
        "reply_to": people("Reply-To"),
        "message_id": message["Message-ID"],
        "date": message["Date"].datetime.isoformat(),
        "auto": message["Auto-Submitted"],
        "text": body("plain"),
        "html": body("html"),
        "defects": defects,
        "longest_line": max(len(line) for line in raw.split(b"\r\n")),
    }))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(json.loads(sys.argv[2]))
    else:
        parse(sys.argv[2])
