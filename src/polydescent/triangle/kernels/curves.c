/* Many curves, each folded into its own triangle while its rows are in the nearest cache.

   A curve is read twice. Once into sums of T_j, T_j·T_degree and T_j·(y − y_0), of which Cholesky
   makes R, z and weights; then into the residuals of those weights, whose sums correct them once. That
   gives the digits of an orthogonal factorization as long as the condition of R is small; where it is
   not, one is made. Sums run along the rows, so curves may have any length; the algebra runs across
   LANES curves at once, which hides its long chain of roots and quotients. */

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOW 8              /* degrees up to this have sums of their own, unrolled */
#define CONDITION 30.0     /* of R, Frobenius, from which sums have lost digits */
#define TINY 1e-140        /* lengths below this, and above HUGE, have squares that are no doubles */
#define HUGE_LENGTH 1e150
#define LOST 1e-270        /* a sum of squares below this has lost digits to underflow */
#define SMALLEST 2.2250738585072014e-308
#define LANES 8
#define NEAR 4096          /* rows of the curves that are in work at once: with weights 96 kB */
#define STRIDE 512         /* logarithms of weights are taken of the product of so many */

#include "portable.h"

typedef struct { const double *x, *y, *w; ptrdiff_t n; } curve; /* w NULL: every weight is 1 */
typedef struct { double mid, scale, origin; } curve_frame;      /* u = (x − mid)·scale, rest = y − origin */
typedef struct { double lo, hi, least; } curve_range;           /* least: of the weights */

#define MAX_SIZE (MAX_DEGREE + 2)

/* The values of one curve: where they lie if they are doubles side by side, else copied. */
INLINE const double *
curve_values(const curve_column *c, ptrdiff_t at, ptrdiff_t first, ptrdiff_t n, double *buffer) {
    const char *from = c->data + at * c->step + first * c->stride;
    if (c->bytes == 8) {
        if (c->stride == 8 && (uintptr_t)from % 8 == 0) return (const double *)from;
        for (ptrdiff_t i = 0; i < n; i++) memcpy(buffer + i, from + i * c->stride, 8);
    } else if (c->stride == 4 && (uintptr_t)from % 4 == 0) {
        for (ptrdiff_t i = 0; i < n; i++) buffer[i] = ((const float *)from)[i];
    } else {
        for (ptrdiff_t i = 0; i < n; i++) {
            float single;
            memcpy(&single, from + i * c->stride, 4);
            buffer[i] = single;
        }
    }
    return buffer;
}

