"""S3 in memory: buckets, keys, versions; strongly consistent, as it is."""

import random
from dataclasses import dataclass, field

from tests.cloud.refusing import Mistake, refused

LONGEST_KEY = 1_024
LARGEST_PUT = 5 * 1_024**3
"""Bytes of one PutObject: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html"""


@dataclass(frozen=True, slots=True)
class Version:
    """An object as it was written once; without a body it is a delete marker."""

    id: str
    body: bytes | None
    content_type: str


@dataclass(slots=True)
class Bucket:
    versioned: bool
    listable: bool
    """Without ListBucket a key that is not there is AccessDenied: S3 does not say whether it is."""
    objects: dict[str, list[Version]] = field(default_factory=dict)
    """Versions by key, the newest last."""


class S3:
    """The buckets of an account; `get_object` and `put_object` are those of the kit's `Aws`."""

    def __init__(self, chance: random.Random) -> None:
        self.buckets: dict[str, Bucket] = {}
        self._chance = chance

    def add(self, name: str, *, versioned: bool = True, listable: bool = True) -> Bucket:
        self.buckets[name] = Bucket(versioned, listable)
        return self.buckets[name]

    async def get_object(self, bucket: str, key: str, *, version: str | None = None) -> bytes:
        """The body of the newest version, or of the one named.

        Raises:
            AwsRefused: NoSuchKey, NoSuchVersion, NoSuchBucket, AccessDenied.
        """
        return self.get(bucket, key, version)

    async def put_object(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_none_match: str | None = None,
    ) -> str:
        """Write an object; with `if_none_match="*"` only if there is none. Its version.

        Raises:
            AwsRefused: PreconditionFailed, KeyTooLongError, EntityTooLarge, NoSuchBucket.
        """
        if if_none_match not in (None, "*"):
            raise Mistake(f"NotImplemented: If-None-Match takes only *, not {if_none_match!r}")
        if if_none_match and self._newest(bucket, key) is not None:
            raise refused(
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            )
        return self.put(bucket, key, body, content_type)

    def put(
        self, bucket: str, key: str, body: bytes, content_type: str = "application/octet-stream"
    ) -> str:
        """The same for tests, at once."""
        if type(body) is not bytes or not key:
            raise Mistake(f"no object: {key!r}, {type(body)}")
        if len(key.encode()) > LONGEST_KEY:
            raise refused("KeyTooLongError", "Your key is too long")
        if len(body) > LARGEST_PUT:
            raise refused("EntityTooLarge", "Your proposed upload exceeds the maximum size")
        return self._write(bucket, key, body, content_type)

    def get(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """The same for tests, at once."""
        held = self._bucket(bucket)
        if version is None:
            found = self._newest(bucket, key)
        else:
            versions = held.objects.get(key, [])
            found = next((one for one in versions if one.id == version), None)
        if found is None or found.body is None:
            if not held.listable:
                raise refused("AccessDenied", "Access Denied")
            code = "NoSuchKey" if version is None else "NoSuchVersion"
            raise refused(code, f"The specified {code[6:].lower()} does not exist.")
        return found.body

    def delete(self, bucket: str, key: str) -> None:
        """With versions a marker, without them for good; what is not there is no error."""
        held = self._bucket(bucket)
        if held.versioned:
            self._write(bucket, key, None, "")
        else:
            held.objects.pop(key, None)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Those that have an object now, in order."""
        held = self._bucket(bucket).objects
        return sorted(
            key for key in held if key.startswith(prefix) and self._newest(bucket, key) is not None
        )

    def _write(self, bucket: str, key: str, body: bytes | None, content_type: str) -> str:
        held = self._bucket(bucket)
        id = f"{self._chance.getrandbits(160):040x}" if held.versioned else "null"
        version = Version(id, body, content_type)
        if held.versioned:
            held.objects.setdefault(key, []).append(version)
        else:
            held.objects[key] = [version]
        return id

    def _newest(self, bucket: str, key: str) -> Version | None:
        versions = self._bucket(bucket).objects.get(key)
        return versions[-1] if versions and versions[-1].body is not None else None

    def _bucket(self, name: str) -> Bucket:
        found = self.buckets.get(name)
        if found is None:
            raise refused("NoSuchBucket", "The specified bucket does not exist")
        return found
