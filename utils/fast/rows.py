"""Rows of a float32 table as values in the processor's vector registers.

A vector register holds 4, 8 or 16 floats, and one instruction works on all of them. A compiled loop
over `table[i, k]` leaves the compiler to find that out, and to forget between two lines what it had
in registers. This module tells numba directly. It works in three steps:

1. numba translates Python into the language of LLVM, a compiler for all common processors. An
   *intrinsic* is a function whose LLVM code we write ourselves: numba calls `generate` once, while
   it compiles, with a `builder` whose methods (`load`, `fadd`, ...) each append one instruction.
   Python loops in `generate` are therefore unrolled: they run while compiling, not afterwards.
2. LLVM has values of type <8 x float>, a vector. `fadd` of two vectors is one instruction on a
   processor with such registers, and two or more on one with shorter ones: any width gives right
   results everywhere, the processor's own is the fastest.
3. A row of d floats needs d / 8 registers, and there are only 16 or 32. So rows are cut into
   *pieces* of a few vectors, and a piece is the value that a loop keeps at hand. `piece_sizes` says
   how many vectors a piece has.

Addresses are not checked here: see `utils.fast.bounds`.

What was tried: x86-64 with AVX2 (Linux), at the widths 4, 8 and 16. AVX-512 and arm64 hardware
were not; where this code cannot be compiled, the readable loops stand in.
"""

from typing import NamedTuple

from llvmlite import binding, ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

FLOAT = ir.FloatType()
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)
FAST = ("fast",)  # sums in any order, a product and a sum in one instruction
CACHE_LINE = 16  # floats in the 64 bytes that memory hands over at once
REGISTERS = {16: 32, 8: 16, 4: 32}  # vector registers by width: AVX-512, AVX2, NEON
SPARE_REGISTERS = 4  # for two factors, and for the row that comes and goes
WIDTHS = tuple(REGISTERS)


def vector_width(features: dict | None = None) -> int:
    """Floats in this processor's vector registers: 16 with AVX-512, 8 with AVX2, 4 with any other.

    `features` is LLVM's list, {"avx2": True, ...}; what cannot be found out counts as not there.
    """
    if features is None:
        try:
            features = binding.get_host_cpu_features()
        except RuntimeError:
            features = {}
    if features.get("avx512f"):
        return 16
    if features.get("avx2"):
        return 8
    return 4