INLINE curve_range look(const curve *c) { /* of y and w the sums show NaN; of x not at degree 0 */
    double lo = INFINITY, hi = -INFINITY, least = INFINITY;
    const double *restrict x = c->x, *restrict w = c->w;
    for (ptrdiff_t i = 0; i < c->n; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    if (w) {
        for (ptrdiff_t i = 0; i < c->n; i++) least = w[i] < least ? w[i] : least;
    }
    return (curve_range){lo, hi, least};
}

/* Whether some x is NaN. */
static int has_gaps(const curve *c) {
    for (ptrdiff_t i = 0; i < c->n; i++)
        if (c->x[i] != c->x[i]) return 1;
    return 0;
}

/* The rows that count, without those in which something is NaN or infinite, which are counted. */
static ptrdiff_t keep(const curve *c, double *x, double *y, double *w, int64_t *omitted) {
    ptrdiff_t kept = 0;
    for (ptrdiff_t i = 0; i < c->n; i++) {
        const double weight = c->w ? c->w[i] : 1.0;
        if (!(isfinite(c->x[i]) && isfinite(c->y[i]) && isfinite(weight))) {
            ++*omitted;
        } else if (weight > 0.0) {
            x[kept] = c->x[i], y[kept] = c->y[i];
            if (c->w) w[kept] = weight;
            kept++;
        }
    }
    return kept;
}

/* Σ ln w: exponents are added, and mantissas multiplied as long as their product is a double. */
INLINE double sum_of_logs(const double *w, ptrdiff_t n) {
    double total = 0.0;
    int64_t exponents = 0;
    for (ptrdiff_t at = 0; at < n; at += STRIDE) {
        const ptrdiff_t end = n - at < STRIDE ? n : at + STRIDE;
        double product = 1.0;
        for (ptrdiff_t i = at; i < end; i++) {
            uint64_t bits;
            double mantissa;
            memcpy(&bits, w + i, 8);
            exponents += (int64_t)(bits >> 52);
            bits = (bits & 0xFFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL;
            memcpy(&mantissa, &bits, 8);
            product *= mantissa;
        }
        total += log(product);
    }
    return total + (double)(exponents - 1023 * (int64_t)n) * 0.69314718055994530942;
}

/* ── sums ── */

INLINE void sums(const int d, const curve *c, const curve_frame *f, const int weighted, double *out) {
    double low[LOW + 1] = {0}, high[LOW + 1] = {0}, cross[LOW + 1] = {0};
    const double *restrict x = c->x, *restrict y = c->y, *restrict w = c->w;
    const double mid = f->mid, scale = f->scale, origin = f->origin;
    const ptrdiff_t n = c->n;
    for (ptrdiff_t i = 0; i < n; i++) {
        double t[LOW + 1];
        const double u = (x[i] - mid) * scale, rest = y[i] - origin;
        t[0] = 1.0;
        UNROLL for (int j = 1; j <= d; j++) t[j] = j > 1 ? 2.0 * u * t[j - 1] - t[j - 2] : u;
        const double weight = weighted ? w[i] : 1.0, top = weight * t[d], right = weight * rest;
        UNROLL for (int j = 0; j <= d; j++) {
            low[j] += weight * t[j];
            high[j] += top * t[j];
            cross[j] += right * t[j];
        }
    }
    UNROLL for (int j = 0; j <= d; j++) out[j] = low[j], out[d + 1 + j] = high[j], out[2 * d + 2 + j] = cross[j];
}

/* Σ w·T_j·r, and Σ w·r² after them, of the residuals r of the weights. */
INLINE void
residuals(const int d, const curve *c, const curve_frame *f, const int weighted, const double *weights, double *out) {
    double cross[LOW + 1] = {0}, square = 0.0, v[LOW + 1];
    const double *restrict x = c->x, *restrict y = c->y, *restrict w = c->w;
    const double mid = f->mid, scale = f->scale, origin = f->origin;
    const ptrdiff_t n = c->n;
    UNROLL for (int j = 0; j <= d; j++) v[j] = weights[j];
    for (ptrdiff_t i = 0; i < n; i++) {
        double t[LOW + 1];
        const double u = (x[i] - mid) * scale;
        double rest = y[i] - origin - v[0];
        t[0] = 1.0;
        UNROLL for (int j = 1; j <= d; j++) {
            t[j] = j > 1 ? 2.0 * u * t[j - 1] - t[j - 2] : u;
            rest -= v[j] * t[j];
        }
        const double right = weighted ? w[i] * rest : rest;
        square += right * rest;
        UNROLL for (int j = 0; j <= d; j++) cross[j] += right * t[j];
    }
    UNROLL for (int j = 0; j <= d; j++) out[j] = cross[j];
    out[d + 1] = square;
}

#define CASES(call, d) \
    switch (d) { \
    case 0: call(0); break; \
    case 1: call(1); break; \
    case 2: call(2); break; \
    case 3: call(3); break; \
    case 4: call(4); break; \
    case 5: call(5); break; \
    case 6: call(6); break; \
    case 7: call(7); break; \
    case 8: call(8); break; \
    }

FOR_EACH_CPU static void all_sums(int d, const curve *c, const curve_frame *f, double *out) {
#define PLAIN_SUMS(D) sums(D, c, f, 0, out)
#define WEIGHTED_SUMS(D) sums(D, c, f, 1, out)
    if (c->w) { CASES(WEIGHTED_SUMS, d) } else { CASES(PLAIN_SUMS, d) }
}

FOR_EACH_CPU static void
all_residuals(int d, const curve *c, const curve_frame *f, const double *weights, double *out) {
#define PLAIN_RESIDUALS(D) residuals(D, c, f, 0, weights, out)
#define WEIGHTED_RESIDUALS(D) residuals(D, c, f, 1, weights, out)
    if (c->w) { CASES(WEIGHTED_RESIDUALS, d) } else { CASES(PLAIN_RESIDUALS, d) }
}

FOR_EACH_CPU static curve_range look_at(const curve *c) { return look(c); }

/* ── algebra of k × k, of LANES curves side by side ── */

typedef double lanes[LANES];
typedef lanes matrix[LOW + 1][LOW + 1];
#define EACH for (int l = 0; l < LANES; l++)

/* R with RᵀR = G for sums of curves, R⁻¹, and of which of them R keeps digits. */
FOR_EACH_CPU static void
factor(int k, const lanes *restrict low, const lanes *restrict high, lanes (*restrict R)[LOW + 1],
       lanes (*restrict inverse)[LOW + 1], double *restrict good) {
    lanes moments[2 * LOW + 1], own = {0}, other = {0};
    for (int j = 0; j < k; j++) EACH moments[j][l] = low[j][l];
    for (int j = 1; j < k; j++) EACH moments[k - 1 + j][l] = 2.0 * high[j][l] - low[k - 1 - j][l];
    EACH good[l] = 1.0;
    for (int i = 0; i < k; i++) {
        for (int j = i; j < k; j++) {
            lanes entry;
            EACH entry[l] = 0.5 * (moments[i + j][l] + moments[j - i][l]);
            for (int above = 0; above < i; above++) EACH entry[l] -= R[above][i][l] * R[above][j][l];
            if (j == i) {
                EACH good[l] = entry[l] > 0.0 ? good[l] : 0.0;
                EACH R[i][i][l] = sqrt(entry[l] > 0.0 ? entry[l] : 1.0);
                EACH inverse[i][i][l] = 1.0 / R[i][i][l];
            } else {
                EACH R[i][j][l] = entry[l] * inverse[i][i][l];
            }
            EACH own[l] += R[i][j][l] * R[i][j][l];
        }
    }
    for (int j = 0; j < k; j++) {
        EACH other[l] += inverse[j][j][l] * inverse[j][j][l];
        for (int i = j - 1; i >= 0; i--) {
            lanes entry = {0};
            for (int between = i + 1; between <= j; between++)
                EACH entry[l] += R[i][between][l] * inverse[between][j][l];
            EACH inverse[i][j][l] = -entry[l] * inverse[i][i][l];
            EACH other[l] += inverse[i][j][l] * inverse[i][j][l];
        }
    }
    EACH good[l] = own[l] * other[l] <= CONDITION * CONDITION ? good[l] : 0.0;
    EACH good[l] = R[0][0][l] > TINY && own[l] < HUGE_LENGTH ? good[l] : 0.0;
}

FOR_EACH_CPU static void transposed_times(int k, lanes (*restrict A)[LOW + 1], const lanes *restrict v, lanes *restrict out) {
    for (int j = 0; j < k; j++) {
        lanes entry = {0};
        for (int i = 0; i <= j; i++) EACH entry[l] += A[i][j][l] * v[i][l];
        EACH out[j][l] = entry[l];
    }
}

FOR_EACH_CPU static void
times(int k, lanes (*restrict A)[LOW + 1], const lanes *restrict v, lanes *restrict out) {
    for (int i = 0; i < k; i++) {
        lanes entry = {0};
        for (int j = i; j < k; j++) EACH entry[l] += A[i][j][l] * v[j][l];
        EACH out[i][l] = entry[l];
    }
}

/* Whether any residual is not 0, of weights that leave next to nothing. */
static int leaves_some(int k, const curve *c, const curve_frame *f, const double *weights) {
    for (ptrdiff_t i = 0; i < c->n; i++) {
        const double u = (c->x[i] - f->mid) * f->scale;
        double rest = c->y[i] - f->origin - weights[0], below = 1.0, here = u;
        for (int j = 1; j < k; j++) {
            const double after = 2.0 * u * here - below;
            rest -= weights[j] * here;
            below = here, here = after;
        }
        if (rest != 0.0) return 1;
    }
    return 0;
}

/* What curves with the same x and weights have in common, and the sums that are left to each. */
typedef struct {
    const double *x, *t, *weighed; /* x; T_j and w·T_j at the rows, one after the other */
    matrix R, inverse;         /* of all LANES alike */
    lanes good;
    curve_frame frame;
    double lo, hi, logs;
} shared_x;

INLINE void shared_sums(const int d, const shared_x *s, const curve *c, double origin, double *out) {
    double cross[LOW + 1] = {0};
    const double *restrict y = c->y, *restrict weighed = s->weighed;
    const ptrdiff_t n = c->n;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double rest = y[i] - origin;
        UNROLL for (int j = 0; j <= d; j++) cross[j] += weighed[j * n + i] * rest;
    }
    UNROLL for (int j = 0; j <= d; j++) out[j] = cross[j];
}

INLINE void shared_residuals(const int d, const shared_x *s, const curve *c, double origin, const double *weights,
                             double *out) {
    double cross[LOW + 1] = {0}, square = 0.0, v[LOW + 1];
    const double *restrict y = c->y, *restrict t = s->t, *restrict weighed = s->weighed;
    const ptrdiff_t n = c->n;
    UNROLL for (int j = 0; j <= d; j++) v[j] = weights[j];
    for (ptrdiff_t i = 0; i < n; i++) {
        double rest = y[i] - origin;
        UNROLL for (int j = 0; j <= d; j++) rest -= v[j] * t[j * n + i];
        square += weighed[i] * rest * rest;
        UNROLL for (int j = 0; j <= d; j++) cross[j] += weighed[j * n + i] * rest;
    }
    UNROLL for (int j = 0; j <= d; j++) out[j] = cross[j];
    out[d + 1] = square;
}

FOR_EACH_CPU static void all_shared_sums(int d, const shared_x *s, const curve *c, double origin, double *out) {
#define SHARED_SUMS(D) shared_sums(D, s, c, origin, out)
    CASES(SHARED_SUMS, d)
}

FOR_EACH_CPU static void
all_shared_residuals(int d, const shared_x *s, const curve *c, double origin, const double *weights, double *out) {
#define SHARED_RESIDUALS(D) shared_residuals(D, s, c, origin, weights, out)
    CASES(SHARED_RESIDUALS, d)
}

/* Triangles and weights by sums of up to LANES curves; state: SOUND where they kept their digits. s: what
   they share, or NULL. */
static void by_sums(int k, int count, const curve *c, const curve_frame *f, shared_x *s, double **triangle,
                    double **weights, int *state) {
    double some[3 * (LOW + 1)];
    lanes found[3 * (LOW + 1)], z[LOW + 1], w[LOW + 1], more[LOW + 1], step[LOW + 1], rss, own_good;
    matrix own_R, own_inverse;
    lanes(*R)[LOW + 1] = s ? s->R : own_R, (*inverse)[LOW + 1] = s ? s->inverse : own_inverse;
    double *good = s ? s->good : own_good;
    memset(found, 0, sizeof found);
    for (int l = 0; l < count; l++) {
        if (s) {
            all_shared_sums(k - 1, s, c + l, f[l].origin, some + 2 * k);
        } else {
            all_sums(k - 1, c + l, f + l, some);
            for (int j = 0; j < 2 * k; j++) found[j][l] = some[j];
        }
        for (int j = 2 * k; j < 3 * k; j++) found[j][l] = some[j];
    }
    if (!s) factor(k, (const lanes *)found, (const lanes *)found + k, R, inverse, good);
    transposed_times(k, inverse, (const lanes *)found + 2 * k, z);
    times(k, inverse, (const lanes *)z, w);
    for (int l = 0; l < count; l++) {
        if (good[l] == 0.0) continue;
        for (int j = 0; j < k; j++) some[j] = w[j][l];
        if (s) all_shared_residuals(k - 1, s, c + l, f[l].origin, some, some);
        else all_residuals(k - 1, c + l, f + l, some, some);
        for (int j = 0; j <= k; j++) found[j][l] = some[j];
    }
    transposed_times(k, inverse, (const lanes *)found, more);
    times(k, inverse, (const lanes *)more, step);
    EACH rss[l] = found[k][l];
    for (int j = 0; j < k; j++) EACH rss[l] -= more[j][l] * more[j][l], z[j][l] += more[j][l], w[j][l] += step[j][l];
    for (int l = 0; l < count; l++) {
        double size = fabs(R[0][0][l] * f[l].origin);
        for (int j = 0; j < k; j++) size += fabs(z[j][l]);
        const int within = found[k][l] < HUGE_LENGTH * HUGE_LENGTH && size < HUGE_LENGTH &&
                           (size > 1e3 * TINY || size == 0.0);
        state[l] = good[l] != 0.0 && within ? SOUND : REFLECTED;
        for (int j = 0; j < k; j++) weights[l][j] = w[j][l];
        if (state[l] == SOUND && found[k][l] < LOST && leaves_some(k, c + l, f + l, weights[l])) state[l] = REFLECTED;
        if (state[l] != SOUND) continue;
        for (int i = 0; i < k; i++) {
            double *row = triangle[l] + i * (k + 1);
            for (int j = 0; j < i; j++) row[j] = 0.0;
            for (int j = i; j < k; j++) row[j] = R[i][j][l];
            row[k] = z[i][l];
        }
        triangle[l][k] += triangle[l][0] * f[l].origin;
        weights[l][0] += f[l].origin;
        double *last = triangle[l] + k * (k + 1);
        for (int j = 0; j < k; j++) last[j] = 0.0;
        last[k] = rss[l] > 0.0 ? sqrt(rss[l]) : 0.0;
    }
}

/* ── reflections ── */

/* Each column is taken out of those after it. Below as many rows of zeros that is what Householder's
   reflections do, to the last rounding. */
FOR_EACH_CPU static int
orthogonalize(int size, const curve *c, const curve_frame *f, double *columns, double *triangle) {
    const ptrdiff_t n = c->n;
    double *rest = columns + (size - 1) * n;
    for (ptrdiff_t i = 0; i < n; i++) columns[i] = c->w ? sqrt(c->w[i]) : 1.0;
    for (ptrdiff_t i = 0; i < n; i++) rest[i] = (c->y[i] - f->origin) * columns[i];
    for (int j = 1; j < size - 1; j++) {
        double *restrict t = columns + j * n;
        const double *below = columns + (j - 1) * n, *further = columns + (j > 1 ? j - 2 : 0) * n;
        if (j == 1) {
            for (ptrdiff_t i = 0; i < n; i++) t[i] = (c->x[i] - f->mid) * f->scale * below[i];
        } else {
            for (ptrdiff_t i = 0; i < n; i++) t[i] = 2.0 * (c->x[i] - f->mid) * f->scale * below[i] - further[i];
        }
    }
    for (int j = 0; j < size; j++) {
        const double *restrict t = columns + j * n;
        double square = 0.0, largest = 0.0;
        for (ptrdiff_t i = 0; i < n; i++) square += t[i] * t[i];
        for (ptrdiff_t i = 0; i < n; i++) largest = fabs(t[i]) > largest ? fabs(t[i]) : largest;
        if (largest == 0.0) continue;
        if (!(square > LOST && square < HUGE_LENGTH * HUGE_LENGTH)) return 0;
        triangle[j * size + j] = sqrt(square);
        for (int other = j + 1; other < size; other++) {
            double *restrict v = columns + other * n, dot = 0.0;
            for (ptrdiff_t i = 0; i < n; i++) dot += t[i] * v[i];
            triangle[j * size + other] = dot / triangle[j * size + j];
            dot /= square;
            for (ptrdiff_t i = 0; i < n; i++) v[i] -= dot * t[i];
        }
    }
    return 1;
}

/* ── curves ── */

INLINE ptrdiff_t rows_of(const many_curves *m, ptrdiff_t at) {
    return m->offsets ? m->offsets[at + 1] - m->offsets[at] : m->n;
}

INLINE curve curve_at(const many_curves *m, ptrdiff_t at, double *scratch) {
    const ptrdiff_t rows = rows_of(m, at), first = m->offsets ? m->offsets[at] : 0, place = m->offsets ? 0 : at;
    return (curve){curve_values(&m->x, place, first, rows, scratch),
                   curve_values(&m->y, place, first, rows, scratch + rows),
                   m->w.data ? curve_values(&m->w, place, first, rows, scratch + 2 * rows) : NULL, rows};
}

/* u, and y as its distance from the first one. */
static int frame_of(const curve *c, const curve_range *seen, curve_frame *f) {
    const double half = seen->hi / 2 - seen->lo / 2;
    *f = (curve_frame){seen->hi / 2 + seen->lo / 2, half > 0.0 ? 1.0 / half : 0.0, c->y[0]};
    return half > TINY && half < HUGE_LENGTH;
}

/* One curve of any kind: with gaps, of few rows, of one x, badly conditioned. */
static void fold_with_care(const many_curves *m, int degree, ptrdiff_t at, const folded_curves *out, double *scratch) {
    const int k = degree + 1, size = k + 1;
    const ptrdiff_t rows = rows_of(m, at);
    double *triangle = out->triangle + at * size * size, *weights = out->weights + at * k;
    double *x = scratch, *y = scratch + rows, *w = scratch + 2 * rows;
    curve c = curve_at(m, at, scratch);
    curve_frame f;
    int state = REFLECTED;
    memset(triangle, 0, size * size * sizeof(double));
    memset(weights, 0, k * sizeof(double));
    out->omitted[at] = 0, out->logs[at] = 0.0, out->state[at] = REFLECTED;
    c.n = keep(&c, x, y, w, &out->omitted[at]);
    c.x = x, c.y = y, c.w = c.w ? w : NULL;
    const curve_range seen = look_at(&c);
    out->n[at] = c.n, out->lo[at] = seen.lo, out->hi[at] = seen.hi;
    if (!c.n) return;
    const int usual = frame_of(&c, &seen, &f);
    if (c.w) out->logs[at] = sum_of_logs(c.w, c.n);
    if ((c.w && seen.least < SMALLEST) || !(usual || seen.hi == seen.lo)) {
        out->state[at] = HARD;
        return;
    }
    if (usual && degree <= LOW && c.n >= 2 * k) by_sums(k, 1, &c, &f, NULL, &triangle, &weights, &state);
    if (state == REFLECTED) {
        memset(triangle, 0, size * size * sizeof(double));
        if (!orthogonalize(size, &c, &f, scratch + 3 * rows, triangle)) state = HARD;
        triangle[k] += triangle[0] * f.origin;
    }
    out->state[at] = state;
}

/* What all curves share, made in the columns; 0 where they share too little, or it has no digits. */
static int share(const many_curves *m, int degree, shared_x *s, double *columns) {
    const int k = degree + 1;
    const ptrdiff_t n = m->n;
    double found[3 * (LOW + 1)], *t = columns, *weighed = m->w.data ? columns + k * n : columns;
    if (m->offsets || m->x.step || (m->w.data && m->w.step) || degree > LOW || n < 2 * k) return 0;
    const double *x = curve_values(&m->x, 0, 0, n, weighed + k * n);
    const double *w = m->w.data ? curve_values(&m->w, 0, 0, n, weighed + (k + 1) * n) : NULL;
    const curve c = {x, x, w, n};
    const curve_range seen = look_at(&c);
    if (has_gaps(&c) || !frame_of(&c, &seen, &s->frame) || (w && !(seen.least >= SMALLEST))) return 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double u = (x[i] - s->frame.mid) * s->frame.scale, weight = w ? w[i] : 1.0;
        for (int j = 0; j < k; j++) {
            const double *here = t + i;
            t[j * n + i] = j == 0 ? 1.0 : j == 1 ? u : 2.0 * u * here[(j - 1) * n] - here[(j - 2) * n];
        }
        if (w) for (int j = 0; j < k; j++) weighed[j * n + i] = weight * t[j * n + i];
    }
    lanes sums_of[2 * (LOW + 1)];
    all_sums(degree, &c, &s->frame, found);
    for (int j = 0; j < 2 * k; j++) EACH sums_of[j][l] = found[j];
    factor(k, (const lanes *)sums_of, (const lanes *)sums_of + k, s->R, s->inverse, s->good);
    s->x = x, s->t = t, s->weighed = weighed, s->lo = seen.lo, s->hi = seen.hi;
    s->logs = w ? sum_of_logs(w, n) : 0.0;
    return s->good[0] != 0.0;
}

