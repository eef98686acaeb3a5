"""Words at any address, for numba: loads and stores that need not be aligned, one instruction each.

An array's elements cost an index and its check for negative ones; in a loop over frames whose fields stand at odd
places that is most of the time. The caller is responsible for the address.
"""

from __future__ import annotations

from typing import Any

from arrays.jit import intrinsic, ir, types

_V16 = ir.VectorType(ir.IntType(8), 16)


def loaded(builder: Any, kind: Any, address: Any) -> Any:
    """For other intrinsics: a value of this LLVM type."""
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def _stored(builder: Any, value: Any, address: Any) -> None:
    stored = builder.store(value, builder.inttoptr(address, value.type.as_pointer()))
    stored.align = 1


def _load(bits: int, what: str) -> Any:
    def load(_context: Any, address: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return loaded(builder, ir.IntType(bits), arguments[0])

        return getattr(types, f"uint{bits}")(types.int64), generate

    load.__doc__ = what
    return intrinsic(load)


load_8 = _load(8, "One byte.")
load_16 = _load(16, "Two bytes, the first the lower one.")
load_32 = _load(32, "Four bytes, the first the lowest.")
load_64 = _load(64, "Eight bytes, the first the lowest.")


@intrinsic
def store(_context: Any, value: Any, to: Any) -> Any:
    """As many bytes as the value's type has, the lowest first."""
    if not isinstance(value, types.Integer):
        raise TypeError(f"only a whole number of known width can be stored, not {value}")

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _stored(builder, *arguments)
        return context.get_dummy_value()

    return types.void(value, types.int64), generate


@intrinsic
def copy_16(_context: Any, begin: Any, to: Any) -> Any:
    """Sixteen bytes from one address to another."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _stored(builder, loaded(builder, _V16, arguments[0]), arguments[1])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
