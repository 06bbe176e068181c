"""Records in Redis, Valkey or whatever else speaks its protocol, for servers that share them.

Rule: a request waits two seconds at most for a store that doesn't answer.  Redis expires records itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from emulator.records.forks import PerProcess
from emulator.records.interface import StoreUnavailable, digest, name_bytes, name_text
from emulator.store_urls import shown

PREFIX = "tool-use-emulator:program:"
COUNTERS = "tool-use-emulator:counters:"
SECONDS = 2.0
CONNECTIONS = 8
"""Connections of a process; who finds all in use waits for one."""


class RedisRecords:
    """``Store`` in the Redis at ``url`` (redis://, rediss://, unix://); a group of counters is a hash."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients = PerProcess(self._client)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        try:
            self._clients.get().set(_name(key), value, px=max(1, round(seconds * 1000)))
        except (redis.RedisError, OSError) as error:
            raise self._unavailable(error) from error

    def get(self, key: str) -> bytes | None:
        try:
            found: Any = self._clients.get().get(_name(key))
        except (redis.RedisError, OSError) as error:
            raise self._unavailable(error) from error
        return found

    def delete(self, key: str) -> None:
        try:
            self._clients.get().delete(_name(key))
        except (redis.RedisError, OSError) as error:
            raise self._unavailable(error) from error

    def add(self, group: str, increments: Mapping[str, int]) -> None:
        try:
            with self._clients.get().pipeline(transaction=True) as together:
                for name, increment in increments.items():
                    together.hincrby(COUNTERS + group, name_bytes(name), increment)  # pyright: ignore[reportArgumentType]
                together.execute()
        except (redis.RedisError, OSError) as error:
            raise self._unavailable(error) from error

    def counted(self, group: str) -> dict[str, int]:
        try:
            found: Any = self._clients.get().hgetall(COUNTERS + group)
        except (redis.RedisError, OSError) as error:
            raise self._unavailable(error) from error
        return {name_text(name): int(value) for name, value in found.items()}

    def close(self) -> None:
        self._clients.get().connection_pool.disconnect()

    def _client(self) -> redis.Redis:
        return redis.Redis(
            connection_pool=redis.BlockingConnectionPool.from_url(
                self._url,
                max_connections=CONNECTIONS,
                timeout=SECONDS,
                socket_timeout=SECONDS,
                socket_connect_timeout=SECONDS,
                # Once more where a kept connection turns out to be cut, but not after a time-out.
                retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
                # The older protocol is spoken by all, and a connection is ready without a greeting.
                protocol=2,
                driver_info=None,
            )
        )

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"The store of programs at {shown(self._url)} can't be used: {error}")


def _name(key: str) -> str:
    return PREFIX + digest(key).hex()
