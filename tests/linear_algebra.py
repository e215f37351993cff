"""What JAX has of linear algebra, as functions to export: everything that may become a call of LAPACK.

`CASES` maps a name to a `Case`. The functions give arrays or lists of them. What a version of JAX does not have is left
out where that can be asked; other functions fail there while they are traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)

REAL = ("float32", "float64")
DTYPES = (*REAL, "complex64", "complex128")
Shapes = tuple[tuple[int, ...], ...]

SQUARE: tuple[Shapes, ...] = (((3, 3),), ((1, 1),), ((2, 4, 4),), ((2, 0, 2, 2),))
EMPTY: tuple[Shapes, ...] = (((0, 0),), ((2, 0, 0),))
RECTANGULAR: tuple[Shapes, ...] = (*SQUARE, ((4, 2),), ((2, 4),), ((3, 5, 2),), ((1, 3),), ((3, 1),))
EMPTY_RECTANGULAR: tuple[Shapes, ...] = (*EMPTY, ((0, 3),), ((3, 0),), ((2, 3, 0),))
SOLVE: tuple[Shapes, ...] = (
    ((3, 3), (3,)), ((3, 3), (3, 2)), ((1, 1), (1, 1)), ((2, 3, 3), (2, 3, 2)), ((2, 3, 3), (3, 2)),
    ((3, 3), (2, 3, 1)), ((3, 3), (3, 0)),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A function of arrays, the shapes that it is to be exported for, and whether it has a derivative."""

    f: Callable[..., Any]
    shapes: tuple[Shapes, ...]
    differentiable: bool = True
    dtypes: tuple[str, ...] = DTYPES


def _hermitian(a: Any) -> Any:
    return a @ jnp.swapaxes(a, -1, -2).conj() + jnp.eye(a.shape[-1], dtype=a.dtype)