def padded_width(d: int, width: int) -> int:
    """d, rounded up to a multiple of the vector width."""
    return -(-d // width) * width


class Cut(NamedTuple):
    """A row cut into `large_count` pieces of `large` vectors, then `small_count` of `small`."""

    large: int
    large_count: int
    small: int
    small_count: int


def piece_sizes(columns: int, width: int, registers: int | None = None) -> Cut:
    """How a row of so many columns is cut: pieces of equal size, give or take one vector.

    While rows are learned, a piece of the word's row and one of its step stay in registers.
    """
    vectors = columns // width
    longest = ((registers or REGISTERS[width]) - SPARE_REGISTERS) // 2
    pieces = -(-vectors // longest)
    small, large_count = divmod(vectors, pieces)
    if large_count == 0:
        return Cut(small, pieces, small, 0)
    return Cut(small + 1, large_count, small, pieces - large_count)


# LLVM values


def vector_type(width: int) -> ir.VectorType:
    return ir.VectorType(FLOAT, width)


def lanes(numbers) -> ir.Constant:
    """The constant that `shuffle_vector` wants: which lanes of two vectors, laid end to end."""
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(INT32, len(numbers)), numbers)


def broadcast(builder, number, width: int):
    """A vector that holds the number in each lane."""
    nothing = ir.Constant(vector_type(width), ir.Undefined)
    first_lane = builder.insert_element(nothing, number, INT32(0))
    return builder.shuffle_vector(first_lane, nothing, lanes([0] * width))


def multiply_add(builder, a, b, c):
    """a b + c; FAST lets LLVM make one instruction of the two."""
    return builder.fadd(builder.fmul(a, b, flags=FAST), c, flags=FAST)


def sum_two(builder, a, b, first, second):
    """Lanes `first` of the pair (a, b) plus lanes `second` of it."""
    left = builder.shuffle_vector(a, b, lanes(first))
    right = builder.shuffle_vector(a, b, lanes(second))
    return builder.fadd(left, right, flags=FAST)


def sums_of_four(builder, vectors, width: int):
    """<4 x float> with the sums of four vectors' lanes.

    Adding up one register's lanes takes several steps, in which most lanes idle. Four at once fill
    them: in each group of four lanes, two shuffles and a sum turn a0 a1 a2 a3 and b0 b1 b2 b3 into
    a0+a2 b0+b2 a1+a3 b1+b3; the same with c and d, and once more with the results.
    """
    a, b, c, d = vectors
    groups = range(0, width, 4)
    low = [group + lane for group in groups for lane in (0, width, 1, width + 1)]
    high = [lane + 2 for lane in low]
    ab = sum_two(builder, a, b, low, high)
    cd = sum_two(builder, c, d, low, high)
    low = [group + lane for group in groups for lane in (0, 1, width, width + 1)]
    high = [lane + 2 for lane in low]
    total = sum_two(builder, ab, cd, low, high)

    while width > 4:
        width //= 2
        total = sum_two(builder, total, total, range(width), range(width, 2 * width))
    return total


def address(context, builder, array_type, array, index):
    """Pointer to the element `index` of the flat memory of a contiguous numba array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def as_int64(context, builder, value, numba_type):
    return context.cast(builder, value, numba_type, types.int64)


def row_start(context, builder, row, row_type, columns: int):
    """Where the row begins, in floats from the start of its table."""
    return builder.mul(as_int64(context, builder, row, row_type), INT64(columns))


def vector_at(context, builder, table_type, table, index, width: int):
    """Pointer to the vector that begins at the float `index` of the table."""
    pointer = address(context, builder, table_type, table, index)
    return builder.bitcast(pointer, vector_type(width).as_pointer())


# A piece of a row, as a type of numba's


class Piece(types.Type):
    """numba's type of a piece: `count` vectors of `width` floats."""

    def __init__(self, count: int, width: int):
        self.count = count
        self.width = width
        super().__init__(name=f"Piece({count} x {width})")


@register_model(Piece)
class PieceModel(models.PrimitiveModel):
    """To LLVM a piece is an array of vectors, which it takes apart into registers."""

    def __init__(self, manager, numba_type):
        vectors = ir.ArrayType(vector_type(numba_type.width), numba_type.count)
        super().__init__(manager, numba_type, vectors)


def taken_apart(builder, piece, count: int) -> list:
    return [builder.extract_value(piece, k) for k in range(count)]


def put_together(builder, vectors, numba_type: Piece):
    array = ir.ArrayType(vector_type(numba_type.width), numba_type.count)
    piece = ir.Constant(array, ir.Undefined)
    for k, vector in enumerate(vectors):
        piece = builder.insert_value(piece, vector, k)
    return piece


class PieceOperations(NamedTuple):
    """What compiled code can do with pieces of one size.

    load(table, row, column) -> piece       the piece of the row that begins at the column
    store(table, row, column, piece)
    zeros() -> piece
    axpy(a, x, y) -> piece                  a x + y
    """

    load: object
    store: object
    zeros: object
    axpy: object


def piece_operations(count: int, columns: int, width: int) -> PieceOperations:
    """The operations on pieces of `count` vectors in tables of so many columns."""
    piece_type = Piece(count, width)

    def pointers(context, builder, signature, args):
        """Of the vectors of the piece (table, row, column, ...)."""
        table_type, row_type, column_type = signature.args[:3]
        table, row, column = args[:3]
        start = row_start(context, builder, row, row_type, columns)
        start = builder.add(start, as_int64(context, builder, column, column_type))
        indices = [builder.add(start, INT64(k * width)) for k in range(count)]
        return [vector_at(context, builder, table_type, table, index, width) for index in indices]

    @intrinsic
    def load(typingctx, table, row, column):
        def generate(context, builder, signature, args):
            places = pointers(context, builder, signature, args)
            vectors = [builder.load(place, align=4) for place in places]
            return put_together(builder, vectors, piece_type)

        return piece_type(table, row, column), generate

    @intrinsic
    def store(typingctx, table, row, column, piece):
        def generate(context, builder, signature, args):
            places = pointers(context, builder, signature, args)
            for place, vector in zip(places, taken_apart(builder, args[3], count)):
                builder.store(vector, place, align=4)
            return context.get_dummy_value()

        return types.void(table, row, column, piece), generate

    return PieceOperations(load, store, *piece_arithmetic(piece_type))


def piece_arithmetic(piece_type: Piece) -> tuple:
    """zeros and axpy, as in PieceOperations."""
    count = piece_type.count
    width = piece_type.width

    @intrinsic
    def zeros(typingctx):
        def generate(context, builder, signature, args):
            nothing = ir.Constant(vector_type(width), [0.0] * width)
            return put_together(builder, [nothing] * count, piece_type)

        return piece_type(), generate

    @intrinsic
    def axpy(typingctx, a, x, y):
        def generate(context, builder, signature, args):
            number = context.cast(builder, args[0], signature.args[0], types.float32)
            factor = broadcast(builder, number, width)
            xs = taken_apart(builder, args[1], count)
            ys = taken_apart(builder, args[2], count)
            sums = [multiply_add(builder, factor, u, v) for u, v in zip(xs, ys)]
            return put_together(builder, sums, piece_type)

        return piece_type(a, x, y), generate

    return zeros, axpy


# Whole rows


def row_dots(columns: int, width: int):
    """four_dots(xs, i, table, rows, j, scores): scores[j + k] = xs[i] . table[rows[j + k]], k < 4.

    Four rows at once: each vector of x is fetched once for all of them, and four sums that do not
    wait for each other fill the time that one multiply-add takes. `rows` and `scores` must have
    room up to j + 3.
    """

    @intrinsic
    def four_dots(typingctx, xs, i, table, rows, j, scores):
        def generate(context, builder, signature, args):
            xs_type, i_type, table_type, rows_type, j_type, scores_type = signature.args
            xs, i, table, rows, j, scores = args
            j = as_int64(context, builder, j, j_type)
            starts = []
            for k in range(4):
                place = address(context, builder, rows_type, rows, builder.add(j, INT64(k)))
                row = builder.load(place)
                starts.append(row_start(context, builder, row, rows_type.dtype, columns))
            x_start = row_start(context, builder, i, i_type, columns)

            def vector(array_type, array, start, column):
                index = builder.add(start, INT64(column))
                place = vector_at(context, builder, array_type, array, index, width)
                return builder.load(place, align=4)

            sums = [ir.Constant(vector_type(width), [0.0] * width)] * 4
            for column in range(0, columns, width):
                x = vector(xs_type, xs, x_start, column)
                us = [vector(table_type, table, start, column) for start in starts]
                sums = [multiply_add(builder, x, u, total) for u, total in zip(us, sums)]
            place = vector_at(context, builder, scores_type, scores, j, 4)
            builder.store(sums_of_four(builder, sums, width), place, align=4)
            return context.get_dummy_value()

        return types.void(xs, i, table, rows, j, scores), generate

    return four_dots


def row_prefetch(columns: int):
    """prefetch(table, row): bid memory for the row, without waiting for it."""

    @intrinsic
    def prefetch(typingctx, table, row):
        def generate(context, builder, signature, args):
            start = row_start(context, builder, args[1], signature.args[1], columns)
            byte = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
            llvm_prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
            for column in range(0, columns, CACHE_LINE):
                index = builder.add(start, INT64(column))
                place = address(context, builder, signature.args[0], args[0], index)
                # To read, into all caches, as data.
                hints = (INT32(0), INT32(3), INT32(1))
                builder.call(llvm_prefetch, [builder.bitcast(place, byte), *hints])
            return context.get_dummy_value()

        return types.void(table, row), generate

    return prefetch
