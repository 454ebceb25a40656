"""Messages over a socket of packets: whole or not at all, with their descriptors, whatever is interrupted between them."""

import os
import socket
import threading
from array import array
from collections.abc import Iterator

import pytest

from pynetemu.engine.protocol.channel import PART, Assembly, Behind, Channel, ChannelClosed, DescriptorsLost, Message, TooLong
from tests.support.wait import wait_until

pytestmark = pytest.mark.pure


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    before = _open_files()
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in near, far:
        end.settimeout(10)
    channels = Channel(near), Channel(far)
    yield channels
    for channel in channels:
        channel.close()
    wait_until(lambda: _open_files() <= before)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _send(channel: Channel, message: Message, descriptors: list[int]) -> threading.Thread:
    """In a thread: what is longer than a packet or two waits for its reader."""
    sending = threading.Thread(target=channel.send, args=(message, descriptors))
    sending.start()
    return sending


@pytest.mark.parametrize("size", [0, 1, PART - 12, PART - 11, PART - 10, PART, 2 * PART, 150_000])
def test_messages_of_any_size_arrive(ends: tuple[Channel, Channel], size: int) -> None:
    near, far = ends
    message = {"text": "x" * size}
    sending = _send(near, message, [])
    assert far.receive() == (message, [])
    sending.join()


@pytest.mark.parametrize("parts", [[b""], [b"\0{}", b"", b"\1" * 200_000], [b'{"bytes": [0, 1]}']])
def test_bytes_arrive(ends: tuple[Channel, Channel], parts: list[bytes]) -> None:
    near, far = ends
    sending = _send(near, {"parts": parts, "text": "\0"}, [])
    assert far.receive() == ({"parts": parts, "text": "\0"}, [])
    sending.join()


@pytest.mark.parametrize("place", ["[0, 4]", "[3, 1]", "[-1, 1]", "[0, -1]", '["0", 1]', "[0]", "[0.5, 1]", "7"])
def test_bytes_that_have_not_come_are_none(ends: tuple[Channel, Channel], place: str) -> None:
    near, far = ends
    near.connection.sendmsg([b"\3" + b'{"a": {"bytes": ' + place.encode() + b"}}\0abc"])
    message, _ = far.receive()
    assert not isinstance(message["a"], bytes)


def test_names_that_are_no_text_arrive(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    near.send({"file": os.fsdecode(b"a\xffb")})
    assert os.fsencode(far.receive()[0]["file"]) == b"a\xffb"


def test_descriptors_travel_with_the_first_packet_and_are_closed_on_exec(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    read, write = os.pipe()
    sending = _send(near, {"text": "x" * 200_000}, [read, write])
    _, (their_read, their_write) = far.receive()
    sending.join()
    os.close(read)
    os.write(write, b"hello")
    assert os.read(their_read, 10) == b"hello"
    for descriptor in their_read, their_write:
        assert not os.get_inheritable(descriptor)
        os.close(descriptor)
    os.close(write)


def test_a_message_that_was_broken_off_is_forgotten(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    near.connection.sendmsg([b'\1{"a": '], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0, 1]))])
    near.send({"b": 1}, [2])
    message, (descriptor,) = far.receive()
    assert message == {"b": 1}
    os.close(descriptor)
    near.connection.sendmsg([b"\0the middle of one"])
    near.connection.sendmsg([b"\2its end"])
    near.send({"c": 1})
    assert far.receive() == ({"c": 1}, [])


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"{", b"\xff\xfe", b'{"a":1}x'])
def test_what_is_no_message_is_an_error_and_leaves_nothing(ends: tuple[Channel, Channel], body: bytes) -> None:
    near, far = ends
    near.connection.sendmsg([b"\3" + body], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0]))])
    with pytest.raises((ValueError, RecursionError)):
        far.receive()
    near.send({"next": 1})
    assert far.receive() == ({"next": 1}, [])


def test_more_descriptors_than_there_may_be_are_told(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    near.send({"number": 7}, [0] * 40)
    with pytest.raises(DescriptorsLost, match="Too many open files") as caught:
        far.receive()
    assert caught.value.message == {"number": 7}


def test_a_descriptor_that_is_none_sends_nothing(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    with pytest.raises(OSError, match="Bad file descriptor"):
        near.send({"a": 1}, [999])
    near.send({"b": 1})
    assert far.receive() == ({"b": 1}, [])


def test_the_end_is_told_after_what_was_said(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    far.send({"unread": 1})
    near.send({"last": 1})
    near.close()
    assert far.receive() == ({"last": 1}, [])
    with pytest.raises(ChannelClosed):
        far.receive()
    with pytest.raises(ChannelClosed):
        far.send({"a": 1})


def test_a_long_message_ends_where_it_is_too_long(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    assembly = Assembly(longest=2 * PART)
    near.connection.sendmsg([b"\1" + b"x" * PART], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0]))])
    assert assembly.receive(far.connection) is None
    near.connection.sendmsg([b"\0" + b"x" * PART])
    assert len(assembly) == PART
    with pytest.raises(TooLong, match="a request of more than 0 MiB"):
        assembly.receive(far.connection)
    assert len(assembly) == 0


@pytest.mark.parametrize("item", ["0", "[]", "{}", '""', '{"a":[]}', '{"bytes":[0,0]}', '{"a\\",,,":[]}'])
def test_a_message_of_more_values_than_its_length_allows_is_not_read(ends: tuple[Channel, Channel], item: str) -> None:
    near, far = ends
    assembly = Assembly(longest=PART // 4)
    body = '{"a":[' + ",".join([item] * (15_000 // (len(item) + 1))) + "]}"
    near.connection.sendmsg([b"\3" + body.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0]))])
    with pytest.raises(TooLong, match="a request of more than 1,092 values"):
        assembly.receive(far.connection)
    assert len(assembly) == 0


@pytest.mark.parametrize(
    "text", [",[{" * 2000, '\\",[{' * 1000, '\\\\",'], ids=["marks", "escaped quotes", "an escape at the end"]
)
def test_what_stands_in_a_text_is_not_counted(ends: tuple[Channel, Channel], text: str) -> None:
    near, far = ends
    behind = Behind()
    sent = {"a": text, "b": text, "c": "," * 1100}
    near.connection.sendmsg([b"\3" + behind.body(behind.text(sent))])
    assert Assembly(longest=PART // 4).receive(far.connection) == (sent, [])


def test_bytes_behind_a_message_are_not_counted(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    behind = Behind()
    near.connection.sendmsg([b"\3" + behind.body(behind.text({"a": b"," * 2000}))])
    assert Assembly(longest=PART // 4).receive(far.connection) == ({"a": b"," * 2000}, [])
