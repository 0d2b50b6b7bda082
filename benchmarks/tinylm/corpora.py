"""Two byte corpora that anyone can rebuild: Python source and English dictionary prose."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import sysconfig
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONTEXT = 64
"""Bytes per sequence, for every architecture."""

FINAL_SEQUENCES = 2048
"""Validation sequences behind a final loss (128 KiB)."""

CHECKPOINT_STRIDE = 8
"""A checkpoint is scored on every eighth of them (16 KiB)."""

PROSE_FILE = Path("/usr/share/dictd/gcide.dict.dz")
PROSE_VERSION = "dict-gcide 0.48.5+nmu2 (GPL-3+)"
SKIPPED_PARTS = ("site-packages", "__pycache__")
SKIPPED_PREFIXES = ("_sysconfigdata", "config-")


@dataclass(frozen=True)
class Corpus:
    """Sequences of one corpus, with what identifies it.

    Attributes
    ----------
    name, source, sha256
        Short name, where the text comes from, and the hash of its documents in order.
    train, valid
        ``uint8`` arrays of shape ``(sequences, CONTEXT)``; no document is in both.
    """

    name: str
    source: str
    sha256: str
    train: np.ndarray
    valid: np.ndarray


def code_documents() -> list[tuple[str, bytes]]:
    """Every ``.py`` file of the running interpreter's standard library, tests included."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = (path.relative_to(root) for path in root.rglob("*.py"))
    kept = sorted(path.as_posix() for path in files if not _is_skipped(path))
    if not kept:
        raise SystemExit("no standard library source: use an interpreter that ships .py files")
    return [(name, (root / name).read_bytes()) for name in kept]


def _is_skipped(path: Path) -> bool:
    """Whether a file is third-party or written when the interpreter was built."""
    return any(part in SKIPPED_PARTS or part.startswith(SKIPPED_PREFIXES) for part in path.parts)


def prose_documents(size: int = 16_384) -> list[tuple[str, bytes]]:
    """GCIDE dictionary in runs of whole entries of about ``size`` bytes.

    Lines that hold nothing but a source tag, such as ``[1913 Webster]``, are dropped.
    """
    path = Path(os.environ.get("TINYLM_PROSE", PROSE_FILE))
    if not path.exists():
        raise SystemExit(f"{path} is missing: apt-get install dict-gcide, or set TINYLM_PROSE")
    text = gzip.decompress(path.read_bytes())
    text = re.sub(rb"\n *\[[^\[\]\n]*\](?=\n)", b"", text)
    documents: list[list[bytes]] = [[]]
    filled = 0
    for entry in re.split(rb"\n\n(?=\S)", text):
        if filled >= size:
            documents.append([])
            filled = 0
        documents[-1].append(entry)
        filled += len(entry) + 2
    return [(f"gcide/{i:05d}", b"\n\n".join(parts)) for i, parts in enumerate(documents)]


SOURCES = {
    "code": (code_documents, lambda: f"CPython {platform.python_version()} standard library (PSF)"),
    "prose": (prose_documents, lambda: PROSE_VERSION),
}


def load(name: str) -> Corpus:
    """Rebuild one corpus: keep the ASCII documents, split them by name, cut sequences."""
    documents, source = SOURCES[name]
    kept = [(title, text) for title, text in documents() if text.isascii() and b"\0" not in text]
    digest = hashlib.sha256()
    for title, text in kept:
        digest.update(f"{title}\0{len(text)}\0".encode() + text)
    held_out = [text for title, text in kept if zlib.crc32(title.encode()) % 20 == 0]
    rest = [text for title, text in kept if zlib.crc32(title.encode()) % 20 != 0]
    valid = sequences(held_out)
    chosen = np.linspace(0, len(valid) - 1, FINAL_SEQUENCES).round().astype(int)
    return Corpus(name, source(), digest.hexdigest(), sequences(rest), valid[chosen])


def sequences(documents: list[bytes]) -> np.ndarray:
    """Cut each document into whole sequences; the rest of its last one is dropped."""
    whole = (text[: len(text) // CONTEXT * CONTEXT] for text in documents)
    return np.frombuffer(b"".join(whole), np.uint8).reshape(-1, CONTEXT)
