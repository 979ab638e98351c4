"""Names, sizes and files of the tensors in a model's folder, from the headers of its safetensors files."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

MAX_HEADER_BYTES = 100 << 20


@dataclass(frozen=True)
class TensorEntry:
    file: str
    size: int
    """Bytes."""


def read_weight_map(folder: Path) -> dict[str, TensorEntry]:
    """Tensors that lie in `folder`; the index file is not asked, because it also lists what other nodes hold."""
    entries: dict[str, TensorEntry] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        for name, tensor in _header(file).items():
            if name != "__metadata__":
                begin, end = tensor["data_offsets"]
                entries[name] = TensorEntry(file.name, end - begin)
    return entries


def _header(file: Path) -> dict:
    size = file.stat().st_size
    with file.open("rb") as stream:
        prefix = stream.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
        if length > min(MAX_HEADER_BYTES, size - 8):
            raise ValueError(f"{file.name} is cut off or no safetensors file: its header claims {length} of {size} bytes.")
        header = json.loads(stream.read(length))
    last = max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0)
    if 8 + length + last > size:
        raise ValueError(f"{file.name} is cut off: {size} bytes of {8 + length + last}. Copy it again.")
    return header