static void fold_curves(const many_curves *m, int degree, ptrdiff_t first, ptrdiff_t last,
                        const folded_curves *out, double *scratch) {
    const int k = degree + 1, size = k + 1;
    shared_x shared;
    const int alike = last - first > 1 && share(m, degree, &shared, scratch);
    if (alike) scratch += (2 * k + 2) * m->n;
    curve c[LANES];
    curve_frame f[LANES];
    ptrdiff_t place[LANES];
    double *triangle[LANES], *weights[LANES];
    for (ptrdiff_t at = first; at < last;) {
        int count = 0, state[LANES];
        for (ptrdiff_t rows = 0; at < last && count < LANES && (!count || rows < NEAR); at++) {
            const ptrdiff_t n = rows_of(m, at);
            if (degree > LOW || n < 2 * k) {
                fold_with_care(m, degree, at, out, scratch + 3 * rows);
                continue;
            }
            if (alike) { /* gaps in y show in its sums */
                double *room = scratch + 3 * rows;
                c[count] = (curve){shared.x, curve_values(&m->y, at, 0, n, room), NULL, n};
                f[count] = shared.frame, f[count].origin = c[count].y[0];
                out->n[at] = n, out->omitted[at] = 0, out->lo[at] = shared.lo, out->hi[at] = shared.hi;
                out->logs[at] = shared.logs;
                triangle[count] = out->triangle + at * size * size, weights[count] = out->weights + at * k;
                place[count++] = at, rows += n;
                continue;
            }
            c[count] = curve_at(m, at, scratch + 3 * rows);
            const curve_range seen = look_at(c + count);
            if (!frame_of(c + count, &seen, f + count) || (c[count].w && !(seen.least >= SMALLEST)) ||
                (degree == 0 && has_gaps(c + count))) {
                fold_with_care(m, degree, at, out, scratch + 3 * rows);
                continue;
            }
            out->n[at] = n, out->omitted[at] = 0, out->lo[at] = seen.lo, out->hi[at] = seen.hi;
            out->logs[at] = c[count].w ? sum_of_logs(c[count].w, n) : 0.0;
            triangle[count] = out->triangle + at * size * size, weights[count] = out->weights + at * k;
            place[count++] = at, rows += n;
        }
        if (count) by_sums(k, count, c, f, alike ? &shared : NULL, triangle, weights, state);
        for (int l = 0; l < count; l++) {
            out->state[place[l]] = (int8_t)state[l];
            if (state[l] != SOUND) fold_with_care(m, degree, place[l], out, scratch);
        }
    }
}

