"""A proxy for HTTP, which passes bytes on as they are and does wrong when it is told.

`Proxy(address)` listens on a port of its own. A `Rule` says which requests meet which fault and how often; without one
that matches a request is passed on. Where an answer's Location leads to another server (a data node of HDFS), a second
port leads there and stands in its place, so that the same rules are met there. The Host line is passed on unchanged.
"""
import contextlib
import random
import select
import socket
import struct
import threading
import time
import urllib.parse

PAGE = b"<html><body>Please log in at the gate</body></html>"
TIRED = b"the store is tired"
SILENCE_S = 60  # longer than any client of a test waits
PIECE = 64 << 10
RATE = 64 << 10  # bytes a second
DELAY_S = 0.7
AWAY_S = 0.5


class Gone(Exception):
    """One of the two has closed its connection."""


class Request:
    """What a rule looks at."""

    def __init__(self, head):
        self.head = head
        lines = head.split(b"\r\n")
        self.method, target, self.version = lines[0].decode("latin-1").split(" ", 2)
        parts = urllib.parse.urlsplit(target)
        self.target, self.path = target, urllib.parse.unquote(parts.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers_of(head)
        self.port = 0  # that it came to
        self.is_first_port = True

    def __str__(self):
        return f"{self.method} {self.target[:300]}"


def headers_of(head):
    pairs = (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    return {name.strip().lower().decode("latin-1"): value.strip().decode("latin-1") for name, value in pairs}


class Rule:
    """`fault` for the requests that `matches` says, `times` of them (None: all, until it is taken away).

    Nothing is done by the server:
      reset         the connection is reset when the request has come
      silent        nobody answers
      away          as reset, and nobody listens for half a second
      html          a page, as from a gateway
      500, 503      with a text; of 503 it is `body`
      redirect      to where it came from
    Something is done:
      cut           the server gets half of the request
    It is done:
      lost          the answer is lost and the connection reset
      silent-after  the answer never comes
      half          half of the answer comes
      slow          it comes late, and everything at `rate` bytes a second
    """

    def __init__(self, fault, matches, times=1, body=TIRED, rate=RATE):
        self.fault, self.matches, self.times, self.body, self.rate = fault, matches, times, body, rate
        self.hits = []  # the requests, as texts

    def is_used_up(self):
        return self.times is not None and len(self.hits) >= self.times


class Connection:
    """A socket and what was read of it."""

    def __init__(self, sock):
        self.socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def read_some(self):
        if not self.buffer:
            with as_gone():
                self.buffer = self.socket.recv(PIECE)
        piece, self.buffer = self.buffer, b""
        return piece

    def read_until(self, mark):
        """Up to the mark and with it; nothing if the connection ends before the first byte."""
        found = b""
        while mark not in found:
            piece = self.read_some()
            if not piece:
                if found:
                    raise Gone
                return b""
            found += piece
        end = found.index(mark) + len(mark)
        self.buffer = found[end:] + self.buffer
        return found[:end]

    def read_exactly(self, count):
        """In pieces."""
        while count:
            piece = self.read_some()
            if not piece:
                raise Gone
            self.buffer = piece[count:]
            piece = piece[:count]
            count -= len(piece)
            yield piece

    def read_chunks(self):
        """A chunked body with its framing, in pieces."""
        while True:
            line = self.read_until(b"\r\n")
            if not line:
                raise Gone
            yield line
            size = int(line.split(b";")[0], 16)
            if size == 0:
                while True:  # trailers
                    line = self.read_until(b"\r\n")
                    yield line
                    if line in (b"\r\n", b""):
                        return
            yield from self.read_exactly(size + 2)

    def read_all(self):
        while piece := self.read_some():
            yield piece

    def write(self, data, rate=None):
        with as_gone():
            for begin in range(0, len(data), PIECE):
                piece = data[begin:begin + PIECE]
                self.socket.sendall(piece)
                if rate:
                    time.sleep(len(piece) / rate)

    def wait_until_left(self, most_s):
        """Until the other side closes it; what it still sends is dropped."""
        deadline = time.monotonic() + most_s
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                self.socket.settimeout(max(0.01, deadline - time.monotonic()))
                if not self.socket.recv(PIECE):
                    return

    def reset(self):
        """Closes it so that the other side is told of an error, and not of an end."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()

    def hang_up(self):
        """From another thread than the one that may be reading there, which sees an end."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def has_ended(self):
        """Whether the other side has closed it while nothing was asked."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return bool(readable)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            self.socket.close()


@contextlib.contextmanager
def as_gone():
    try:
        yield
    except OSError:
        raise Gone from None


def has_body(method, status):
    return method != "HEAD" and status not in (204, 304)


class Door:
    """One port, behind which there is one server."""

    def __init__(self, proxy, upstream):
        self.proxy, self.upstream = proxy, upstream
        self.listener = None
        self.port = 0
        self.open()

    def open(self):
        """At the port that it had, if it had one."""
        if not self.port:
            self.listener, self.port = listening_below_clients()
        else:
            self.listener = listening(self.port)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def shut(self):
        """From now on nobody listens there."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(Connection(client),), daemon=True).start()

    def serve(self, client):
        server = None
        self.proxy.clients.add(client)
        try:
            while head := client.read_until(b"\r\n\r\n"):
                request = Request(head)
                request.port, request.is_first_port = self.port, self is self.proxy.first
                exchange = Exchange(self, client, request, self.proxy.rule_for(request))
                if not exchange.is_answered_here():
                    if server and server.has_ended():
                        server.close()
                        server = None
                    if server is None:
                        with as_gone():
                            server = Connection(socket.create_connection(self.upstream, timeout=SILENCE_S))
                    exchange.pass_on(server)
                if not exchange.goes_on:
                    break
        except Gone:
            # What the server did is passed on: it broke off too.
            client.reset()
        finally:
            self.proxy.clients.discard(client)
            client.close()
            if server:
                server.close()


class Exchange:
    """One request and its answer, with a fault or without."""

    def __init__(self, door, client, request, rule):
        self.door, self.client, self.request, self.rule = door, client, request, rule
        self.fault = rule.fault if rule else None
        self.goes_on = request.headers.get("connection", "").lower() != "close"
        self.rate = rule.rate if self.fault == "slow" else None

    def request_body(self):
        if self.request.headers.get("transfer-encoding", "").lower() == "chunked":
            return self.client.read_chunks()
        return self.client.read_exactly(int(self.request.headers.get("content-length", "0")))

    def is_answered_here(self):
        """Whether the server hears nothing of it."""
        if self.fault == "away":
            self.client.reset()
            self.door.proxy.away(AWAY_S)
            raise Gone
        if self.fault == "reset":
            self.client.reset()
            raise Gone
        if self.fault == "silent":
            self.client.wait_until_left(SILENCE_S)
            raise Gone
        if self.fault not in ("html", "500", "503", "redirect"):
            return False
        answers = {"html": (200, "text/html", PAGE), "500": (500, "text/plain", TIRED),
                   "503": (503, "", self.rule.body), "redirect": (307, "", b"")}
        for _ in self.request_body():
            pass
        status, kind, body = answers[self.fault]
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        if kind:
            lines.append(f"Content-Type: {kind}")
        if self.fault == "redirect":
            lines.append(f"Location: http://{self.request.headers['host']}{self.request.target}")
        head = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
        self.client.write(head + (body if self.request.method != "HEAD" else b""))
        return True

    def pass_on(self, server):
        if self.fault == "cut":
            self.cut(server)
        server.write(self.request.head)
        with contextlib.suppress(Gone):  # it may have answered before the end
            for piece in self.request_body():
                server.write(piece, self.rate)
        head = self.answer_head(server)
        if self.fault == "lost":
            self.drain(server, head)
            self.client.reset()
            raise Gone
        if self.fault == "silent-after":
            self.drain(server, head)
            self.client.wait_until_left(SILENCE_S)
            raise Gone
        if self.fault == "half":
            self.half(server, head)
        if self.fault == "slow":
            time.sleep(DELAY_S)
        self.client.write(head, self.rate)
        for piece in self.answer_body(server, head):
            self.client.write(piece, self.rate)

    def cut(self, server):
        """Half of the request comes through."""
        body = b"".join(self.request_body())
        whole = self.request.head + body
        server.write(whole[:len(self.request.head) + len(body) // 2] if body else whole[:len(whole) // 2])
        server.close()
        self.client.reset()
        raise Gone

    def half(self, server, head):
        """Half of the answer comes through, or of its head if it has no body."""
        body = b"".join(self.answer_body(server, head))
        self.client.write(head + body[:len(body) // 2] if body else head[:len(head) // 2])
        server.close()
        self.client.close()
        raise Gone

    def drain(self, server, head):
        for _ in self.answer_body(server, head):
            pass

    def answer_head(self, server):
        while True:
            head = server.read_until(b"\r\n\r\n")
            if not head:
                raise Gone
            if status_of(head) >= 200:
                return self.door.proxy.redirected(head)
            self.client.write(head)

    def answer_body(self, server, head):
        headers = headers_of(head)
        if headers.get("connection", "").lower() == "close":
            self.goes_on = False
        if not has_body(self.request.method, status_of(head)):
            return iter(())
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return server.read_chunks()
        if "content-length" in headers:
            return server.read_exactly(int(headers["content-length"]))
        self.goes_on = False
        return server.read_all()


def status_of(head):
    return int(head.split(b" ", 2)[1])


def listening(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


def listening_below_clients():
    """Below the ports that the kernel hands to clients: one of them would take it while nobody listens there."""
    for _ in range(1000):
        port = random.randrange(10000, 32768)
        with contextlib.suppress(OSError):
            return listening(port), port
    raise OSError("no port is free")


class Proxy:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.mutex = threading.RLock()
        self.rules, self.doors, self.clients = [], {}, set()
        self.is_away = False
        self.first = self.door_to(host, int(port))

    def address(self):
        return f"127.0.0.1:{self.first.port}"

    def door_to(self, host, port):
        with self.mutex:
            if (host, port) not in self.doors:
                self.doors[host, port] = Door(self, (host, port))
            return self.doors[host, port]

    def redirected(self, head):
        """An answer's head whose Location, if any, leads to a port of ours."""
        location = headers_of(head).get("location")
        url = urllib.parse.urlsplit(location or "")
        if url.scheme != "http" or not url.port:
            return head
        door = self.door_to(url.hostname, url.port)
        new = url._replace(netloc=f"{url.hostname}:{door.port}").geturl()
        return head.replace(location.encode("latin-1"), new.encode("latin-1"))

    # ---- what is to go wrong

    def arm(self, *rules):
        with self.mutex:
            self.rules += rules

    def disarm(self):
        with self.mutex:
            self.rules.clear()

    def rule_for(self, request):
        with self.mutex:
            for rule in self.rules:
                if not rule.is_used_up() and rule.matches(request):
                    rule.hits.append(str(request))
                    return rule
        return None

    def away(self, seconds):
        """Nobody listens, and all connections break, for so long; returns at once."""
        with self.mutex:
            if self.is_away:
                return
            self.is_away = True
            for door in self.doors.values():
                door.shut()
            clients = [*self.clients]
        for client in clients:
            client.hang_up()
        timer = threading.Timer(seconds, self.come_back)
        timer.daemon = True
        timer.start()

    def come_back(self):
        with self.mutex:
            if not self.is_away:
                return
            for door in self.doors.values():
                door.open()
            self.is_away = False