def _symmetric_enough(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a: f(_hermitian(a))


def _tridiagonal(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda d, b: f(d, d + 2, d, b)


def _triangular_solves(left: bool) -> Callable[..., Any]:
    choices = (
        (False, False, False, False),
        (True, True, False, True),
        (True, True, True, False),
        (False, False, True, True),
    )
    return lambda a, b: [
        lax.linalg.triangular_solve(
            a, b, left_side=left, lower=lower, transpose_a=transpose, conjugate_a=conjugate, unit_diagonal=unit
        )
        for lower, transpose, conjugate, unit in choices
    ]


def _svd(algorithm: Any, full: bool, vectors: bool) -> Callable[..., Any]:
    return lambda a: list(lax.linalg.svd(a, full_matrices=full, compute_uv=vectors, algorithm=algorithm))


def _eigh(implementation: Any) -> Callable[..., Any]:
    return lambda a: list(lax.linalg.eigh(a, implementation=implementation))


def _qr_multiply(left: bool, conjugate: bool) -> Callable[..., Any]:
    return lambda a, c: jsl.qr_multiply(a, c, "left" if left else "right", conjugate=conjugate)[0]


def _ormqr(left: bool, transpose: bool) -> Callable[..., Any]:
    return lambda a, c: lax.linalg.ormqr(a, a[..., 0, : min(a.shape[-2:])], c, left=left, transpose=transpose)


CASES: dict[str, Case] = {
    "solve": Case(jnp.linalg.solve, SOLVE),
    "inv": Case(jnp.linalg.inv, (*SQUARE, *EMPTY)),
    "det": Case(jnp.linalg.det, (*SQUARE, ((2, 2),), ((5, 5),))),
    "slogdet": Case(lambda a: list(jnp.linalg.slogdet(a)), SQUARE),
    "slogdet by QR": Case(lambda a: list(jnp.linalg.slogdet(a, method="qr")), SQUARE, True, REAL),
    "cond": Case(jnp.linalg.cond, SQUARE, False),
    "matrix_rank": Case(jnp.linalg.matrix_rank, (((4, 3),),), False),
    "nuclear norm": Case(lambda a: jnp.linalg.norm(a, "nuc"), (((4, 3),),)),
    "tensorsolve": Case(jnp.linalg.tensorsolve, (((6, 2, 3), (6,)),)),
    "tensorinv": Case(lambda a: jnp.linalg.tensorinv(a, 1), (((6, 2, 3),),)),
    "matrix_power": Case(lambda a: jnp.linalg.matrix_power(a, -2), (((3, 3),),)),
    "lu": Case(lambda a: list(lax.linalg.lu(a)), (*RECTANGULAR, *EMPTY_RECTANGULAR)),
    "lu_factor": Case(lambda a: list(jsl.lu_factor(a)), SQUARE),
    "scipy lu": Case(lambda a: list(jsl.lu(a)), (((3, 3),), ((4, 2),), ((2, 4),))),
    "lu_solve": Case(lambda a, b: [jsl.lu_solve(jsl.lu_factor(a), b, trans=t) for t in (0, 1, 2)], SOLVE[:3]),
    "lu and its pivots": Case(
        lambda a: lax.linalg.lu_pivots_to_permutation(lax.linalg.lu(a)[1], a.shape[-2]), RECTANGULAR, False
    ),
    "qr": Case(lambda a: list(jnp.linalg.qr(a)), (*RECTANGULAR, *EMPTY_RECTANGULAR), False),
    "qr, tall": Case(lambda a: list(jnp.linalg.qr(a)), (((4, 2),), ((3, 3),), ((2, 4, 3),))),
    "qr, complete": Case(lambda a: list(jnp.linalg.qr(a, "complete")), (*RECTANGULAR, *EMPTY_RECTANGULAR), False),
    "qr, r": Case(lambda a: jnp.linalg.qr(a, "r"), RECTANGULAR, False),
    "qr, raw": Case(lambda a: list(jnp.linalg.qr(a, "raw")), RECTANGULAR, False),
    "qr, pivoted": Case(lambda a: list(jsl.qr(a, pivoting=True)), RECTANGULAR, False),
    "qr, pivoted, economic": Case(lambda a: list(jsl.qr(a, pivoting=True, mode="economic")), RECTANGULAR, False),
    "householder_product": Case(
        lambda a: lax.linalg.householder_product(a, a[..., 0, : min(a.shape[-2:])]),
        (((4, 2),), ((3, 3),), ((2, 4, 3),), ((1, 1),)),
        False,
    ),
    "householder_product, fewer reflectors": Case(
        lambda a: lax.linalg.householder_product(a, a[..., 0, :1]), (((4, 2),), ((2, 4, 3),)), False
    ),
    "cholesky": Case(lambda a: lax.linalg.cholesky(a), (*SQUARE, *EMPTY)),
    "cholesky, no symmetrizing": Case(lambda a: lax.linalg.cholesky(a, symmetrize_input=False), SQUARE),
    "cholesky, upper": Case(_symmetric_enough(lambda a: jsl.cholesky(a)), SQUARE),
    "cho_solve": Case(lambda a, b: jsl.cho_solve(jsl.cho_factor(_hermitian(a)), b), SOLVE[:3]),
    "svd": Case(lambda a: list(jnp.linalg.svd(a)), (*RECTANGULAR, *EMPTY_RECTANGULAR), False),
    "svd, reduced": Case(
        lambda a: list(jnp.linalg.svd(a, full_matrices=False)), (*RECTANGULAR, *EMPTY_RECTANGULAR)
    ),
    "svd, values": Case(lambda a: jnp.linalg.svd(a, compute_uv=False), RECTANGULAR),
    "svd, full and values": Case(
        lambda a: list(lax.linalg.svd(a, full_matrices=True, compute_uv=False)), RECTANGULAR, False
    ),
    "scipy svd": Case(lambda a: list(jsl.svd(a, full_matrices=False)), RECTANGULAR),
    "pinv": Case(jnp.linalg.pinv, (((4, 2),), ((2, 4),), ((3, 3),))),
    "lstsq": Case(
        lambda a, b: list(jnp.linalg.lstsq(a, b)), (((4, 2), (4,)), ((2, 4), (2, 3)), ((3, 3), (3,))), False
    ),
    "polar": Case(lambda a: list(jsl.polar(a)), (((4, 3),),), False),
    "polar by svd": Case(lambda a: list(jsl.polar(a, method="svd")), (((4, 3),),), False),
    "eigh": Case(_symmetric_enough(lambda a: list(jnp.linalg.eigh(a))), (*SQUARE, *EMPTY)),
    "eigh, upper": Case(_symmetric_enough(lambda a: list(jnp.linalg.eigh(a, UPLO="U"))), SQUARE),
    "eigh, lax": Case(
        lambda a: list(lax.linalg.eigh(a, lower=False, symmetrize_input=False, sort_eigenvalues=False)), SQUARE, False
    ),
    "eigh, all of a subset": Case(
        lambda a: list(lax.linalg.eigh(a, subset_by_index=(0, a.shape[-1]))), (((3, 3),),), False
    ),
    "eigvalsh": Case(_symmetric_enough(jnp.linalg.eigvalsh), SQUARE),
    "scipy eigh": Case(_symmetric_enough(lambda a: list(jsl.eigh(a))), (((3, 3),),), False),
    "eig": Case(lambda a: list(jnp.linalg.eig(a)), (*SQUARE, *EMPTY), False),
    "eigvals": Case(jnp.linalg.eigvals, SQUARE),
    "eig, left": Case(lambda a: list(lax.linalg.eig(a, compute_right_eigenvectors=False)), SQUARE, False),
    "eig, both": Case(lambda a: list(lax.linalg.eig(a)), SQUARE, False),
    "roots": Case(lambda p: jnp.roots(p, strip_zeros=False), (((4,),),)),
    "schur": Case(lambda a: list(jsl.schur(a, output="complex")), (((3, 3),), ((1, 1),)), False),
    "schur, real": Case(lambda a: list(jsl.schur(a)), (((3, 3),),), False),
    "schur, lax": Case(lambda a: list(lax.linalg.schur(a)), SQUARE, False),
    "schur, no vectors": Case(lambda a: list(lax.linalg.schur(a, compute_schur_vectors=False)), SQUARE, False),
    "sqrtm": Case(jsl.sqrtm, (((3, 3),),), False),
    "funm": Case(lambda a: jsl.funm(a, jnp.exp), (((3, 3),),), False),
    "rsf2csf": Case(lambda a: list(jsl.rsf2csf(a, a)), (((3, 3),),), False),
    "hessenberg": Case(lambda a: list(lax.linalg.hessenberg(a)), SQUARE, False),
    "scipy hessenberg": Case(lambda a: list(jsl.hessenberg(a, calc_q=True)), (((3, 3),),), False),
    "tridiagonal": Case(lambda a: list(lax.linalg.tridiagonal(a)), SQUARE, False),
    "tridiagonal, upper": Case(lambda a: list(lax.linalg.tridiagonal(a, lower=False)), SQUARE, False),
    "eigh_tridiagonal": Case(lambda d: jsl.eigh_tridiagonal(d, d[1:], eigvals_only=True), (((4,),),), False, REAL),
    "tridiagonal_solve": Case(
        _tridiagonal(lax.linalg.tridiagonal_solve), (((3,), (3, 2)), ((2, 4), (2, 4, 1)), ((5,), (5, 0)))
    ),
    "triangular_solve": Case(
        _triangular_solves(True),
        (((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((1, 1), (1, 4)), ((0, 0), (0, 2)), ((3, 3), (3, 0))),
    ),
    "triangular_solve, right": Case(
        _triangular_solves(False), (((3, 3), (2, 3)), ((2, 3, 3), (2, 1, 3)), ((0, 0), (2, 0)))
    ),
    "solve_triangular": Case(
        lambda a, b: [jsl.solve_triangular(a, b, trans=t) for t in (0, 1, 2)], SOLVE[:3]
    ),
    "expm": Case(jsl.expm, (((3, 3),), ((1, 1),), ((2, 3, 3),))),
    "expm_frechet": Case(lambda a: list(jsl.expm_frechet(a, a)), (((3, 3),),), False),
    "solve_sylvester": Case(lambda a: jsl.solve_sylvester(a, a, a), (((3, 3),),), False),
    "toeplitz": Case(jsl.toeplitz, (((3,),),)),
    "multivariate normal": Case(
        lambda a: jax.random.multivariate_normal(jax.random.key(0), a[0], a, method="svd"), (((3, 3),),), False, REAL
    ),
    "orthogonal": Case(
        lambda a: jax.random.orthogonal(jax.random.key(0), 3, dtype=a.dtype) + a, (((3, 3),),), False
    ),
}  # fmt: skip

for _left in (True, False):
    for _transpose in (True, False):
        if hasattr(jsl, "qr_multiply"):
            CASES[f"qr_multiply, left {_left}, conjugate {_transpose}"] = Case(
                _qr_multiply(_left, _transpose), (((4, 2), (2, 3) if _left else (3, 4)), ((3, 3), (3, 3))), False
            )
        if hasattr(lax.linalg, "ormqr"):
            CASES[f"ormqr, left {_left}, transpose {_transpose}"] = Case(
                _ormqr(_left, _transpose),
                (
                    ((4, 2), (4, 3) if _left else (3, 4)),
                    ((3, 3), (3, 3)),
                    ((2, 4, 3), (2, 4, 1) if _left else (2, 1, 4)),
                    ((4, 2), (4, 0) if _left else (0, 4)),
                ),
                False,
            )
for _name in ("DEFAULT", "QR", "DIVIDE_AND_CONQUER"):
    _algorithm = getattr(getattr(lax.linalg, "SvdAlgorithm", None), _name, None)
    for _full in (False, True):
        for _vectors in (False, True):
            if _algorithm is not None:
                CASES[f"svd by {_name}, full {_full}, vectors {_vectors}"] = Case(
                    _svd(_algorithm, _full, _vectors), RECTANGULAR, not _full
                )
_qr_iterations = getattr(getattr(lax.linalg, "EighImplementation", None), "QR", None)
if _qr_iterations is not None:
    CASES["eigh by QR"] = Case(_eigh(_qr_iterations), SQUARE, False)


def gradient(case: Case) -> Callable[..., Any]:
    """The gradient of a real number made of all that the case's function gives."""

    def loss(*args: Any) -> Any:
        leaves = [leaf for leaf in jax.tree_util.tree_leaves(case.f(*args)) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
        return sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in leaves)

    return lambda *args: list(jax.grad(loss, tuple(range(len(args))))(*args))


def functions(name: str) -> Iterator[tuple[str, Callable[..., Any], Shapes]]:
    """(label, function, shapes of its arguments) for a case: called, vmapped, differentiated, and both."""
    case = CASES[name]
    for shapes in case.shapes:
        yield f"{name} {shapes}", case.f, shapes
    plain = case.shapes[0]
    batched = tuple((2, *shape) for shape in plain)
    yield f"vmap of {name} {plain}", jax.vmap(case.f), batched
    if case.differentiable:
        yield f"grad of {name} {plain}", gradient(case), plain
        yield f"vmap of grad of {name} {plain}", jax.vmap(gradient(case)), batched


def arrays(shapes: Shapes, dtype: str) -> list[np.ndarray]:
    """Random arrays; square matrices lean to the diagonal."""
    random = np.random.default_rng(7)
    made: list[np.ndarray] = []
    for shape in shapes:
        array = random.normal(size=shape) + (1j * random.normal(size=shape) if dtype.startswith("complex") else 0)
        if len(shape) > 1 and shape[-1] == shape[-2]:
            array = array + 2 * np.eye(shape[-1])
        made.append(array.astype(dtype))
    return made