/* ── merging ── */

typedef double square_matrix[MAX_SIZE * MAX_SIZE];

/* The triangle of the same rows on a wider domain: R·C, T_j(scale·u + shift) = Σ C[i, j]·T_i(u). */
INLINE void rebase(const double *triangle, int size, double scale, double shift, double *restrict out) {
    const int k = size - 1;
    double columns[3][MAX_SIZE + 1], *below = columns[0], *here = columns[1], *after = columns[2];
    memset(columns, 0, sizeof columns);
    memset(out, 0, size * size * sizeof(double));
    here[0] = 1.0;
    for (int j = 0; j < k; j++) {
        for (int i = 0; i <= j; i++) {
            double entry = 0.0;
            for (int l = i; l <= j; l++) entry += triangle[i * size + l] * here[l];
            out[i * size + j] = entry;
        }
        for (int i = 0; i <= j + 1; i++) {
            const double from = i ? here[i - 1] * (i > 1 ? 0.5 : 1.0) : 0.0, to = 0.5 * here[i + 1];
            after[i] = (j ? 2.0 : 1.0) * (scale * (from + to) + shift * here[i]) - (j ? below[i] : 0.0);
        }
        double *spare = below;
        below = here, here = after, after = spare;
    }
    for (int i = 0; i < size; i++) out[i * size + k] = triangle[i * size + k];
}

