/* Rows folded in one read: into sums of products of Chebyshev polynomials, or into a triangle.

   Rows are taken ROWS at a time as a block of columns √w·T_0(u) … √w·T_degree(u) | √w·(y − pilot(u)),
   u = (x − mid)·scale, that stays in the nearest cache. A short block is padded with rows of weight 0.
   Partial results meet pairwise, so rounding grows with log n. NaN and inf reach every sum they touch. */

#include <math.h>
#include <stddef.h>
#include <string.h>

#define ROWS 128
#define STRIP 32
#define LEAF (32 * ROWS)   /* rows taken block after block, before results meet pairwise */
#define LOW 8              /* degrees up to this have sums of their own, unrolled */
#define NEGLIGIBLE 1e-290  /* a square below this has lost digits to underflow */

#include "portable.h"

typedef double lane[ROWS];
typedef struct { lane lo, hi; } range;

INLINE void start(range *seen) {
    for (int i = 0; i < ROWS; i++) seen->lo[i] = INFINITY, seen->hi[i] = -INFINITY;
}

INLINE void widen(range *seen, const double *x) { /* NaN passes by: the sums show it */
    for (int i = 0; i < ROWS; i++) {
        seen->lo[i] = x[i] < seen->lo[i] ? x[i] : seen->lo[i];
        seen->hi[i] = x[i] > seen->hi[i] ? x[i] : seen->hi[i];
    }
}

INLINE void finish(const range *seen, double *domain) {
    domain[0] = INFINITY, domain[1] = -INFINITY;
    for (int i = 0; i < ROWS; i++) {
        if (seen->lo[i] < domain[0]) domain[0] = seen->lo[i];
        if (seen->hi[i] > domain[1]) domain[1] = seen->hi[i];
    }
}

/* n values of a column: where they lie if they can be used as they are, else copied to `buffer`. */
INLINE const double *values(const column *c, ptrdiff_t first, int n, double padding, double *buffer) {
    const char *at = c->data + first * c->stride;
    if (c->bytes == 8) {
        if (n == ROWS && c->contiguous) return (const double *)at;
        for (int i = 0; i < n; i++) memcpy(buffer + i, at + i * c->stride, 8);
    } else if (c->contiguous) {
        for (int i = 0; i < n; i++) buffer[i] = ((const float *)at)[i];
    } else {
        for (int i = 0; i < n; i++) {
            float single;
            memcpy(&single, at + i * c->stride, 4);
            buffer[i] = single;
        }
    }
    for (int i = n; i < ROWS; i++) buffer[i] = padding;
    return buffer;
}

/* √weight of n rows, and their x in `buffer` with NaN where the weight is 0. */
INLINE const double *weighted(const rows *r, ptrdiff_t first, int n, double *root, double *buffer) {
    const double *x = values(&r->x, first, n, NAN, buffer);
    if (r->w.data) {
        const double *w = values(&r->w, first, n, 0.0, root);
        for (int i = 0; i < ROWS; i++) buffer[i] = w[i] != 0.0 ? x[i] : NAN;
        for (int i = 0; i < ROWS; i++) root[i] = sqrt(w[i]);
        return buffer;
    }
    for (int i = 0; i < ROWS; i++) root[i] = i < n;
    return x;
}

/* √w, u and √w·y of the next rows, at most ROWS of the `left`, and the range of their x. */
INLINE void load(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t left, double *restrict root,
                 double *restrict u, double *restrict rest, range *seen) {
    lane x_buffer, y_buffer;
    int n = left < ROWS ? (int)left : ROWS;
    const double *x = weighted(r, first, n, root, x_buffer), *y = values(&r->y, first, n, 0.0, y_buffer);
    const double mid = f->mid, scale = f->scale;
    if (seen) widen(seen, x);
    if (!r->w.data && n == ROWS) {
        for (int i = 0; i < ROWS; i++) u[i] = (x[i] - mid) * scale, rest[i] = y[i];
    } else { /* chosen, not multiplied: a weight of 0 silences NaN */
        for (int i = 0; i < ROWS; i++) u[i] = root[i] != 0.0 ? (x[i] - mid) * scale : 0.0;
        for (int i = 0; i < ROWS; i++) rest[i] = root[i] != 0.0 ? root[i] * y[i] : 0.0;
    }
}