static double half_of(double lo, double hi) {
    const double width = hi / 2 - lo / 2, size = fabs(lo / 2 + hi / 2);
    return width != 0.0 ? width : size > 1e-150 ? size : 1.0;
}

/* The rows of `other` reflected into the triangle; 0 where squares lose digits. */
INLINE int reflect_into(int size, double *restrict triangle, double *restrict other) {
    for (int j = 0; j < size; j++) {
        double *row = triangle + j * size, square = 0.0, largest = fabs(row[j]);
        for (int i = 0; i <= j; i++) {
            const double b = fabs(other[i * size + j]);
            square += b * b, largest = b > largest ? b : largest;
        }
        if (largest > 0.0 && !(largest > TINY && largest < HUGE_LENGTH)) return 0;
        if (!(square > 0.0)) continue;
        const double norm = sqrt(row[j] * row[j] + square), v = -square / (row[j] + norm);
        row[j] = norm;
        for (int l = j + 1; l < size; l++) {
            double dot = v * row[l];
            for (int i = 0; i <= j; i++) dot += other[i * size + j] * other[i * size + l];
            dot *= 2.0 / (square + v * v);
            row[l] -= dot * v;
            for (int i = 0; i <= j; i++) other[i * size + l] -= dot * other[i * size + j];
        }
    }
    return 1;
}