/* The recurrence from √w and u on: √w·(y − pilot) in place of √w·y, and the columns where a block is given. */
INLINE void
leave(const frame *f, const double *root, const double *restrict u, double *restrict rest, lane *block) {
    for (int s = 0; s < ROWS; s += STRIP) { /* a strip stays close at hand over all degrees */
        double twice[STRIP], here[STRIP], below[STRIP], residual[STRIP];
        for (int i = 0; i < STRIP; i++) {
            twice[i] = 2.0 * u[s + i], below[i] = u[s + i] * root[s + i], here[i] = root[s + i];
            residual[i] = rest[s + i] - f->pilot[0] * root[s + i];
        }
        for (int k = 1; k <= f->degree; k++) { /* T_{-1} = T_1 starts the recurrence at T_1 */
            const double p = f->pilot[k];
            for (int i = 0; i < STRIP; i++) {
                const double t = twice[i] * here[i] - below[i];
                below[i] = here[i], here[i] = t, residual[i] -= p * t;
                if (block) block[k][s + i] = t;
            }
        }
        for (int i = 0; i < STRIP; i++) rest[s + i] = residual[i];
    }
}

INLINE void fill(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t left, lane *block, range *seen) {
    lane u;
    load(r, f, first, left, block[0], u, block[f->degree + 1], seen);
    leave(f, block[0], u, block[f->degree + 1], block);
}

/* ── sums ── */

/* The sums of one block at a degree the compiler knows: everything about a row stays in registers. */
INLINE void
sum_low(const int d, const double *root, const double *u, const double *y, const double *pilot, double *sums) {
    double low[LOW + 1] = {0}, high[LOW + 1] = {0}, cross[LOW + 1] = {0}, rest_square = 0.0;
    for (int i = 0; i < ROWS; i++) {
        double t[LOW + 1], rest = y[i] - pilot[0] * root[i];
        t[0] = root[i];
        UNROLL for (int k = 1; k <= d; k++) {
            t[k] = k > 1 ? 2.0 * u[i] * t[k - 1] - t[k - 2] : u[i] * t[0];
            rest -= pilot[k] * t[k];
        }
        rest_square += rest * rest;
        UNROLL for (int k = 0; k <= d; k++) {
            low[k] += t[k] * t[0];
            high[k] += t[k] * t[d];
            cross[k] += t[k] * rest;
        }
    }
    UNROLL for (int k = 0; k <= d; k++) {
        sums[k] += low[k];
        sums[d + 1 + k] += high[k];
        sums[2 * (d + 1) + k] += cross[k];
    }
    sums[3 * (d + 1)] += rest_square;
}

/* The sums of `some` columns of a block from column k on: several at once keep the adders busy. */
INLINE void sum_some(const int some, int k, int columns, lane *block, double *sums) {
    const double *first = block[0], *last = block[columns - 1], *rest = block[columns];
    double low[4] = {0}, high[4] = {0}, cross[4] = {0};
    for (int i = 0; i < ROWS; i++) {
        UNROLL for (int j = 0; j < some; j++) {
            const double t = block[k + j][i];
            low[j] += t * first[i];
            high[j] += t * last[i];
            cross[j] += t * rest[i];
        }
    }
    UNROLL for (int j = 0; j < some; j++) {
        sums[k + j] += low[j];
        sums[columns + k + j] += high[j];
        sums[2 * columns + k + j] += cross[j];
    }
}

INLINE void sum_any(const int columns, lane *block, double *sums) {
    const double *rest = block[columns];
    double rest_square = 0.0;
    for (int i = 0; i < ROWS; i++) rest_square += rest[i] * rest[i];
    sums[3 * columns] += rest_square;
    int k = 0;
    for (; k + 4 <= columns; k += 4) sum_some(4, k, columns, block, sums);
    for (; k < columns; k++) sum_some(1, k, columns, block, sums);
}

/* The same at any degree up to LOW. */
INLINE void sum_known(const frame *f, const double *root, const double *u, const double *y, const double *pilot,
                      double *sums) {
    switch (f->degree) {
    case 0: sum_low(0, root, u, y, pilot, sums); break;
    case 1: sum_low(1, root, u, y, pilot, sums); break;
    case 2: sum_low(2, root, u, y, pilot, sums); break;
    case 3: sum_low(3, root, u, y, pilot, sums); break;
    case 4: sum_low(4, root, u, y, pilot, sums); break;
    case 5: sum_low(5, root, u, y, pilot, sums); break;
    case 6: sum_low(6, root, u, y, pilot, sums); break;
    case 7: sum_low(7, root, u, y, pilot, sums); break;
    case 8: sum_low(8, root, u, y, pilot, sums); break;
    }
}

FOR_EACH_CPU static void
sum_leaf(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t n, double *sums, range *seen) {
    lane block[MAX_DEGREE + 2], root, u, y;
    for (ptrdiff_t at = 0; at < n; at += ROWS) {
        if (f->degree > LOW) {
            fill(r, f, first + at, n - at, block, seen);
            sum_any(f->degree + 1, block, sums);
        } else {
            load(r, f, first + at, n - at, root, u, y, seen);
            sum_known(f, root, u, y, f->pilot, sums);
        }
    }
}

static void
sum_pairwise(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t n, double *sums, range *seen) {
    const int count = 3 * (f->degree + 1) + 1;
    memset(sums, 0, count * sizeof(double));
    if (n <= LEAF) {
        sum_leaf(r, f, first, n, sums, seen);
        return;
    }
    double more[3 * (MAX_DEGREE + 1) + 1];
    const ptrdiff_t half = (n / 2 + LEAF - 1) / LEAF * LEAF;
    sum_pairwise(r, f, first, half, sums, seen);
    sum_pairwise(r, f, first + half, n - half, more, seen);
    for (int i = 0; i < count; i++) sums[i] += more[i];
}

static void fold_sums(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t n, double *sums) {
    range seen;
    start(&seen);
    sum_pairwise(r, f, first, n, sums, &seen);
    finish(&seen, sums + 3 * (f->degree + 1) + 1);
}

/* ── sums of rows that count less the farther they lie from the pilot ── */

/* √weight of each row of a block by its |residual|/scale; tallies and the residuals inside as in sums.h. */
INLINE void
judge(const discount *d, const double *root, const double *rest, double *gain, double *tallies, double **inside) {
    const double per_scale = 1.0 / d->scale, c = d->c, per_c = 1.0 / d->c;
    double counting = 0.0, doubtful = 0.0, pull_square = 0.0, slope_sum = 0.0, slope_square = 0.0;
    lane weight, slope; /* in the end, the residuals */
    for (int i = 0; i < ROWS; i++) {
        const double a = fabs(rest[i]) * per_scale, part = a * per_c, square = part * part;
        if (d->kind == HUBER) {
            weight[i] = a > c ? c / a : 1.0, slope[i] = a > c ? 0.0 : 1.0;
        } else if (d->kind == TUKEY) {
            const double left = a < c ? 1.0 - square : 0.0;
            weight[i] = left * left, slope[i] = a < c ? left * (1.0 - 5.0 * square) : 0.0;
        } else {
            weight[i] = 1.0 / (1.0 + square), slope[i] = weight[i] * (2.0 * weight[i] - 1.0);
        }
    }
    for (int i = 0; i < ROWS; i++) {
        const double live = root[i] != 0.0 ? 1.0 : 0.0, pull = live * weight[i] * rest[i] * per_scale;
        counting += live, doubtful += weight[i] < 0.5 ? live : 0.0;
        pull_square += pull * pull, slope_sum += live * slope[i], slope_square += live * slope[i] * slope[i];
    }
    for (int i = 0; i < ROWS; i++) gain[i] = sqrt(weight[i]);
    tallies[0] += counting, tallies[1] += doubtful, tallies[2] += pull_square;
    tallies[3] += slope_sum, tallies[4] += slope_square;
    if (d->high < 0.0) return;
    const double low = d->low, high = d->high;
    double below = 0.0, among = 0.0;
    for (int i = 0; i < ROWS; i++) slope[i] = root[i] != 0.0 ? fabs(rest[i]) : INFINITY;
    for (int i = 0; i < ROWS; i++) below += slope[i] < low ? 1.0 : 0.0, among += slope[i] <= high ? 1.0 : 0.0;
    tallies[5] += below;
    if (among == below) return;
    double *end = *inside;
    for (int i = 0; i < ROWS; i++) { /* written in any case: a branch would be foretold wrongly */
        *end = slope[i];
        end += (slope[i] >= low) & (slope[i] <= high);
    }
    *inside = end;
}

FOR_EACH_CPU static void judge_leaf(const rows *r, const frame *f, const discount *d, ptrdiff_t first, ptrdiff_t n,
                                    double *sums, double *tallies, double **inside, range *seen) {
    static const double nothing[LOW + 1];
    lane block[MAX_DEGREE + 2], root, u, rest, gain;
    for (ptrdiff_t at = 0; at < n; at += ROWS) {
        if (f->degree > LOW) {
            fill(r, f, first + at, n - at, block, seen);
            judge(d, block[0], block[f->degree + 1], gain, tallies, inside);
            for (int k = 0; k <= f->degree + 1; k++)
                for (int i = 0; i < ROWS; i++) block[k][i] *= gain[i];
            sum_any(f->degree + 1, block, sums);
        } else {
            load(r, f, first + at, n - at, root, u, rest, seen);
            leave(f, root, u, rest, NULL);
            judge(d, root, rest, gain, tallies, inside);
            for (int i = 0; i < ROWS; i++) root[i] *= gain[i], rest[i] *= gain[i];
            sum_known(f, root, u, rest, nothing, sums);
        }
    }
}