FOR_EACH_CPU static void
merge_triangles(const stack_of_triangles *a, const stack_of_triangles *b, int size, ptrdiff_t first,
                ptrdiff_t last, double *merged, int8_t *hard) {
    square_matrix rows;
    for (ptrdiff_t at = first; at < last; at++) {
        const stack_of_triangles *both[2] = {a, b};
        double *out = merged + at * size * size;
        hard[at] = 0;
        if (a->n[at] == 0.0 || b->n[at] == 0.0) {
            const double *only = (a->n[at] == 0.0 ? b : a)->triangle + at * size * size;
            memcpy(out, only, size * size * sizeof(double));
            continue;
        }
        const double lo = a->lo[at] < b->lo[at] ? a->lo[at] : b->lo[at];
        const double hi = a->hi[at] > b->hi[at] ? a->hi[at] : b->hi[at];
        const double half = half_of(lo, hi), mid = lo / 2 + hi / 2;
        for (int i = 0; i < 2; i++) {
            const double from = both[i]->lo[at], to = both[i]->hi[at];
            const double *triangle = both[i]->triangle + at * size * size;
            if (from == lo && to == hi) {
                memcpy(i ? rows : out, triangle, size * size * sizeof(double));
                continue;
            }
            const double scale = to / 2 - from / 2 == 0.0 ? 0.0 : half_of(from, to) / half;
            rebase(triangle, size, scale, (from / 2 + to / 2 - mid) / half, i ? rows : out);
        }
        if (!(half > TINY && half < HUGE_LENGTH) || !reflect_into(size, out, rows)) hard[at] = 1;
    }
}