static void judge_pairwise(const rows *r, const frame *f, const discount *d, ptrdiff_t first, ptrdiff_t n, double *sums,
                           double *tallies, double **inside, range *seen) {
    const int count = 3 * (f->degree + 1) + 1;
    memset(sums, 0, count * sizeof(double));
    memset(tallies, 0, TALLIES * sizeof(double));
    if (n <= LEAF) {
        judge_leaf(r, f, d, first, n, sums, tallies, inside, seen);
        return;
    }
    double more[3 * (MAX_DEGREE + 1) + 1], others[TALLIES];
    const ptrdiff_t half = (n / 2 + LEAF - 1) / LEAF * LEAF;
    judge_pairwise(r, f, d, first, half, sums, tallies, inside, seen);
    judge_pairwise(r, f, d, first + half, n - half, more, others, inside, seen);
    for (int i = 0; i < count; i++) sums[i] += more[i];
    for (int i = 0; i < TALLIES; i++) tallies[i] += others[i];
}

static void fold_discounted(const rows *r, const frame *f, const discount *d, ptrdiff_t first, ptrdiff_t n,
                            double *sums, double *inside) {
    range seen;
    start(&seen);
    const int count = 3 * (f->degree + 1) + 1;
    double *end = inside, *tallies = sums + count + 2;
    judge_pairwise(r, f, d, first, n, sums, tallies, &end, &seen);
    finish(&seen, sums + count);
    tallies[TALLIES] = (double)(end - inside);
}

/* ── domain ── */

FOR_EACH_CPU static void fold_range(const rows *r, ptrdiff_t first, ptrdiff_t n, double *domain) {
    lane root, buffer;
    range seen;
    start(&seen);
    for (ptrdiff_t at = 0; at < n; at += ROWS)
        widen(&seen, weighted(r, first + at, n - at < ROWS ? (int)(n - at) : ROWS, root, buffer));
    finish(&seen, domain);
}

/* ── triangle ── */

/* One Householder reflection per column folds the block into the triangle (by rows, size × size) and
   keeps its diagonal ≥ 0: head − norm is formed as −Σb² / (head + norm), where no digit is lost. */
INLINE void reflect(lane *block, int size, double *triangle) {
    for (int j = 0; j < size; j++) {
        const double *b = block[j];
        double *row = triangle + j * size, square = 0.0;
        for (int i = 0; i < ROWS; i++) square += b[i] * b[i];
        if (square < NEGLIGIBLE) continue;
        const double norm = sqrt(row[j] * row[j] + square), v = -square / (row[j] + norm);
        row[j] = norm;
        for (int l = j + 1; l < size; l++) {
            double *restrict other = block[l], dot = 0.0;
            for (int i = 0; i < ROWS; i++) dot += b[i] * other[i];
            dot = 2.0 * (dot + v * row[l]) / (square + v * v);
            row[l] -= dot * v;
            for (int i = 0; i < ROWS; i++) other[i] -= dot * b[i];
        }
    }
}

FOR_EACH_CPU static void
reflect_leaf(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t n, double *triangle) {
    lane block[MAX_DEGREE + 2];
    for (ptrdiff_t at = 0; at < n; at += ROWS) {
        fill(r, f, first + at, n - at, block, NULL);
        reflect(block, f->degree + 2, triangle);
    }
}

static void merge(double *triangle, const double *other, int size) {
    lane block[MAX_DEGREE + 2];
    memset(block, 0, size * sizeof(lane));
    for (int i = 0; i < size; i++)
        for (int j = i; j < size; j++) block[j][i] = other[i * size + j];
    reflect(block, size, triangle);
}

static void fold_triangle(const rows *r, const frame *f, ptrdiff_t first, ptrdiff_t n, double *triangle) {
    const int size = f->degree + 2;
    memset(triangle, 0, size * size * sizeof(double));
    if (n <= LEAF) {
        reflect_leaf(r, f, first, n, triangle);
        return;
    }
    double other[(MAX_DEGREE + 2) * (MAX_DEGREE + 2)];
    const ptrdiff_t half = (n / 2 + LEAF - 1) / LEAF * LEAF;
    fold_triangle(r, f, first, half, triangle);
    fold_triangle(r, f, first + half, n - half, other);
    merge(triangle, other, size);
}
